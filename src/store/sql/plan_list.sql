-- A practice's plans of reminders. $1 practice $2 how many at most. Returns version and JSON. Index: plan_pkey.
SELECT version, jsonb_build_object('kind', kind, 'version', version, 'steps', steps, 'saved_by', saved_by,
	'saved_at', saved_at)::text
FROM smsbridge.plan WHERE practice_id = $1::uuid ORDER BY kind LIMIT $2::int4
