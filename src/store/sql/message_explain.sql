-- What there is to tell of a message, for app_explain.c. $1 practice, or null for any; $2 id. Returns text, in the
-- order of enum explain_column, or no row; times are of the patient's first zone. Indexes: message_pkey, event_message.
SELECT m.id, p.name, right(m.phone, 4), c.sentence,
	CASE WHEN c.flags = '0' THEN 'NOTICE' ELSE c.basis END, m.status, s.final, s.sentence, m.reason, r.sentence,
	r.citation, w.zone, smsbridge.told_at(m.created_at, w.zone), smsbridge.told_at(m.due_at, w.zone),
	smsbridge.told_at(m.expires_at, w.zone), smsbridge.told_at(e.sent_at, w.zone), smsbridge.told_at(e.ended_at, w.zone),
	v.data->'consent'->>'basis', v.data->'consent'->>'attested',
	smsbridge.told_at((v.data->'consent'->>'captured_at')::timestamptz, w.zone), k.method, v.data->>'pack',
	rp.citation, to_json(nullif(m.due_at, 'infinity')) #>> '{}', a.step, a.ref, smsbridge.told_at(a.visit_at, a.zone)
FROM smsbridge.message m
	LEFT JOIN smsbridge.practice p ON p.id = m.practice_id
	LEFT JOIN smsbridge.category c ON c.code = m.category
	LEFT JOIN smsbridge.status s ON s.code = m.status
	LEFT JOIN smsbridge.reason r ON r.code = m.reason
	CROSS JOIN LATERAL (SELECT coalesce(m.time_zone, nullif(split_part(m.zones, ' ', 1), ''), 'UTC') AS zone) AS w
	CROSS JOIN LATERAL (SELECT max(e.at) FILTER (WHERE e.type = 'message.sent') AS sent_at,
			max(e.at) FILTER (WHERE s.final = 'true' AND e.type = 'message.' || m.status) AS ended_at
		FROM smsbridge.event e WHERE e.message_id = m.id) AS e
	LEFT JOIN LATERAL (SELECT e.data FROM smsbridge.event e
		WHERE e.message_id = m.id AND e.data ? 'pack' ORDER BY e.xact DESC, e.id DESC LIMIT 1) AS v ON true
	LEFT JOIN smsbridge.consent k ON k.practice_id = m.practice_id AND k.id::text = v.data->'consent'->>'id'
	LEFT JOIN LATERAL (SELECT e.data->>'step' AS step, e.data->>'ref' AS ref,
			(e.data->>'visit_at')::timestamptz AS visit_at, v.location_zone AS zone
		FROM smsbridge.event e JOIN smsbridge.appointment v ON v.practice_id = m.practice_id AND v.ref = e.data->>'ref'
		WHERE e.message_id = m.id AND e.type = 'reminder.planned' LIMIT 1) AS a ON true
	LEFT JOIN smsbridge.rule_pack rp ON rp.code = v.data->>'pack'
WHERE m.id = $2::uuid AND ($1::uuid IS NULL OR m.practice_id = $1::uuid)
