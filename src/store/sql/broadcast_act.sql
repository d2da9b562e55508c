-- Starts, pauses, resumes or cancels a broadcast. $1 practice $2 id $3 act $4 now $5 API key's id. Returns a problem's
-- code or '', JSON, ''. Indexes: broadcast_pkey, message_broadcast_phone, message_broadcast_waiting.
SELECT problem, body::text, phone FROM smsbridge.broadcast_act($1::uuid, $2::uuid, $3::text, $4::timestamptz, $5::text)
