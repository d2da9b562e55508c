-- Adds to day counters; takes off what is negative. Arrays, without repeats: $1 kind $2 name $3 day (YYYY-MM-DD) $4
-- segments. Rows are locked by name, as ceilings does; joined by key, because a row that another process changed while
-- we waited for it has moved. Index: ceiling_day_pkey.
WITH k AS MATERIALIZED (
	SELECT c.kind, c.name, c.day, v.segments
	FROM unnest($1::text[], $2::text[], $3::text[], $4::int4[]) AS v(kind, name, day, segments)
	JOIN smsbridge.ceiling_day c ON c.kind = v.kind AND c.name = v.name AND c.day = v.day::date
	ORDER BY c.kind, c.name, c.day FOR UPDATE OF c
)
UPDATE smsbridge.ceiling_day c SET used = greatest(0, c.used + k.segments) FROM k
WHERE c.kind = k.kind AND c.name = k.name AND c.day = k.day
