-- A page of messages, oldest first, after an id. $1 practice $2 after or null $3 status or null $4 patient or null
-- $5 limit + 1. Returns id and JSON. Index: message_pkey.
SELECT m.id, json_build_object('id', m.id, 'status', m.status, 'reason', m.reason, 'patient', m.patient,
	'category', m.category, 'priority', (ARRAY['urgent', 'normal', 'low'])[m.priority + 1], 'reference', m.reference,
	'send_at', m.send_at, 'expires_at', m.expires_at, 'due_at', m.due_at, 'created_at', m.created_at,
	'updated_at', m.updated_at)
FROM smsbridge.message m
WHERE m.practice_id = $1::uuid AND ($2::uuid IS NULL OR m.id > $2) AND ($3::text IS NULL OR m.status = $3)
	AND ($4::text IS NULL OR m.patient = $4)
ORDER BY m.id LIMIT $5::int4
