-- Forgets questions about messages that have ended. Indexes: message_pkey; ask is small.
DELETE FROM smsbridge.ask a USING smsbridge.message m
WHERE m.practice_id = a.practice_id AND m.id = a.message_id AND m.status NOT IN ('sending', 'sent', 'uncertain',
	'unconfirmed')
