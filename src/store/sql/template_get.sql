-- The template to write a message with: by id, or the newest approved version of a name in a language. $1 practice
-- $2 id or NULL $3 name or NULL $4 language. Returns id, version, status, language, class, body, variables (JSON),
-- whether the sender is registered for the class. Index: template_pkey, template_practice_id_name_language_version_key.
SELECT id, version, status, language, category, body, variables::text,
	smsbridge.campaign_of(practice_id, category) IS NOT NULL
FROM smsbridge.template
WHERE practice_id = $1::uuid AND (id = $2::uuid OR (name = $3::text AND language = $4::text AND status = 'approved'))
ORDER BY version DESC LIMIT 1
