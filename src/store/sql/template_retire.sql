-- Retires a template: nothing new is written with it. $1 practice $2 id $3 now $4 who. Returns the status before and
-- whether it is retired now, a row for each template of that id. Index: template_pkey.
WITH found AS (
	SELECT status FROM smsbridge.template WHERE practice_id = $1::uuid AND id = $2::uuid
), made AS (
	UPDATE smsbridge.template SET status = 'retired', retired_by = $4::text, retired_at = $3::timestamptz
	WHERE practice_id = $1 AND id = $2 AND status <> 'retired' RETURNING *
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT practice_id, 'template.retired', retired_at, jsonb_build_object('template_id', id, 'name', name,
		'language', language, 'version', version, 'by', retired_by) FROM made
)
SELECT found.status, EXISTS (SELECT FROM made) FROM found
