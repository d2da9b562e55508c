-- Empties the variables of visits that lie further back than their practice keeps texts; what a legal hold covers is
-- left alone. $1 now $2 at most so many. Returns how many. Index: appointment_variables.
WITH due AS (
	SELECT a.* FROM smsbridge.practice p CROSS JOIN LATERAL (
		SELECT a.practice_id, a.ref FROM smsbridge.appointment a
		WHERE a.practice_id = p.id AND a.variables <> '{}'
			AND a.starts_at <= $1::timestamptz - make_interval(days => p.retention_days)
			AND a.updated_at <= $1 - make_interval(days => p.retention_days)
			AND NOT smsbridge.held(a.practice_id, a.phone, a.patient)
		ORDER BY a.starts_at LIMIT $2::int4 FOR UPDATE SKIP LOCKED) AS a
	LIMIT $2
), gone AS (
	UPDATE smsbridge.appointment a SET variables = '{}', version = a.version + 1, updated_at = $1
	FROM due WHERE a.practice_id = due.practice_id AND a.ref = due.ref
	RETURNING 1
)
SELECT count(*) FROM gone
