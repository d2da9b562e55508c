-- Locks the day counters of senders and brands and returns what each has used, in order. Arrays, without repeats:
-- $1 kind $2 name $3 day (YYYY-MM-DD). Rows are locked by name, so that gateways never wait for each other in a ring.
-- Index: ceiling_day_pkey.
WITH k AS (
	SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k(kind, name, day, ord)
), locked AS (
	INSERT INTO smsbridge.ceiling_day AS c (kind, name, day, used)
	SELECT kind, name, day::date, 0 FROM k ORDER BY kind, name, day
	ON CONFLICT (kind, name, day) DO UPDATE SET used = c.used
	RETURNING kind, name, day, used
)
SELECT l.used FROM k JOIN locked l ON l.kind = k.kind AND l.name = k.name AND l.day = k.day::date ORDER BY k.ord
