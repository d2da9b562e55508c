-- A practice's templates by name and language, newest version first. $1 practice $2 name or NULL $3 status or NULL
-- $4 how many at most $5 behind this one, or NULL. Returns id and JSON.
-- Index: template_practice_id_name_language_version_key.
SELECT id, jsonb_build_object('id', id, 'name', name, 'language', language, 'version', version, 'category', category,
	'body', body, 'variables', variables, 'septets', septets, 'status', status, 'saved_by', saved_by, 'saved_at', saved_at,
	'approved_by', approved_by, 'approved_at', approved_at, 'retired_by', retired_by, 'retired_at', retired_at)::text
FROM smsbridge.template
WHERE practice_id = $1::uuid AND ($2::text IS NULL OR name = $2) AND ($3::text IS NULL OR status = $3)
	AND ($5::uuid IS NULL OR (name, language, -version) > (SELECT t.name, t.language, -t.version
		FROM smsbridge.template t WHERE t.practice_id = $1 AND t.id = $5))
ORDER BY name, language, version DESC LIMIT $4::int4
