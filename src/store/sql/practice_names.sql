-- As patients know the practice: $1 practice. Returns the name that its texts use, and the phone of its front desk.
-- Index: practice_pkey.
SELECT coalesce(display_name, name), phone FROM smsbridge.practice WHERE id = $1::uuid
