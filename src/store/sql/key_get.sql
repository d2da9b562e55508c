-- An API key that is not revoked, of a person who is not disabled. $1 its id. Returns practice, secret hash (hex),
-- id, kind, scopes, end (microseconds) or null, networks, certificate, role or null, person's id and name or null,
-- sender, max_segments, then what texts are judged by (LINT_PRACTICE_COLUMNS). Index: api_key_id_key.
SELECT k.practice_id, encode(k.secret_hash, 'hex'), k.id, k.kind, array_to_string(k.scopes, ' '),
	(extract(epoch FROM k.expires_at) * 1000000)::bigint, k.networks, k.certificate, pe.role, pe.id, pe.name,
	p.sender, p.max_segments,
	p.name, coalesce(p.display_name, ''), p.phone, coalesce(p.url, ''), array_to_string(p.link_domains, ' '),
	p.sensitive, p.lint_phi = 'warn', p.require_identity
FROM smsbridge.api_key k JOIN smsbridge.practice p ON p.id = k.practice_id
	LEFT JOIN smsbridge.person pe ON pe.practice_id = k.practice_id AND pe.id = k.person_id
WHERE k.id = $1::text AND k.revoked_at IS NULL AND pe.disabled_at IS NULL
