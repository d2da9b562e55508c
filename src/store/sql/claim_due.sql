-- Locks messages that are due, skipping those that another gateway holds. Urgent goes ten minutes ahead of normal and
-- normal ten ahead of low: priority decides, and yet nothing waits for ever.
-- $1 now, $2 how many. Returns what the rules and submit_sm need. Index: message_due.
SELECT m.practice_id, m.id, m.patient, m.phone, m.sender, m.zones, m.body, m.encoding, m.category, m.segments,
	(extract(epoch FROM m.send_at) * 1000000)::bigint, (extract(epoch FROM m.expires_at) * 1000000)::bigint, m.attempts,
	(extract(epoch FROM m.created_at) * 1000000)::bigint, m.status, coalesce(m.reason, ''), coalesce(m.carrier, ''),
	m.refusals, m.priority, m.states, m.phi, m.answers
FROM (VALUES (0), (1), (2)) AS p(priority), LATERAL (
	SELECT * FROM smsbridge.message
	WHERE priority = p.priority AND due_at <= $1::timestamptz
	ORDER BY due_at LIMIT $2::int4 FOR UPDATE SKIP LOCKED) AS m
ORDER BY m.due_at + m.priority * interval '10 minutes'
LIMIT $2::int4
