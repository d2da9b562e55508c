-- A page of a practice's people, disabled ones too, oldest first. $1 practice $2 behind this id, or null $3 how many.
-- Returns id, JSON. Index: person_pkey.
SELECT p.id, json_build_object('id', p.id, 'name', p.name, 'role', p.role, 'created_at', p.created_at,
	'created_by', p.created_by, 'disabled_at', p.disabled_at, 'disabled_by', p.disabled_by)
FROM smsbridge.person p WHERE p.practice_id = $1::uuid AND ($2::text::uuid IS NULL OR p.id > $2::text::uuid)
ORDER BY p.id LIMIT $3::int4
