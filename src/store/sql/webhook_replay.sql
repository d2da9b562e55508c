-- Has events posted again that a webhook endpoint's cursor passed: dead ones, and delivered ones too. $1 practice $2
-- endpoint $3 now $4 who; either arrays of $5 xact $6 event id, or $7 from and $8 to (of the events' own times, the end
-- excluded) $9 how many. Returns problem ('' for none), how many there were, and where to go on when there are more.
-- Index: webhook_endpoint_pkey, event_pkey.
WITH found AS (
	SELECT w.practice_id, w.id, w.state, w.event_types, p.xact, p.event_id FROM smsbridge.webhook_endpoint w
		JOIN smsbridge.webhook_progress p ON p.practice_id = w.practice_id AND p.endpoint_id = w.id
	WHERE w.practice_id = $1::uuid AND w.id = $2::uuid
), listed AS (
	SELECT a.xact::xid8 AS xact, a.event_id FROM unnest($5::text[], $6::int8[]) AS a(xact, event_id)
), chosen AS MATERIALIZED (
	SELECT e.xact, e.id, e.at, smsbridge.webhook_order(e.practice_id, e.xact, e.id, e.type, e.message_id, e.phone, e.data)
		AS order_key
	FROM found f JOIN smsbridge.event e ON e.practice_id = f.practice_id
		JOIN smsbridge.event_type y ON y.code = e.type AND y.webhook = 'PRACTICE'
		LEFT JOIN smsbridge.message m ON m.practice_id = e.practice_id AND m.id = e.message_id
	WHERE f.state = 'enabled' AND (f.event_types IS NULL OR e.type = ANY (f.event_types))
		AND (e.xact, e.id) <= (f.xact, f.event_id)
		AND coalesce(m.category, '') NOT IN ('opt_out_confirmation', 'resume_confirmation', 'help_reply')
		AND CASE WHEN $7::timestamptz IS NULL THEN EXISTS (SELECT FROM listed l WHERE l.xact = e.xact AND l.event_id = e.id)
			ELSE e.at >= $7 AND e.at < $8::timestamptz END
	ORDER BY e.at, e.xact, e.id LIMIT $9::int4 + 1
), first AS (
	SELECT * FROM chosen ORDER BY at, xact, id LIMIT $9
), put AS (
	INSERT INTO smsbridge.webhook_wait AS t (practice_id, endpoint_id, xact, event_id, order_key, attempts, next_at)
	SELECT $1, $2, xact, id, order_key, 0, $3::timestamptz FROM first
	ON CONFLICT (practice_id, endpoint_id, xact, event_id) DO UPDATE SET attempts = 0, since = NULL, next_at = $3,
		dead_at = NULL
	RETURNING 1
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT $1, 'webhook.changed', $3, jsonb_build_object('id', $2, 'change', 'replayed', 'count', count(*), 'by', $4::text)
	FROM put HAVING count(*) > 0
)
SELECT CASE coalesce((SELECT state FROM found), '') WHEN 'enabled' THEN '' WHEN 'disabled' THEN 'webhook_disabled'
	ELSE 'webhook_unknown' END, (SELECT count(*) FROM put),
	CASE WHEN (SELECT count(*) FROM chosen) > $9 THEN to_json((SELECT max(at) FROM first))::text ELSE 'null' END
