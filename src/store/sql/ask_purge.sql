-- Forgets questions about messages that have ended, and that nobody wanted them. Indexes: message_pkey; ask and
-- withdrawn are small.
WITH ended AS (
	DELETE FROM smsbridge.withdrawn w USING smsbridge.message m JOIN smsbridge.status s ON s.code = m.status AND s.final
	WHERE m.practice_id = w.practice_id AND m.id = w.message_id
)
DELETE FROM smsbridge.ask a USING smsbridge.message m
WHERE m.practice_id = a.practice_id AND m.id = a.message_id AND m.status NOT IN ('sending', 'sent', 'uncertain',
	'unconfirmed')
