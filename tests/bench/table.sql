-- The table of tests/bench/run from its JSON object (variable report).
WITH r AS (SELECT :'report'::jsonb AS r), p AS (SELECT r->'full' AS a, r->'fixed' AS b, r FROM r)
SELECT t.what AS " ", coalesce(t.full_speed, '') AS "full speed", coalesce(t.fixed_rate, '') AS "fixed rate"
FROM p, LATERAL (VALUES
	('messages', p.a->>'messages', p.b->>'messages'),
	('accepted/s', p.a->>'accepted_per_s', p.b->>'accepted_per_s'),
	('submitted/s, same seconds', p.a->>'submitted_per_s', p.b->>'submitted_per_s'),
	('delivered/s, same seconds', p.a->>'delivered_per_s', p.b->>'delivered_per_s'),
	('end to end/s, to the last receipt', p.a->>'end_to_end_per_s', p.b->>'end_to_end_per_s'),
	('accept ms p50 / p99', (p.a#>>'{accept_ms,p50}') || ' / ' || (p.a#>>'{accept_ms,p99}'),
		(p.b#>>'{accept_ms,p50}') || ' / ' || (p.b#>>'{accept_ms,p99}')),
	('accept to wire ms p50 / p99 (metric)', (p.a#>>'{accept_to_wire_ms,p50}') || ' / ' || (p.a#>>'{accept_to_wire_ms,p99}'),
		(p.b#>>'{accept_to_wire_ms,p50}') || ' / ' || (p.b#>>'{accept_to_wire_ms,p99}')),
	('accepted to sending ms p50 / p99 (events)',
		(p.a#>>'{accepted_to_sending_ms,p50}') || ' / ' || (p.a#>>'{accepted_to_sending_ms,p99}'),
		(p.b#>>'{accepted_to_sending_ms,p50}') || ' / ' || (p.b#>>'{accepted_to_sending_ms,p99}')),
	('accepted to delivered ms p50 / p99 (events)',
		(p.a#>>'{accepted_to_delivered_ms,p50}') || ' / ' || (p.a#>>'{accepted_to_delivered_ms,p99}'),
		(p.b#>>'{accepted_to_delivered_ms,p50}') || ' / ' || (p.b#>>'{accepted_to_delivered_ms,p99}')),
	('CPU us/message: gateway', p.a#>>'{cpu_us_per_message,gateway}', p.b#>>'{cpu_us_per_message,gateway}'),
	('CPU us/message: PostgreSQL', p.a#>>'{cpu_us_per_message,postgres}', p.b#>>'{cpu_us_per_message,postgres}'),
	('CPU us/message: carrier', p.a#>>'{cpu_us_per_message,smsc}', p.b#>>'{cpu_us_per_message,smsc}'),
	('CPU us/message: load', p.a#>>'{cpu_us_per_message,load}', p.b#>>'{cpu_us_per_message,load}'),
	('CPU seconds of others on this machine', p.a#>>'{cpu_s,others}', p.b#>>'{cpu_s,others}'),
	('WAL bytes/message', p.a->>'wal_bytes_per_message', p.b->>'wal_bytes_per_message'),
	('peak MB: gateway / carrier', ((p.r#>>'{peak_rss_kb,gateway}')::int / 1024) || ' / ' || ((p.r#>>'{peak_rss_kb,smsc}')::int / 1024), ''),
	('peak MB: PostgreSQL / load', ((p.r#>>'{peak_rss_kb,postgres_pss}')::int / 1024) || ' / ' || ((p.r#>>'{peak_rss_kb,load}')::int / 1024), '')
) AS t(what, full_speed, fixed_rate)
