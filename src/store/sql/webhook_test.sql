-- Tells one webhook endpoint, and no other, that somebody tries it. $1 practice $2 id $3 now $4 who. Returns problem
-- ('' for none) and the webhook's id of the event. Index: webhook_endpoint_pkey.
WITH found AS (
	SELECT practice_id, id, state FROM smsbridge.webhook_endpoint WHERE practice_id = $1::uuid AND id = $2::uuid
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT practice_id, 'webhook.test', $3::timestamptz, jsonb_build_object('id', id, 'only_webhook', id, 'by', $4::text)
	FROM found WHERE state = 'enabled' RETURNING 'evt_' || xact || '_' || id AS event
)
SELECT CASE coalesce((SELECT state FROM found), '') WHEN 'enabled' THEN '' WHEN 'disabled' THEN 'webhook_disabled'
	ELSE 'webhook_unknown' END, coalesce((SELECT event FROM told), '')
