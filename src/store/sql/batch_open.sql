-- Begins a batch, or goes on with the one of that key; not while another request is bringing it, unless nothing has
-- come of that for 90 seconds. $1 now $2 practice $3 id $4 key or NULL $5 broadcast or NULL $6 API key's id $7 upload.
-- Returns id, whether it was received before, whether its broadcast is this one; no row: it is being brought. Index:
-- batch_key.
INSERT INTO smsbridge.batch AS b (practice_id, id, key, broadcast_id, api_key, upload, upload_at, created_at)
VALUES ($2::uuid, $3::uuid, $4::text, $5::uuid, $6::text, $7::uuid, $1::timestamptz, $1)
ON CONFLICT (practice_id, key) WHERE key IS NOT NULL DO UPDATE SET upload = excluded.upload, upload_at = $1
	WHERE b.upload IS NULL OR b.upload_at < $1 - interval '90 seconds'
RETURNING b.id, b.state <> 'receiving', b.broadcast_id IS NOT DISTINCT FROM $5
