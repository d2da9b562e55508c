-- Writes verdicts and their events. $1 now, $2 instance; arrays: $3 practice $4 id $5 status $6 reason $7 due_at
-- $8 counted_at $9 carrier $10 event type ('': none, it waits on as before) $11 facts (JSON). Index: message_pkey.
WITH v AS (
	SELECT * FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[],
		$10::text[], $11::text[]) AS v(practice_id, id, status, reason, due_at, counted_at, carrier, type, facts)
), u AS (
	UPDATE smsbridge.message m SET status = v.status, reason = v.reason, due_at = v.due_at, counted_at = v.counted_at,
		carrier = coalesce(v.carrier, m.carrier), instance = $2::uuid, updated_at = $1::timestamptz
	FROM v WHERE m.practice_id = v.practice_id AND m.id = v.id
	RETURNING m.practice_id, m.id, m.phone, m.patient, v.type, v.reason, v.facts
)
INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, patient, reason, data)
SELECT practice_id, id, type, $1, phone, patient, reason, facts::jsonb FROM u WHERE type <> ''
