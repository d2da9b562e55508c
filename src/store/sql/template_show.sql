-- One template. $1 practice $2 id. Returns the version of its state (its words never change: 1 draft, 2 approved,
-- 3 retired) and it as JSON, or no row. Index: template_pkey.
SELECT CASE status WHEN 'draft' THEN 1 WHEN 'approved' THEN 2 ELSE 3 END::int8,
	jsonb_build_object('id', id, 'name', name, 'language', language, 'version', version, 'category', category,
	'body', body, 'variables', variables, 'septets', septets, 'status', status, 'saved_by', saved_by, 'saved_at', saved_at,
	'approved_by', approved_by, 'approved_at', approved_at, 'retired_by', retired_by, 'retired_at', retired_at)::text
FROM smsbridge.template WHERE practice_id = $1::uuid AND id = $2::uuid
