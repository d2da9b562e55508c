-- Asks for the state of what a carrier that takes query_sm has not reported on in time: sent, or uncertain with an id.
-- An id that several patients share (submit_multi) is not asked for: the answer would not say whose state it is.
-- $1 now. At most 500 at a time. Indexes: message_open, ask_pkey, message_carrier.
INSERT INTO smsbridge.ask (practice_id, message_id, kind, carrier, reason, due_at)
SELECT m.practice_id, m.id, 'query', m.carrier, 'receipt_missing', $1::timestamptz
FROM smsbridge.carrier c JOIN smsbridge.message m ON m.carrier = c.name
WHERE c.query AND m.status IN ('sent', 'uncertain') AND m.counted_at < $1 - c.query_after
	AND m.carrier_message_id IS NOT NULL AND NOT EXISTS (SELECT FROM smsbridge.message s WHERE s.carrier = m.carrier
			AND smsbridge.id_key(s.carrier_message_id) = smsbridge.id_key(m.carrier_message_id) AND s.id <> m.id)
	AND NOT EXISTS (SELECT FROM smsbridge.ask a
		WHERE a.practice_id = m.practice_id AND a.message_id = m.id AND a.kind = 'query')
LIMIT 500
ON CONFLICT DO NOTHING
