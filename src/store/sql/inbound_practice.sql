-- The practice that a number belongs to. $1 the number in its two spellings, with and without the plus sign.
-- Returns practice id, name, phone. Index: practice_sender_key.
SELECT id, name, phone, sender FROM smsbridge.practice WHERE sender = ANY ($1::text[]) LIMIT 1
