-- Changes a practice's own settings, with the event, when the version is one of those meant. $1 practice $2 now $3 by
-- whom $4 versions (etag_add) $5 display name or null $6 phone $7 URL or null $8 opening minute or null $9 closing
-- minute or null $10 lint_phi $11 two persons. Returns version, JSON; no row when it is another version. Index:
-- practice_pkey.
WITH made AS (
	UPDATE smsbridge.practice p SET display_name = $5::text, phone = $6::text, url = $7::text, open_minute = $8::int4,
		close_minute = $9::int4, lint_phi = $10::text, two_person = $11::boolean
	WHERE p.id = $1::uuid AND ($4::int8[] IS NULL OR p.settings_version = ANY ($4) OR -1 = ANY ($4))
	RETURNING p.id, p.settings_version, smsbridge.settings_json(p) AS shown, to_jsonb(p) AS row),
told AS (INSERT INTO smsbridge.event (practice_id, type, at, data) SELECT m.id, 'practice.changed', $2::timestamptz,
	jsonb_build_object('change', 'settings', 'by', $3::text, 'settings', m.row) FROM made m)
SELECT m.settings_version, m.shown FROM made m
