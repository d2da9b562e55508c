-- Moves a practice's cursor and books retries, in one statement. $1 practice $2 xact $3 event id (the new cursor)
-- $4 failures $5 milliseconds until it is looked at again; arrays of retries: $6 xact $7 event id $8 attempts
-- $9 delay in ms (negative: dead); arrays of retries that are done: $10 xact $11 event id.
WITH moved AS (
	INSERT INTO smsbridge.webhook_cursor AS c (practice_id, xact, event_id, failures, next_at)
	VALUES ($1::uuid, $2::text::xid8, $3::int8, $4::int4, clock_timestamp() + $5::int8 * interval '1 millisecond')
	ON CONFLICT (practice_id) DO UPDATE SET xact = excluded.xact, event_id = excluded.event_id,
		failures = excluded.failures, next_at = excluded.next_at
), done AS (
	DELETE FROM smsbridge.webhook_retry t USING unnest($10::text[], $11::int8[]) AS d(xact, event_id)
	WHERE t.practice_id = $1 AND t.xact = d.xact::xid8 AND t.event_id = d.event_id
)
INSERT INTO smsbridge.webhook_retry (practice_id, xact, event_id, attempts, next_at, dead_at)
SELECT $1, r.xact::xid8, r.event_id, r.attempts, clock_timestamp() + greatest(r.delay, 0) * interval '1 millisecond',
	CASE WHEN r.delay < 0 THEN clock_timestamp() END
FROM unnest($6::text[], $7::int8[], $8::int4[], $9::int8[]) AS r(xact, event_id, attempts, delay)
ON CONFLICT (practice_id, xact, event_id) DO UPDATE SET attempts = excluded.attempts, next_at = excluded.next_at,
	dead_at = excluded.dead_at
