-- Practices whose endpoint may be told something now. $1 how many, $2 those that are being served. A practice without
-- a cursor starts at its creation. Returns practice, URL, secret, reply text wanted, cursor (xact, event id),
-- failures. Index: webhook_cursor_pkey.
SELECT p.id, p.webhook_url, p.webhook_secret, p.webhook_reply_text, coalesce(c.xact, '0'::xid8)::text,
	coalesce(c.event_id, 0), coalesce(c.failures, 0)
FROM smsbridge.practice p LEFT JOIN smsbridge.webhook_cursor c ON c.practice_id = p.id
WHERE p.webhook_url IS NOT NULL AND coalesce(c.next_at, '-infinity') <= clock_timestamp()
	AND p.id <> ALL ($2::uuid[])
	AND (EXISTS (SELECT FROM smsbridge.event e WHERE e.practice_id = p.id
			AND (e.xact, e.id) > (coalesce(c.xact, '0'::xid8), coalesce(c.event_id, 0))
			AND e.xact < pg_snapshot_xmin(pg_current_snapshot()))
		OR EXISTS (SELECT FROM smsbridge.webhook_retry t WHERE t.practice_id = p.id AND t.dead_at IS NULL
			AND t.next_at <= clock_timestamp()))
LIMIT $1::int4
