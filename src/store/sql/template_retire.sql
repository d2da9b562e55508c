-- Retires a template: nothing new is written with it. $1 practice $2 id $3 now $4 who $5 If-Match (api_etag.h), of the
-- states' versions 1 draft, 2 approved, 3 retired, or NULL. Returns the status before, whether it is retired now, and
-- whether $5 fitted, a row for each template of that id. Index: template_pkey.
WITH found AS (
	SELECT status, $5::int8[] IS NULL OR CASE status WHEN 'draft' THEN 1 WHEN 'approved' THEN 2 ELSE 3 END = ANY ($5)
		OR -1 = ANY ($5) AS fits
	FROM smsbridge.template WHERE practice_id = $1::uuid AND id = $2::uuid
), made AS (
	UPDATE smsbridge.template SET status = 'retired', retired_by = $4::text, retired_at = $3::timestamptz
	WHERE practice_id = $1 AND id = $2 AND status <> 'retired' AND ($5 IS NULL
		OR CASE status WHEN 'draft' THEN 1 ELSE 2 END = ANY ($5) OR -1 = ANY ($5)) RETURNING *
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT practice_id, 'template.retired', retired_at, jsonb_build_object('template_id', id, 'name', name,
		'language', language, 'version', version, 'by', retired_by) FROM made
)
SELECT found.status, EXISTS (SELECT FROM made), found.fits FROM found
