-- Writes what became of submits: answers, time-outs, proven non-sends. A message that has moved on keeps its status
-- and gets a message.news event instead. Rows are locked in the order of their keys. What is held without a due_at
-- keeps its place in the queue: the carrier was too busy for it, not it wrong (trap 21).
-- Arrays: $1 practice $2 id $3 status $4 reason $5 due_at $6 refund (bool: it never left) $7 carrier_message_id $8
-- event type $9 data (JSON) $10 at; arrays that may be empty, then null for all: $11 refused for a passing reason
-- (bool) $12 the carrier's word. Returns, for each with a word: ordinal (0-based), practice, message, phone, sender,
-- body (of spam only), when it was submitted (microseconds or null). Index: message_pkey.
WITH v AS (
	SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::timestamptz[], $6::bool[], $7::text[],
		$8::text[], $9::text[], $10::timestamptz[], $11::bool[], $12::text[]) WITH ORDINALITY
		AS v(practice_id, id, status, reason, due_at, refund, carrier_message_id, type, data, at, passing, word, ord)
), old AS (
	SELECT v.*, m.status = 'uncertain' AS was_uncertain,
		m.status IN ('sending', 'uncertain') AND (m.status = 'sending' OR v.status IN ('sent', 'failed')) AS moves
	FROM v JOIN smsbridge.message m ON m.practice_id = v.practice_id AND m.id = v.id
	ORDER BY m.practice_id, m.id FOR UPDATE OF m
), u AS (
	UPDATE smsbridge.message m SET
		status = CASE WHEN o.moves THEN o.status ELSE m.status END,
		reason = CASE WHEN o.moves THEN o.reason ELSE m.reason END,
		due_at = CASE WHEN NOT o.moves THEN m.due_at WHEN o.status = 'held'
			THEN least(coalesce(o.due_at, m.send_at, m.created_at), m.expires_at) ELSE o.due_at END,
		counted_at = CASE WHEN o.moves AND o.refund THEN NULL ELSE m.counted_at END,
		attempts = m.attempts + CASE WHEN o.moves AND o.refund
			AND NOT (o.reason = 'carrier_throttled' AND o.due_at IS NULL) THEN 1 ELSE 0 END,
		refusals = CASE WHEN o.moves AND o.passing THEN m.refusals + 1 ELSE m.refusals END,
		carrier_message_id = coalesce(m.carrier_message_id, o.carrier_message_id),
		updated_at = o.at
	FROM old o WHERE m.practice_id = o.practice_id AND m.id = o.id
	RETURNING m.practice_id, m.id, o.moves, o.was_uncertain, o.type, o.reason, o.data, o.at
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason, data)
	SELECT practice_id, id, CASE WHEN moves THEN type ELSE 'message.news' END, at,
		CASE WHEN moves AND was_uncertain THEN coalesce(reason, 'late_news') ELSE reason END, data::jsonb FROM u
)
SELECT o.ord - 1, m.practice_id, m.id, m.phone, m.sender, CASE WHEN o.word = 'spam' THEN m.body END,
	(extract(epoch FROM m.counted_at) * 1000000)::bigint
FROM old o JOIN smsbridge.message m ON m.practice_id = o.practice_id AND m.id = o.id
WHERE o.word <> ''
