-- The next events of one practice behind its cursor, in commit order, only from transactions that no running one can
-- still precede; and retries that are due. $1 practice $2 cursor xact $3 cursor event id $4 how many $5 reply text
-- wanted. Returns xact, event id, attempts, webhook type or '' (nobody is told: the cursor just passes), payload.
-- Index: event_pkey.
WITH fresh AS (
	SELECT e.*, 0 AS attempts FROM smsbridge.event e
	WHERE e.practice_id = $1::uuid AND (e.xact, e.id) > ($2::text::xid8, $3::int8)
		AND e.xact < pg_snapshot_xmin(pg_current_snapshot())
	ORDER BY e.xact, e.id LIMIT $4::int4
), again AS (
	SELECT e.*, t.attempts FROM smsbridge.webhook_retry t
		JOIN smsbridge.event e ON e.practice_id = t.practice_id AND e.xact = t.xact AND e.id = t.event_id
	WHERE t.practice_id = $1 AND t.dead_at IS NULL AND t.next_at <= clock_timestamp()
	ORDER BY t.next_at LIMIT $4
)
SELECT e.xact::text, e.id, e.attempts,
	CASE WHEN t.webhook = 'PRACTICE' AND (e.message_id IS NULL OR m.category NOT IN
		('opt_out_confirmation', 'resume_confirmation', 'help_reply')) THEN e.type ELSE '' END,
	json_build_object('type', e.type, 'timestamp', e.at, 'data', json_strip_nulls(json_build_object(
		'message_id', m.id, 'reference', m.reference, 'patient', m.patient, 'status', CASE e.type
			WHEN 'message.sent' THEN 'sent' WHEN 'message.delivered' THEN 'delivered'
			WHEN 'message.undelivered' THEN 'undelivered' WHEN 'message.held' THEN 'held'
			WHEN 'message.blocked' THEN 'blocked' WHEN 'message.expired' THEN 'expired'
			WHEN 'message.failed' THEN 'failed' WHEN 'message.canceled' THEN 'canceled' END,
		'reason', e.reason, 'due_at', e.data->>'until',
		'phone', CASE WHEN e.message_id IS NULL AND e.phone IS NOT NULL
			THEN CASE WHEN $5::bool THEN e.phone ELSE left(e.phone, 2) || '******' || right(e.phone, 4) END END,
		'keyword', CASE WHEN e.message_id IS NULL THEN e.data->>'word' END,
		'task_id', CASE WHEN e.type LIKE 'review.%' THEN e.data->>'id' END,
		'kind', CASE WHEN e.type LIKE 'review.%' THEN e.data->>'kind' END, 'decision', e.data->>'decision',
		'cause', CASE e.type WHEN 'recipient.stale' THEN e.data->>'reason' END,
		'reply_id', e.data->>'inbound_id', 'missing_parts', e.data->'missing',
		'text', CASE WHEN $5 AND e.type = 'reply.received' THEN i.body END)))
FROM (SELECT * FROM fresh UNION ALL SELECT * FROM again) AS e
	JOIN smsbridge.event_type t ON t.code = e.type
	LEFT JOIN smsbridge.message m ON m.practice_id = e.practice_id
		AND m.id = coalesce(e.message_id, (e.data->>'message_id')::uuid)
	LEFT JOIN smsbridge.inbound i ON i.practice_id = e.practice_id AND i.id = (e.data->>'inbound_id')::uuid
ORDER BY e.attempts > 0, e.xact, e.id
