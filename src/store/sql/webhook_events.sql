-- What one endpoint may be told now: what waits at keys whose first event is due, then the next events behind its
-- cursor, in commit order and only from transactions that no running one can still precede. $1 practice $2 endpoint $3
-- cursor xact $4 cursor event id $5 how many of each $6 reply text wanted $7 now $8 how many may wait: past it nothing
-- new is read. Returns xact, event id, attempts, seconds since its first failure, whether it waited, whether something
-- before it still waits (then it must too), order key, webhook type or '' (nobody is told: the cursor just passes),
-- payload, traceparent or ''. What `data` tells of an event's own members is rows of proto/event_member.def. sequence
-- counts the message's events that are told, whatever an endpoint chose, so that it stays when they are posted again.
-- Index: event_pkey, webhook_wait_due, event_message.
WITH fresh AS MATERIALIZED (
	SELECT e.xact, e.id, 0 AS attempts, 0 AS since_s, false AS waited FROM smsbridge.event e
	WHERE e.practice_id = $1::uuid AND (e.xact, e.id) > ($3::text::xid8, $4::int8)
		AND e.xact < pg_snapshot_xmin(pg_current_snapshot())
		AND (SELECT count(*) FROM smsbridge.webhook_wait t
			WHERE t.practice_id = $1 AND t.endpoint_id = $2::uuid AND t.dead_at IS NULL) < $8::int4
	ORDER BY e.xact, e.id LIMIT $5::int4
), head AS MATERIALIZED (
	SELECT DISTINCT ON (t.order_key) t.order_key, t.next_at FROM smsbridge.webhook_wait t
	WHERE t.practice_id = $1 AND t.endpoint_id = $2 AND t.dead_at IS NULL
	ORDER BY t.order_key, t.xact, t.event_id
), again AS MATERIALIZED (
	SELECT t.xact, t.event_id, t.attempts, coalesce(extract(epoch FROM $7::timestamptz - t.since)::int8, 0), true
	FROM smsbridge.webhook_wait t JOIN head h USING (order_key)
	WHERE t.practice_id = $1 AND t.endpoint_id = $2 AND t.dead_at IS NULL
		AND (h.next_at <= $7 OR h.next_at > $7 + interval '27 hours')
	ORDER BY h.next_at, t.order_key, t.xact, t.event_id LIMIT $5
), found AS (
	SELECT * FROM fresh UNION ALL SELECT * FROM again
), told AS (
	SELECT e.*, b.attempts, b.since_s, b.waited, m.id AS m_id, m.reference AS m_reference, m.patient AS m_patient,
		m.trace AS m_trace, t.webhook = 'PRACTICE' AND (e.message_id IS NULL OR m.category NOT IN
			('opt_out_confirmation', 'resume_confirmation', 'help_reply'))
			AND coalesce(e.data->>'only_webhook', $2::text) = $2::text AS tell,
		smsbridge.webhook_order(e.practice_id, e.xact, e.id, e.type, e.message_id, e.phone, e.data) AS order_key
	FROM found b JOIN smsbridge.event e ON e.practice_id = $1 AND e.xact = b.xact AND e.id = b.id
		JOIN smsbridge.event_type t ON t.code = e.type
		LEFT JOIN smsbridge.message m ON m.practice_id = e.practice_id
			AND m.id = coalesce(e.message_id, (e.data->>'message_id')::uuid)
)
SELECT e.xact::text, e.id, e.attempts, e.since_s, e.waited,
	NOT e.waited AND EXISTS (SELECT FROM smsbridge.webhook_wait t WHERE t.practice_id = $1 AND t.endpoint_id = $2
		AND t.dead_at IS NULL AND t.order_key = e.order_key),
	e.order_key, CASE WHEN e.tell THEN e.type ELSE '' END,
	CASE WHEN e.tell THEN json_build_object('type', e.type, 'timestamp', e.at, 'data',
		jsonb_strip_nulls(jsonb_build_object(
		'message_id', e.m_id, 'reference', e.m_reference, 'patient', e.m_patient,
		'sequence', CASE WHEN e.message_id IS NOT NULL THEN (SELECT count(*) FROM smsbridge.event s
			JOIN smsbridge.event_type st ON st.code = s.type AND st.webhook = 'PRACTICE'
			WHERE s.message_id = e.message_id AND s.practice_id = $1 AND (s.xact, s.id) <= (e.xact, e.id)) END,
		'status', (SELECT s.code FROM smsbridge.status s WHERE e.type = 'message.' || s.code), 'reason', e.reason,
		'phone', CASE WHEN e.message_id IS NULL AND e.phone IS NOT NULL THEN smsbridge.phone_shown(e.phone, $6::bool) END,
		'text', CASE WHEN $6 AND e.type = 'reply.received' THEN (SELECT i.body FROM smsbridge.inbound i
			WHERE i.practice_id = $1 AND i.id = (e.data->>'inbound_id')::uuid) END)
		|| coalesce((SELECT jsonb_object_agg(k.member, e.data->k.key) FROM smsbridge.event_member k
			WHERE k.type = e.type AND e.data ? k.key), '{}')))::text ELSE '' END,
	coalesce(e.m_trace, '')
FROM told e
ORDER BY NOT e.waited, e.xact, e.id
