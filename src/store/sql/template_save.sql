-- Saves the next version of a template as a draft, if the practice's sender is registered for its class. $1 practice
-- $2 id $3 now $4 name $5 language $6 class $7 body $8 variables (JSON) $9 septets $10 who saves it. Returns id,
-- version, campaign, one row always; campaign NULL: not saved. Index: template_practice_id_name_language_version_key.
WITH found AS (
	SELECT smsbridge.campaign_of($1::uuid, $6::text) AS campaign, coalesce(max(version), 0) + 1 AS next
	FROM smsbridge.template WHERE practice_id = $1 AND name = $4::text AND language = $5::text
), made AS (
	INSERT INTO smsbridge.template (practice_id, id, name, language, version, category, body, variables, septets, sha256,
		saved_by, saved_at)
	SELECT $1, $2::uuid, $4, $5, next, $6, $7::text, $8::text::jsonb, $9::int4, sha256(convert_to($7, 'UTF8')), $10::text,
		$3::timestamptz FROM found WHERE campaign IS NOT NULL
	RETURNING *
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT practice_id, 'template.saved', saved_at, jsonb_build_object('template_id', id, 'name', name,
		'language', language, 'version', version, 'category', category, 'septets', septets,
		'sha256', encode(sha256, 'hex'), 'by', saved_by, 'campaign', (SELECT campaign FROM found)) FROM made
)
SELECT $2 AS id, next AS version, campaign FROM found
