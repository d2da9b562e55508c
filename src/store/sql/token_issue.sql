-- Gives a client a token, unless its assertion was shown before. $1 practice $2 client $3 token id $4 hash of the
-- whole (hex) $5 scopes ("{a,b}") $6 now $7 end $8 hash of the assertion's jti (hex), or null $9 when that one ends,
-- or null. Returns a row when there is one now. What is long over is swept a little at a time. Indexes:
-- assertion_seen_pkey, api_key_pkey, access_token_over, assertion_seen_over.
WITH old_tokens AS (DELETE FROM smsbridge.access_token t WHERE (t.practice_id, t.id) IN (SELECT o.practice_id, o.id
		FROM smsbridge.access_token o WHERE o.expires_at < $6::timestamptz - interval '1 hour' ORDER BY o.expires_at
		LIMIT 20 FOR UPDATE SKIP LOCKED)),
old_seen AS (DELETE FROM smsbridge.assertion_seen s WHERE (s.practice_id, s.client, s.jti_hash) IN (
		SELECT o.practice_id, o.client, o.jti_hash FROM smsbridge.assertion_seen o
		WHERE o.expires_at < $6::timestamptz - interval '1 hour' ORDER BY o.expires_at LIMIT 20 FOR UPDATE SKIP LOCKED)),
seen AS (INSERT INTO smsbridge.assertion_seen (practice_id, client, jti_hash, expires_at)
	SELECT $1::uuid, $2::text, decode($8::text, 'hex'), $9::timestamptz WHERE $8::text IS NOT NULL
	ON CONFLICT DO NOTHING RETURNING 1)
INSERT INTO smsbridge.access_token (practice_id, id, secret_hash, client, scopes, created_at, expires_at)
SELECT k.practice_id, $3::text, decode($4::text, 'hex'), k.id, $5::text::text[], $6::timestamptz, $7::timestamptz
FROM smsbridge.api_key k
WHERE k.practice_id = $1::uuid AND k.id = $2::text AND k.revoked_at IS NULL
	AND ($8::text IS NULL OR EXISTS (SELECT FROM seen))
RETURNING id
