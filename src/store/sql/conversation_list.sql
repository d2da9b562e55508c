-- Conversations, the one in which something was said last first. $1 practice $2 of this phone, or null $3 of this
-- patient, or null $4 open (t), closed (f) or null $5, $6 behind this place, or null $7 the caller sees phones $8 and
-- texts $9 how many. Returns the place for the next page, JSON. Indexes: conversation_newest, conversation_pkey.
SELECT (extract(epoch FROM c.last_at) * 1000000)::bigint || '_' || c.id,
	smsbridge.conversation_json(c, $7::boolean, $8::boolean)::text
FROM smsbridge.conversation c
WHERE c.practice_id = $1::uuid AND ($2::text IS NULL OR c.phone = $2) AND ($3::text IS NULL OR c.patient = $3)
	AND ($4::boolean IS NULL OR (c.closed_at IS NULL) = $4)
	AND ($5::int8 IS NULL OR (c.last_at, c.id) < ('epoch'::timestamptz + $5 * interval '1 microsecond', $6::uuid))
ORDER BY c.last_at DESC, c.id DESC LIMIT $9::int4
