-- A broadcast and how far it is. $1 practice $2 id. Returns JSON or no row. Indexes: broadcast_pkey,
-- message_broadcast_phone, message_broadcast_waiting.
SELECT smsbridge.broadcast_json(b) || jsonb_build_object('messages', c.counts,
	'recipients', (SELECT coalesce(sum(value::bigint), 0) FROM jsonb_each_text(c.counts)),
	'unreleased', (SELECT count(*) FROM smsbridge.message m
		WHERE m.practice_id = b.practice_id AND m.broadcast_id = b.id AND m.due_at = 'infinity'))
FROM smsbridge.broadcast b, LATERAL (SELECT smsbridge.broadcast_counts(b.practice_id, b.id) AS counts) AS c
WHERE b.practice_id = $1::uuid AND b.id = $2::uuid
