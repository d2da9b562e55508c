-- Every consent that was given for a phone, ended ones too, with what each is worth now. $1 practice $2 phone $3 behind
-- this id, or null $4 how many $5 now $6 whether the caller sees phones. Returns id, JSON. Index: consent_phone.
SELECT c.id, json_build_object('id', c.id, 'phone', smsbridge.phone_shown(c.phone, $6::bool),
	'patient', nullif(c.patient, ''), 'classes', c.classes,
	'basis', c.basis, 'captured_at', c.captured_at, 'method', c.method, 'wording', c.wording,
	'wording_version', c.wording_version, 'language', c.language, 'action', c.action, 'actor', c.actor,
	'representative', nullif(c.representative, ''), 'adult_on', c.adult_on, 'campaign', nullif(c.campaign, ''),
	'ip', nullif(c.ip, ''), 'authorization_id', nullif(c.authorization_id, ''), 'created_at', c.created_at,
	'ended_at', c.ended_at, 'ended_reason', c.ended_reason, 'state', s.state, 'why', CASE s.state
		WHEN 'counts' THEN 'It counts.'
		WHEN 'ended' THEN 'It was ended.'
		WHEN 'came_of_age' THEN 'A parent gave it, and the patient has come of age since.'
		ELSE 'The phone may be somebody else''s since ' || to_char(r.stale_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI "UTC"')
			|| ' (' || r.stale_reason || '). Only a consent that was given later counts.' END)
FROM smsbridge.consent c
	LEFT JOIN smsbridge.recipient r ON r.practice_id = c.practice_id AND r.phone = c.phone
	CROSS JOIN LATERAL (SELECT smsbridge.consent_state(c, r.stale_at, $5::timestamptz) AS state) AS s
WHERE c.practice_id = $1::uuid AND c.phone = $2::text AND ($3::uuid IS NULL OR c.id > $3)
ORDER BY c.id LIMIT $4::int4
