-- How webhook endpoints are. Returns how many are well, failing and disabled; events that wait to be posted again, and
-- dead letters. Both tables are small.
SELECT count(*) FILTER (WHERE w.state = 'enabled' AND p.failures = 0),
	count(*) FILTER (WHERE w.state = 'enabled' AND p.failures > 0), count(*) FILTER (WHERE w.state = 'disabled'),
	(SELECT count(*) FROM smsbridge.webhook_wait WHERE dead_at IS NULL),
	(SELECT count(*) FROM smsbridge.webhook_wait WHERE dead_at IS NOT NULL)
FROM smsbridge.webhook_endpoint w
	JOIN smsbridge.webhook_progress p ON p.practice_id = w.practice_id AND p.endpoint_id = w.id
