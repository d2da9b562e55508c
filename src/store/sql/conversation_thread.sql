-- What was said in a conversation, oldest first: the phone's texts and what was sent to it, or waits to be; of the
-- words what retention has left. $1 practice $2 its id $3, $4 behind this place, or null $5 the caller sees texts
-- $6 how many. Returns the place for the next page, JSON.
-- Indexes: conversation_practice_id_id_key, inbound_phone, message_phone, message_waiting, message_answer.
WITH c AS MATERIALIZED (
	SELECT practice_id, phone,
		coalesce('epoch'::timestamptz + $3::int8 * interval '1 microsecond', '-infinity') AS after_at,
		coalesce($4::uuid, '00000000-0000-0000-0000-000000000000') AS after_id
	FROM smsbridge.conversation WHERE practice_id = $1::uuid AND id = $2::uuid
), said AS (
	(SELECT i.received_at AS at, i.id, json_build_object('id', i.id, 'direction', 'in', 'at', i.received_at,
		'text', CASE WHEN $5::boolean AND i.redacted_at IS NULL THEN i.body END, 'redacted', i.redacted_at IS NOT NULL,
		'taken_as', i.taken_as, 'appointments', i.appointments) AS item
	FROM c JOIN smsbridge.inbound i ON i.practice_id = c.practice_id AND i.phone = c.phone
		AND i.received_at >= c.after_at AND (i.received_at, i.id) > (c.after_at, c.after_id)
	ORDER BY i.received_at, i.id LIMIT $6::int4)
	UNION ALL
	SELECT m.at, m.id, json_build_object('id', m.id, 'direction', 'out', 'at', m.at,
		'text', CASE WHEN $5 AND m.redacted_at IS NULL THEN m.body END, 'redacted', m.redacted_at IS NOT NULL,
		'category', m.category, 'status', m.status, 'reason', m.reason, 'person', m.person, 'answers', m.answers)
	FROM c CROSS JOIN LATERAL (
		(SELECT m.counted_at AS at, m.* FROM smsbridge.message m
		WHERE m.practice_id = c.practice_id AND m.phone = c.phone AND m.counted_at >= c.after_at
			AND (m.counted_at, m.id) > (c.after_at, c.after_id)
		ORDER BY m.counted_at, m.id LIMIT $6)
		UNION ALL
		(SELECT m.created_at, m.* FROM smsbridge.message m
		WHERE m.practice_id = c.practice_id AND m.phone = c.phone AND m.created_at >= c.after_at
			AND m.category IN ('conversational_reply', 'opt_out_confirmation', 'resume_confirmation', 'help_reply')
			AND m.counted_at IS NULL AND (m.created_at, m.id) > (c.after_at, c.after_id)
		ORDER BY m.created_at, m.id LIMIT $6)
		UNION ALL
		(SELECT m.created_at, m.* FROM smsbridge.message m
		WHERE m.practice_id = c.practice_id AND m.phone = c.phone AND m.due_at IS NOT NULL AND m.counted_at IS NULL
			AND m.category NOT IN ('conversational_reply', 'opt_out_confirmation', 'resume_confirmation', 'help_reply')
			AND (m.created_at, m.id) > (c.after_at, c.after_id)
		ORDER BY m.created_at, m.id LIMIT $6)) AS m
)
SELECT (extract(epoch FROM at) * 1000000)::bigint || '_' || id, item::text FROM said ORDER BY at, id LIMIT $6
