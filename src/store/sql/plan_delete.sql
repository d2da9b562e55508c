-- Takes a plan of reminders away. $1 practice $2 kind $3 versions that may be, NULL: all $4 now $5 the API key. Returns
-- the version that there was and whether it went; no row when there was none. Index: plan_pkey.
WITH old AS (
	SELECT version FROM smsbridge.plan WHERE practice_id = $1::uuid AND kind = $2::text FOR UPDATE
), gone AS (
	DELETE FROM smsbridge.plan p USING old o WHERE p.practice_id = $1 AND p.kind = $2
		AND ($3::bigint[] IS NULL OR o.version = ANY ($3) OR -1 = ANY ($3))
	RETURNING p.version
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, data)
	SELECT $1, 'plan.deleted', $4::timestamptz, jsonb_build_object('kind', $2, 'version', version, 'key', $5::text)
	FROM gone
)
SELECT version, EXISTS (SELECT FROM gone) FROM old
