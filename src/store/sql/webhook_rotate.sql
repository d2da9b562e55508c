-- New keys for a webhook endpoint; those before sign too until $5. $1 practice $2 id $3 secret $4 now $5 until $6 who.
-- Returns problem, '' for none. Index: webhook_endpoint_pkey.
WITH made AS (
	UPDATE smsbridge.webhook_endpoint w SET former_secret = w.secret, former_key = w.signing_key,
		former_until = $5::timestamptz, secret = $3::text, signing_key = smsbridge.webhook_key()
	WHERE w.practice_id = $1::uuid AND w.id = $2::uuid RETURNING *
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT practice_id, 'webhook.changed', $4::timestamptz,
		jsonb_build_object('id', id, 'change', 'rotated', 'by', $6::text)
	FROM made
)
SELECT CASE WHEN EXISTS (SELECT FROM made) THEN '' ELSE 'webhook_unknown' END
