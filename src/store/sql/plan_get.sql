-- A practice's plan of reminders for a kind. $1 practice $2 kind. Returns version and JSON, or no row. Index:
-- plan_pkey.
SELECT version, jsonb_build_object('kind', kind, 'version', version, 'steps', steps, 'saved_by', saved_by,
	'saved_at', saved_at)::text
FROM smsbridge.plan WHERE practice_id = $1::uuid AND kind = $2::text
