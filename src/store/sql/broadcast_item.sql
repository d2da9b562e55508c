-- What items of a broadcast are made of. $1 practice $2 id. Returns state, template's id, its language, category, end
-- (RFC 3339). Index: broadcast_pkey.
SELECT state, template_id, language, category, to_char(expires_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM smsbridge.broadcast WHERE practice_id = $1::uuid AND id = $2::uuid
