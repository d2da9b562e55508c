-- Lifts an opt-out that was not the patient's own; takes the recipient's lock. $1 practice $2 id $3 actor $4 reason
-- $5 a newer consent's id, or null $6 now. Returns a problem's code or '', JSON, phone. Index: opt_out_pkey.
SELECT problem, body::text, phone
FROM smsbridge.opt_out_end($1::uuid, $2::uuid, $3::text, $4::text, $5::text::uuid, $6::timestamptz)
