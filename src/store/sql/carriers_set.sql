-- Says what carriers take. Arrays: $1 name $2 query $3 query_after in seconds $4 cancel $5 replace; $6 now. Index:
-- carrier_pkey.
INSERT INTO smsbridge.carrier (name, query, query_after, cancel, replace, updated_at)
SELECT v.name, v.query, make_interval(secs => v.query_after), v.cancel, v.replace, $6::timestamptz
FROM unnest($1::text[], $2::bool[], $3::int8[], $4::bool[], $5::bool[]) AS v(name, query, query_after, cancel, replace)
ORDER BY v.name
ON CONFLICT (name) DO UPDATE SET query = excluded.query, query_after = excluded.query_after, cancel = excluded.cancel,
	replace = excluded.replace, updated_at = excluded.updated_at
