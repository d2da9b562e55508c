-- Records what staff were told; takes the recipient's lock. $1 practice $2 phone $3 channel $4 words $5 actor
-- $6 category or '' $7 now. Returns a problem's code or '', JSON, phone. Index: opt_out_active.
SELECT problem, body::text, phone
FROM smsbridge.opt_out_enter($1::uuid, $2::text, $3::text, $4::text, $5::text, $6::text, $7::timestamptz)
