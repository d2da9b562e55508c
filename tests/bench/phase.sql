-- One phase of tests/bench/run as a JSON object. Variables: name, load (what bench_load printed), began and ended (of the
-- load, seconds since 1970), CPU seconds of the processes and of the whole machine, WAL bytes, the gateway's own accept-to-wire quantiles, batches.
-- Events are timed by recorded_at, PostgreSQL's clock. `sending` is recorded just before the commit that lets the submit
-- out, `sent` when its answer is stored: the wire lies between the two.
WITH span AS (
	SELECT to_timestamp(:began) AS began, to_timestamp(:ended) AS ended, :'load'::jsonb AS load
), e AS MATERIALIZED (
	SELECT e.message_id, e.type, e.recorded_at FROM smsbridge.event e, span
	WHERE e.recorded_at >= span.began AND e.message_id IS NOT NULL
), per_message AS (
	SELECT min(recorded_at) FILTER (WHERE type = 'message.accepted') AS accepted,
		min(recorded_at) FILTER (WHERE type = 'message.sending') AS sending,
		min(recorded_at) FILTER (WHERE type = 'message.sent') AS sent,
		min(recorded_at) FILTER (WHERE type = 'message.delivered') AS delivered
	FROM e GROUP BY message_id
), rates AS (
	SELECT extract(epoch FROM span.ended - span.began) AS took,
		count(*) FILTER (WHERE p.accepted <= span.ended) AS accepted,
		count(*) FILTER (WHERE p.sent <= span.ended) AS submitted,
		count(*) FILTER (WHERE p.delivered <= span.ended) AS delivered,
		count(*) AS messages, extract(epoch FROM max(p.delivered) - span.began) AS until_last
	FROM per_message p, span GROUP BY span.began, span.ended
), waits AS (
	SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM sending - accepted) * 1000) AS sending,
		percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM sent - accepted) * 1000) AS sent,
		percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY extract(epoch FROM delivered - accepted) * 1000) AS delivered
	FROM per_message
)
SELECT jsonb_build_object(
	'phase', :'name', 'messages', r.messages, 'seconds', round(r.took, 2), 'until_last_receipt_s', round(r.until_last, 2),
	'accepted_per_s', round(r.accepted / r.took), 'submitted_per_s', round(r.submitted / r.took),
	'delivered_per_s', round(r.delivered / r.took), 'end_to_end_per_s', round(r.messages / r.until_last),
	'accept_ms', jsonb_build_object('p50', load->'p50_ms', 'p90', load->'p90_ms', 'p99', load->'p99_ms',
		'p999', load->'p999_ms', 'max', load->'max_ms'),
	'not_accepted', (load->>'refused')::int + (load->>'unknown')::int, 'status', load->'status',
	'accept_to_wire_ms', jsonb_build_object('p50', :wire50, 'p99', :wire99, 'from', 'smsbridge_accept_to_wire_seconds'),
	'accepted_to_sending_ms', jsonb_build_object('p50', round(w.sending[1]::numeric, 2), 'p99', round(w.sending[2]::numeric, 2)),
	'accepted_to_sent_ms', jsonb_build_object('p50', round(w.sent[1]::numeric, 2), 'p99', round(w.sent[2]::numeric, 2)),
	'accepted_to_delivered_ms', jsonb_build_object('p50', round(w.delivered[1]::numeric, 2),
		'p99', round(w.delivered[2]::numeric, 2)),
	'cpu_s', jsonb_build_object('gateway', :gateway, 'smsc', :smsc, 'load', load->'cpu_s', 'postgres', :postgres,
		'others', round(:machine - :gateway - :smsc - :postgres - (load->>'cpu_s')::numeric, 2)),
	'cpu_us_per_message', jsonb_build_object('gateway', round(:gateway * 1e6 / r.messages), 'smsc', round(:smsc * 1e6 / r.messages),
		'load', round((load->>'cpu_s')::numeric * 1e6 / r.messages), 'postgres', round(:postgres * 1e6 / r.messages)),
	'wal_bytes_per_message', round(:wal::numeric / r.messages), 'batches', :'batches'::jsonb)
FROM rates r, waits w, span
