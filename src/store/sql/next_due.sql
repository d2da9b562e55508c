-- When the next message becomes due; those that wait for a release never do. Returns microseconds or null. Index:
-- message_due.
SELECT (extract(epoch FROM min(m.due_at)) * 1000000)::bigint
FROM (VALUES (0), (1), (2)) AS p(priority), LATERAL (
	SELECT due_at FROM smsbridge.message WHERE priority = p.priority AND due_at < 'infinity' ORDER BY due_at LIMIT 1) AS m
