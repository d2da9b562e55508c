-- A page of a practice's keys, revoked ones too, oldest first. $1 practice $2 behind this id, or null $3 how many.
-- Returns id, JSON. Index: api_key_pkey.
SELECT k.id, json_build_object('id', k.id, 'kind', k.kind, 'label', k.label, 'scopes', k.scopes,
	'person_id', k.person_id, 'person', p.name, 'role', p.role, 'expires_at', k.expires_at,
	'networks', CASE k.networks WHEN '' THEN '{}'::text[] ELSE string_to_array(k.networks, ' ') END,
	'certificate', nullif(k.certificate, ''), 'jwks_url', k.jwks_url, 'created_at', k.created_at,
	'created_by', nullif(k.created_by, ''), 'used_at', k.used_at, 'used_from', k.used_from,
	'revoked_at', k.revoked_at, 'revoked_by', k.revoked_by)
FROM smsbridge.api_key k LEFT JOIN smsbridge.person p ON p.practice_id = k.practice_id AND p.id = k.person_id
WHERE k.practice_id = $1::uuid AND ($2::text IS NULL OR (k.created_at, k.id) > (SELECT x.created_at, x.id
	FROM smsbridge.api_key x WHERE x.practice_id = $1 AND x.id = $2))
ORDER BY k.created_at, k.id LIMIT $3::int4
