-- A practice's webhook endpoints in the order of their ids. $1 practice $2 that one only, or NULL $3 after that id, or
-- NULL $4 how many $5 now. Returns id, JSON, keys (hex). Index: webhook_endpoint_pkey.
SELECT w.id::text, smsbridge.webhook_shown(w, $5::timestamptz)::text, encode(w.signing_key, 'hex'),
	CASE WHEN w.former_until > $5 THEN encode(w.former_key, 'hex') ELSE '' END
FROM smsbridge.webhook_endpoint w
WHERE w.practice_id = $1::uuid AND ($2::uuid IS NULL OR w.id = $2) AND ($3::uuid IS NULL OR w.id > $3)
ORDER BY w.id LIMIT $4::int4
