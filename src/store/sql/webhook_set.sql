-- Changes a webhook endpoint. $1 practice $2 id $3 URL or NULL (as it is) $4 failover URL, '' for none, or NULL $5
-- whether event types are given $6 event types or NULL (all) $7 reply text or NULL $8 'enabled', 'disabled' or NULL $9
-- now $10 who. Returns problem, '' for none. Index: webhook_endpoint_pkey.
WITH before AS (
	SELECT state FROM smsbridge.webhook_endpoint WHERE practice_id = $1::uuid AND id = $2::uuid
), made AS (
	UPDATE smsbridge.webhook_endpoint w SET url = coalesce($3::text, w.url),
		failover_url = CASE WHEN $4::text IS NULL THEN w.failover_url ELSE nullif($4, '') END,
		event_types = CASE WHEN $5::bool THEN $6::text[] ELSE w.event_types END,
		reply_text = coalesce($7::bool, w.reply_text), state = coalesce($8::text, w.state),
		state_reason = CASE $8 WHEN 'disabled' THEN 'asked' WHEN 'enabled' THEN NULL ELSE w.state_reason END,
		state_by = CASE WHEN $8 IS NULL THEN w.state_by ELSE $10::text END,
		state_at = CASE WHEN $8 IS NULL THEN w.state_at ELSE $9::timestamptz END
	WHERE w.practice_id = $1 AND w.id = $2 RETURNING *
), again AS (
	SELECT smsbridge.webhook_afresh(practice_id, id, $9) FROM made WHERE $3 IS NOT NULL OR $4 IS NOT NULL OR $8 = 'enabled'
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT made.practice_id, CASE WHEN $8 = 'disabled' AND before.state = 'enabled' THEN 'webhook.disabled'
		ELSE 'webhook.changed' END, $9, jsonb_build_object('id', id, 'change', coalesce($8, 'set'), 'cause', 'asked',
		'by', $10)
	FROM made, before
)
SELECT CASE WHEN EXISTS (SELECT FROM made) THEN '' ELSE 'webhook_unknown' END, (SELECT count(*) FROM again)
