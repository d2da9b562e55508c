-- Locks what tells how far senders are ahead of their rates, and returns it in order, in microseconds. $1 senders,
-- without repeats; $2 now, for who has none yet. Rows are locked by name, so that gateways never wait for each other
-- in a ring; always behind ceilings. Index: sender_pace_pkey.
WITH k AS (
	SELECT * FROM unnest($1::text[]) WITH ORDINALITY AS k(sender, ord)
), locked AS (
	INSERT INTO smsbridge.sender_pace AS p (sender, next_at)
	SELECT sender, $2::timestamptz FROM k ORDER BY sender
	ON CONFLICT (sender) DO UPDATE SET next_at = p.next_at
	RETURNING sender, next_at
)
SELECT (extract(epoch FROM l.next_at) * 1000000)::bigint FROM k JOIN locked l ON l.sender = k.sender ORDER BY k.ord
