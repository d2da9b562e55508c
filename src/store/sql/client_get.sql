-- A client that is not revoked, for a token. $1 its id. Returns practice, secret hash (hex), scopes, end
-- (microseconds) or null, networks, certificate, JWK Set or null, its URL or null. Index: api_key_id_key.
SELECT k.practice_id, encode(k.secret_hash, 'hex'), array_to_string(k.scopes, ' '),
	(extract(epoch FROM k.expires_at) * 1000000)::bigint, k.networks, k.certificate, k.jwks::text, k.jwks_url
FROM smsbridge.api_key k WHERE k.id = $1::text AND k.kind = 'client' AND k.revoked_at IS NULL
