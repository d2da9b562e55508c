-- Ends a consent, once, and says so; to be run under the recipient's lock.
-- $1 practice $2 id $3 reason $4 actor $5 now. Returns id, when and why it ended, and whether it did now. No row: there
-- is none. Index: consent_pkey.
WITH ended AS (
	UPDATE smsbridge.consent SET ended_at = $5::timestamptz, ended_reason = $3::text
	WHERE practice_id = $1::uuid AND id = $2::uuid AND ended_at IS NULL
	RETURNING id, phone, patient, ended_at, ended_reason
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, phone, patient, data)
	SELECT $1, 'consent.ended', $5, phone, nullif(patient, ''), jsonb_build_object('id', id, 'reason', $3,
		'actor', $4::text) FROM ended
)
SELECT c.id, to_json(coalesce(e.ended_at, c.ended_at)) #>> '{}' AS ended_at,
	coalesce(e.ended_reason, c.ended_reason) AS ended_reason, e.id IS NOT NULL AS now
FROM smsbridge.consent c LEFT JOIN ended e ON e.id = c.id
WHERE c.practice_id = $1 AND c.id = $2
