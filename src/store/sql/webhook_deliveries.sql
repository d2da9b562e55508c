-- Events that wait at a webhook endpoint or are dead, in their order. $1 practice $2 endpoint $3 'waiting', 'dead' or
-- NULL $4 $5 after that xact and event id $6 how many. Returns the place ("xact.id") and JSON; and first a row without
-- a place when there is such an endpoint. Indexes: webhook_endpoint_pkey, webhook_wait_pkey.
(SELECT NULL, 'null' FROM smsbridge.webhook_endpoint WHERE practice_id = $1::uuid AND id = $2::uuid)
UNION ALL
(SELECT t.xact || '.' || t.event_id,
	jsonb_build_object('event_id', 'evt_' || t.xact || '_' || t.event_id, 'type', e.type,
	'at', e.at, 'state', CASE WHEN t.dead_at IS NULL THEN 'waiting' ELSE 'dead' END, 'attempts', t.attempts,
	'last_status', t.last_status, 'next_at', CASE WHEN t.dead_at IS NULL THEN t.next_at END, 'dead_at', t.dead_at,
	'message_id', e.message_id)::text
FROM smsbridge.webhook_wait t
	JOIN smsbridge.event e ON e.practice_id = t.practice_id AND e.xact = t.xact AND e.id = t.event_id
WHERE t.practice_id = $1 AND t.endpoint_id = $2
	AND ($3::text IS NULL OR (t.dead_at IS NOT NULL) = ($3 = 'dead')) AND (t.xact, t.event_id) > ($4::text::xid8, $5::int8)
ORDER BY t.xact, t.event_id LIMIT $6::int4)
