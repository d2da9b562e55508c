-- A practice's templates, newest version first. $1 practice $2 name or NULL $3 status or NULL $4 how many at most.
-- Returns each as JSON. Index: template_practice_id_name_language_version_key.
SELECT jsonb_build_object('id', id, 'name', name, 'language', language, 'version', version, 'category', category,
	'body', body, 'variables', variables, 'septets', septets, 'status', status, 'saved_by', saved_by, 'saved_at', saved_at,
	'approved_by', approved_by, 'approved_at', approved_at, 'retired_by', retired_by, 'retired_at', retired_at)::text
FROM smsbridge.template
WHERE practice_id = $1::uuid AND ($2::text IS NULL OR name = $2) AND ($3::text IS NULL OR status = $3)
ORDER BY name, language, version DESC LIMIT $4::int4
