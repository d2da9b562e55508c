-- One message as the API shows it. $1 practice, $2 id, $3 whether the caller sees phones,
-- $4 and texts. Returns JSON or no row. Indexes: message_pkey, event_message, ask_pkey.
SELECT json_build_object(
	'id', m.id, 'status', m.status,
	'reason', CASE WHEN m.reason IS NOT NULL THEN json_build_object('code', m.reason, 'sentence', r.sentence,
		'citation', r.citation) END,
	'patient', m.patient, 'phone', smsbridge.phone_shown(m.phone, $3::bool),
	'time_zone', m.time_zone, 'zones', string_to_array(m.zones, ' '),
	'body', CASE WHEN m.redacted_at IS NULL AND $4::bool THEN m.body END,
	'redacted_at', m.redacted_at, 'encoding', m.encoding,
	'characters', m.characters, 'segments', m.segments, 'category', m.category,
	'states', string_to_array(m.states, ' '), 'phi', m.phi, 'answers', m.answers,
	'priority', (ARRAY['urgent', 'normal', 'low'])[m.priority + 1],
	'send_at', m.send_at, 'expires_at', m.expires_at, 'due_at', nullif(m.due_at, 'infinity'),
	'discard', m.discard, 'recalling', EXISTS (SELECT FROM smsbridge.ask a
		WHERE a.practice_id = m.practice_id AND a.message_id = m.id AND a.kind = 'cancel'),
	'trace', m.trace, 'reference', m.reference, 'carrier', m.carrier, 'carrier_message_id', m.carrier_message_id,
	'created_at', m.created_at, 'updated_at', m.updated_at,
	'timeline', coalesce((SELECT json_agg(json_build_object('type', e.type, 'at', e.at, 'reason', e.reason,
			'sentence', coalesce(er.sentence, t.sentence)) ORDER BY e.xact, e.id)
		FROM smsbridge.event e LEFT JOIN smsbridge.event_type t ON t.code = e.type
			LEFT JOIN smsbridge.reason er ON er.code = e.reason
		WHERE e.message_id = m.id), '[]'))
FROM smsbridge.message m LEFT JOIN smsbridge.reason r ON r.code = m.reason
WHERE m.practice_id = $1::uuid AND m.id = $2::uuid
