-- A phone can be reached again: what waits because its carrier could not take it just then goes now. $1 phone, $2 the
-- sender's spellings, $3 now. Indexes: practice_sender_key, message_waiting.
UPDATE smsbridge.message m SET due_at = $3::timestamptz
FROM smsbridge.practice p
WHERE p.sender = ANY ($2::text[]) AND m.practice_id = p.id AND m.phone = $1::text AND m.due_at > $3
	AND m.status = 'held' AND m.reason IN ('carrier_temporary', 'carrier_throttled')
