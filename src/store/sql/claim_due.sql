-- Locks messages that are due, urgent before normal before low, skipping those that another gateway holds.
-- $1 now, $2 how many. Returns what the rules and submit_sm need. Index: message_due.
SELECT m.practice_id, m.id, m.patient, m.phone, m.sender, m.zones, m.body, m.encoding, m.category, m.priority,
	(extract(epoch FROM m.send_at) * 1000000)::bigint, (extract(epoch FROM m.expires_at) * 1000000)::bigint, m.attempts,
	(extract(epoch FROM m.created_at) * 1000000)::bigint, m.status, coalesce(m.reason, '')
FROM (VALUES (0), (1), (2)) AS p(priority), LATERAL (
	SELECT * FROM smsbridge.message
	WHERE priority = p.priority AND due_at <= $1::timestamptz
	ORDER BY due_at LIMIT $2::int4 FOR UPDATE SKIP LOCKED) AS m
LIMIT $2::int4
