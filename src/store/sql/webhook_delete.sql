-- Deletes a webhook endpoint with what waits at it. $1 practice $2 id $3 now $4 who. Returns problem, '' for none.
-- Index: webhook_endpoint_pkey.
WITH gone AS (
	DELETE FROM smsbridge.webhook_endpoint WHERE practice_id = $1::uuid AND id = $2::uuid RETURNING *
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT practice_id, 'webhook.changed', $3::timestamptz,
		jsonb_build_object('id', id, 'change', 'deleted', 'by', $4::text)
	FROM gone
)
SELECT CASE WHEN EXISTS (SELECT FROM gone) THEN '' ELSE 'webhook_unknown' END
