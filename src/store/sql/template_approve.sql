-- Approves a draft. Where the practice asks for two persons, not by the one who saved it. $1 practice $2 id $3 now
-- $4 who $5 If-Match (api_etag.h), of the states' versions 1 draft, 2 approved, 3 retired, or NULL. Returns the status
-- before, whether it is approved now, and whether $5 fitted, a row for each template of that id; two persons' names are
-- compared without case and outer blanks. Index: template_pkey.
WITH found AS (
	SELECT t.status, t.status = 'draft' AND NOT (p.two_person AND smsbridge.same_person(t.saved_by, $4::text)) AS may,
		$5::int8[] IS NULL OR CASE t.status WHEN 'draft' THEN 1 WHEN 'approved' THEN 2 ELSE 3 END = ANY ($5)
			OR -1 = ANY ($5) AS fits
	FROM smsbridge.template t JOIN smsbridge.practice p ON p.id = t.practice_id
	WHERE t.practice_id = $1::uuid AND t.id = $2::uuid
), made AS (
	UPDATE smsbridge.template SET status = 'approved', approved_by = $4, approved_at = $3::timestamptz
	WHERE practice_id = $1 AND id = $2 AND status = 'draft' AND (SELECT may AND fits FROM found) RETURNING *
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT practice_id, 'template.approved', approved_at, jsonb_build_object('template_id', id, 'name', name,
		'language', language, 'version', version, 'by', approved_by) FROM made
)
SELECT found.status, EXISTS (SELECT FROM made), found.fits FROM found
