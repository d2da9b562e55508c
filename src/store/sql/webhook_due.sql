-- Takes endpoints that may be told something now, those that were served longest ago first, and leases them to this
-- gateway. $1 how many that are well $2 how many that are slow or failing $3 ids of those that this process serves $4
-- node $5 now $6 seconds of the lease. A next_at far ahead is of a clock that was set back. Returns practice, endpoint,
-- URLs, types wanted (blanks around each; '' all), reply text wanted, secrets (the former one while it signs), keys
-- (hex), cursor, failures, fresh failures, rounds down, seconds down, URL failures, whether the failover URL is on,
-- whether it is slow or failing. Index: webhook_progress_pkey, event_pkey.
WITH due AS MATERIALIZED (
	SELECT p.practice_id, p.endpoint_id, p.served_at, p.slow OR p.failures > 0 AS slow
	FROM smsbridge.webhook_progress p
		JOIN smsbridge.webhook_endpoint w ON w.practice_id = p.practice_id AND w.id = p.endpoint_id
	WHERE w.state = 'enabled' AND (p.next_at <= $5::timestamptz OR p.next_at > $5 + interval '27 hours')
		AND p.endpoint_id <> ALL ($3::uuid[])
		AND (p.lease_until IS NULL OR p.lease_until < clock_timestamp() OR p.lease_node = $4::text)
		AND (EXISTS (SELECT FROM smsbridge.event e WHERE e.practice_id = p.practice_id
				AND (e.xact, e.id) > (p.xact, p.event_id) AND e.xact < pg_snapshot_xmin(pg_current_snapshot()))
			OR EXISTS (SELECT FROM smsbridge.webhook_wait t WHERE t.practice_id = p.practice_id
				AND t.endpoint_id = p.endpoint_id AND t.dead_at IS NULL
				AND (t.next_at <= $5 OR t.next_at > $5 + interval '27 hours')))
), turn AS (
	(SELECT * FROM due WHERE NOT slow ORDER BY served_at LIMIT $1::int4)
	UNION ALL (SELECT * FROM due WHERE slow ORDER BY served_at LIMIT $2::int4)
)
UPDATE smsbridge.webhook_progress p SET lease_node = $4,
	lease_until = clock_timestamp() + $6::int4 * interval '1 second',
	served_at = clock_timestamp()
FROM turn, smsbridge.webhook_endpoint w
WHERE p.practice_id = turn.practice_id AND p.endpoint_id = turn.endpoint_id AND w.practice_id = p.practice_id
	AND w.id = p.endpoint_id
	AND (p.lease_until IS NULL OR p.lease_until < clock_timestamp() OR p.lease_node = $4)
RETURNING w.practice_id, w.id, w.url, coalesce(w.failover_url, ''),
	coalesce(' ' || array_to_string(w.event_types, ' ') || ' ', ''), w.reply_text, w.secret,
	CASE WHEN w.former_until > $5 THEN w.former_secret ELSE '' END, encode(w.signing_key, 'hex'),
	CASE WHEN w.former_until > $5 THEN encode(w.former_key, 'hex') ELSE '' END, p.xact::text, p.event_id, p.failures,
	p.fresh_failures, p.down_rounds, coalesce(extract(epoch FROM $5 - p.down_since)::int8, 0), p.url_failures,
	coalesce(p.failover_until > $5, false), turn.slow
