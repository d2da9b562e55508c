-- Makes a webhook endpoint that is told what happens from now on. $1 practice $2 id $3 URL $4 failover URL or NULL $5
-- event types or NULL (all) $6 reply text $7 secret $8 now $9 who. Returns problem ('' none: it is read by webhook_list
-- then). A slot that another took at the same moment is refused by its constraint (23505).
WITH free AS (
	SELECT smsbridge.webhook_slot($1::uuid) AS slot
), made AS (
	INSERT INTO smsbridge.webhook_endpoint (practice_id, id, slot, url, failover_url, event_types, reply_text, secret,
		signing_key, state_at, created_at)
	SELECT $1, $2::uuid, slot, $3::text, $4::text, $5::text[], $6::bool, $7::text, smsbridge.webhook_key(),
		$8::timestamptz, $8
	FROM free WHERE slot IS NOT NULL RETURNING *
), progress AS (
	INSERT INTO smsbridge.webhook_progress (practice_id, endpoint_id, xact, event_id)
	SELECT practice_id, id, pg_current_xact_id(), 9223372036854775807 FROM made
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT practice_id, 'webhook.changed', $8, jsonb_build_object('id', id, 'change', 'added', 'by', $9::text) FROM made
)
SELECT CASE WHEN EXISTS (SELECT FROM made) THEN '' ELSE 'webhook_ceiling' END
