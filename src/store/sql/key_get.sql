-- An API key that is not revoked. $1 key id. Returns practice id, secret hash (hex), sender, max_segments, whether it
-- has the scope emergency (t/f), then what texts are judged by (LINT_PRACTICE_COLUMNS). Index: api_key_id_key.
SELECT k.practice_id, encode(k.secret_hash, 'hex'), p.sender, p.max_segments, 'emergency' = ANY (k.scopes),
	p.name, coalesce(p.display_name, ''), p.phone, coalesce(p.url, ''), array_to_string(p.link_domains, ' '),
	p.sensitive, p.lint_phi = 'warn', p.require_identity
FROM smsbridge.api_key k JOIN smsbridge.practice p ON p.id = k.practice_id
WHERE k.id = $1::text AND k.revoked_at IS NULL
