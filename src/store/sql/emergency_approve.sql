-- A second person approves an emergency text, which is then judged again. $1 practice $2 message $3 person $4 at $5 API
-- key's id. Returns the message's status, whether it is approved now, whether it was before, and whether the person is
-- the one who ordered it; no row when there is no such emergency. Indexes: emergency_pkey, message_pkey.
WITH e AS (
	SELECT e.practice_id, e.message_id, e.approved_at IS NOT NULL AS before,
		smsbridge.same_person(e.person, $3::text) AS same, m.due_at IS NOT NULL AS waits, m.status, m.phone, m.patient
	FROM smsbridge.emergency e JOIN smsbridge.message m ON m.practice_id = e.practice_id AND m.id = e.message_id
	WHERE e.practice_id = $1::uuid AND e.message_id = $2::uuid FOR UPDATE OF e
), u AS (
	UPDATE smsbridge.emergency a SET approved_by = $3, approved_at = $4::timestamptz
	FROM e WHERE e.waits AND NOT e.same AND NOT e.before AND a.practice_id = e.practice_id AND a.message_id = e.message_id
	RETURNING a.message_id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, data)
	SELECT e.practice_id, e.message_id, 'emergency.approved', $4, e.phone, e.patient,
		jsonb_build_object('by', $3, 'key', $5::text) FROM e WHERE EXISTS (SELECT FROM u)
)
SELECT e.status, EXISTS (SELECT FROM u), e.before, e.same,
	CASE WHEN EXISTS (SELECT FROM u) THEN smsbridge.judge_again(e.practice_id, e.phone, 'emergency_unapproved') END
FROM e
