-- An access token of a client that is not revoked. $1 the token's id. Returns what key_get.sql does, of the client:
-- with the token's hash, the scopes that both have, and the end that comes first. Indexes: access_token_id_key,
-- api_key_pkey.
SELECT k.practice_id, encode(t.secret_hash, 'hex'), k.id, 'token',
	array_to_string(ARRAY(SELECT unnest(t.scopes) INTERSECT SELECT unnest(k.scopes)), ' '),
	(extract(epoch FROM least(t.expires_at, k.expires_at)) * 1000000)::bigint, k.networks, k.certificate,
	NULL, NULL, NULL, p.sender, p.max_segments,
	p.name, coalesce(p.display_name, ''), p.phone, coalesce(p.url, ''), array_to_string(p.link_domains, ' '),
	p.sensitive, p.lint_phi = 'warn', p.require_identity
FROM smsbridge.access_token t JOIN smsbridge.api_key k ON k.practice_id = t.practice_id AND k.id = t.client
	JOIN smsbridge.practice p ON p.id = k.practice_id
WHERE t.id = $1::text AND k.revoked_at IS NULL
