-- The end of a round of an endpoint that this gateway still leases: moves the cursor, books what waits and what died,
-- forgets what was delivered, keeps the health, disables it when told to. $1 practice $2 endpoint $3 node $4 now; $5
-- xact $6 event id (the cursor); $7 failures $8 fresh failures $9 rounds down $10 next_at; $11 URL failures $12
-- failover until or NULL $13 slow; $14 something was posted $15 something was taken $16 last status $17 last error or
-- NULL $18 why it is disabled or NULL; arrays of what waits: $19 xact $20 event id $21 order key $22 attempts $23
-- next_at (NULL: with what it waits behind) $24 dead $25 status; arrays of what need not wait any more: $26 xact $27
-- event id; $28 $29 the URL and failover URL that were posted to: what was heard there is not held against others.
-- What waits behind one of these at the same key waits as long. Returns whether it was disabled now; a row when the
-- lease held. Indexes: webhook_progress_pkey, webhook_endpoint_pkey.
WITH other AS MATERIALIZED (
	SELECT EXISTS (SELECT FROM smsbridge.webhook_endpoint w WHERE w.practice_id = $1::uuid AND w.id = $2::uuid
		AND (w.url, coalesce(w.failover_url, '')) IS DISTINCT FROM ($28::text, $29::text)) AS url
), moved AS (
	UPDATE smsbridge.webhook_progress p SET xact = $5::text::xid8, event_id = $6::int8,
		failures = CASE WHEN o.url THEN 0 ELSE $7::int4 END,
		fresh_failures = CASE WHEN o.url THEN 0 ELSE $8::int4 END,
		down_rounds = CASE WHEN o.url THEN 0 ELSE $9::int4 END,
		down_since = CASE WHEN $9 = 0 OR o.url THEN NULL ELSE coalesce(p.down_since, $4::timestamptz) END,
		next_at = CASE WHEN o.url THEN $4 ELSE $10::timestamptz END,
		url_failures = CASE WHEN o.url THEN 0 ELSE $11::int4 END,
		failover_until = CASE WHEN NOT o.url THEN coalesce($12::timestamptz, p.failover_until) END,
		slow = $13::bool,
		attempted_at = CASE WHEN $14::bool THEN $4 ELSE p.attempted_at END,
		succeeded_at = CASE WHEN $15::bool THEN $4 ELSE p.succeeded_at END,
		last_status = CASE WHEN $14 THEN $16::int4 ELSE p.last_status END,
		last_error = CASE WHEN $14 THEN $17::text ELSE p.last_error END, lease_node = NULL, lease_until = NULL
	FROM other o WHERE p.practice_id = $1 AND p.endpoint_id = $2 AND p.lease_node = $3::text
	RETURNING p.practice_id
), booked AS (
	SELECT b.xact::xid8 AS xact, b.event_id, b.order_key, b.attempts,
		CASE WHEN o.url AND b.next_at IS NOT NULL THEN $4 ELSE b.next_at END AS next_at, b.dead, b.status
	FROM moved, other o,
		unnest($19::text[], $20::int8[], $21::text[], $22::int4[], $23::timestamptz[], $24::bool[], $25::int4[])
		AS b(xact, event_id, order_key, attempts, next_at, dead, status)
), done AS (
	DELETE FROM smsbridge.webhook_wait t USING moved, unnest($26::text[], $27::int8[]) AS d(xact, event_id)
	WHERE t.practice_id = $1 AND t.endpoint_id = $2 AND t.xact = d.xact::xid8 AND t.event_id = d.event_id
), behind AS (
	UPDATE smsbridge.webhook_wait t SET next_at = CASE WHEN b.dead THEN $4 ELSE b.next_at END
	FROM (SELECT DISTINCT ON (order_key) * FROM booked ORDER BY order_key, xact, event_id) AS b
	WHERE t.practice_id = $1 AND t.endpoint_id = $2 AND t.dead_at IS NULL AND t.order_key = b.order_key
		AND b.attempts > 0 AND NOT EXISTS (SELECT FROM booked o WHERE o.xact = t.xact AND o.event_id = t.event_id)
), kept AS (
	INSERT INTO smsbridge.webhook_wait (practice_id, endpoint_id, xact, event_id, order_key, attempts, since, next_at,
		dead_at, last_status)
	SELECT $1, $2, b.xact, b.event_id, b.order_key, b.attempts, CASE WHEN b.attempts > 0 THEN $4 END,
		coalesce(b.next_at, (SELECT max(o.next_at) FROM booked o WHERE o.order_key = b.order_key),
			(SELECT min(t.next_at) FROM smsbridge.webhook_wait t WHERE t.practice_id = $1
			AND t.endpoint_id = $2 AND t.dead_at IS NULL AND t.order_key = b.order_key), $4),
		CASE WHEN b.dead THEN $4 END, b.status FROM booked b
	ON CONFLICT (practice_id, endpoint_id, xact, event_id) DO UPDATE SET attempts = excluded.attempts,
		since = coalesce(webhook_wait.since, excluded.since), next_at = excluded.next_at, dead_at = excluded.dead_at,
		last_status = coalesce(excluded.last_status, webhook_wait.last_status)
), ended AS (
	UPDATE smsbridge.webhook_endpoint w SET state = 'disabled', state_reason = $18::text, state_by = 'gateway',
		state_at = $4
	FROM moved, other o WHERE w.practice_id = $1 AND w.id = $2 AND $18::text IS NOT NULL AND w.state = 'enabled'
		AND NOT o.url
	RETURNING w.practice_id, w.id
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT practice_id, 'webhook.disabled', $4, jsonb_build_object('id', id, 'cause', $18, 'by', 'gateway') FROM ended
	UNION ALL
	SELECT $1, 'webhook.dead', $4, jsonb_build_object('id', $2, 'event', 'evt_' || xact || '_' || event_id,
		'attempts', attempts, 'status', status) FROM booked WHERE dead
)
SELECT EXISTS (SELECT FROM ended) FROM moved
