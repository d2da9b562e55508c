-- Whom a text is for. $1 the number in its two spellings, with and without the plus sign $2 the phone that texts
-- $3 with every other practice where something waits for that phone (t/f).
-- Returns practice id, name for patients, phone, sender, and whether it has that number. First the one that texted this
-- phone last from it, else the oldest; then those that share the number; then the others. Indexes: practice_sender,
-- message_phone, message_waiting.
SELECT p.id, coalesce(p.display_name, p.name), p.phone, p.sender, p.sender = ANY ($1::text[]) AS has
FROM smsbridge.practice p
WHERE p.sender = ANY ($1) OR ($3::boolean AND EXISTS (SELECT FROM smsbridge.message m
	WHERE m.practice_id = p.id AND m.phone = $2::text AND m.due_at IS NOT NULL))
ORDER BY has DESC, CASE WHEN p.sender = ANY ($1) THEN (SELECT max(m.counted_at) FROM smsbridge.message m
	WHERE m.practice_id = p.id AND m.phone = $2 AND m.counted_at IS NOT NULL AND m.sender = p.sender) END
	DESC NULLS LAST, p.created_at, p.id
LIMIT 512
