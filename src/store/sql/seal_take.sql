-- Numbers the next events and makes their seal: those behind the last one, in the order (xact, id), of transactions
-- that no running one can still precede. $1 now $2 key that will sign, NULL for none $3 how many at most. Only under
-- the lock of seal_begin.sql. Returns the seal's number, how many events and the statement to sign; no row: nothing is
-- there. Indexes: seal_pkey, event_order.
WITH before AS (
	SELECT coalesce(max(b.number), 0) AS number, coalesce(max(b.last), 0) AS last FROM (
		SELECT number, last FROM smsbridge.seal ORDER BY number DESC LIMIT 1) AS b
), place AS (
	SELECT xact, event_id, head FROM smsbridge.seal ORDER BY number DESC LIMIT 1
), taken AS MATERIALIZED (
	SELECT b.last + row_number() OVER (ORDER BY t.xact, t.id, t.practice_id, t.at) AS number, t.*
	FROM before b, (
		SELECT e.practice_id, e.xact, e.id, e.at, e.type, sha256(convert_to(smsbridge.event_text(e.practice_id, e.xact, e.id,
			e.message_id, e.type, e.at, e.recorded_at, e.phone, e.patient, e.reason, e.data), 'UTF8')) AS hash
		FROM smsbridge.event e
		WHERE (e.xact, e.id) > (coalesce((SELECT xact FROM place), '0'::xid8), coalesce((SELECT event_id FROM place), 0))
			AND e.xact < pg_snapshot_xmin(pg_current_snapshot())
		ORDER BY e.xact, e.id LIMIT $3::int4) AS t
), batch AS MATERIALIZED (
	SELECT b.number + 1 AS number, count(*) AS events, min(t.number) AS first, max(t.number) AS last,
		(array_agg(t.xact ORDER BY t.number DESC))[1] AS xact, (array_agg(t.id ORDER BY t.number DESC))[1] AS event_id,
		min(t.at) AS earliest, max(t.at) AS latest,
		sha256(convert_to(string_agg(smsbridge.seal_line(t.hash, t.number, t.practice_id, t.xact, t.id, t.at, t.type)
			|| E'\n', '' ORDER BY t.number), 'UTF8')) AS digest,
		coalesce((SELECT head FROM place), decode(repeat('00', 32), 'hex')) AS previous,
		array_agg(t.hash ORDER BY t.number) AS hashes, array_agg(t.practice_id ORDER BY t.number) AS practices,
		array_agg(t.xact ORDER BY t.number) AS xacts, array_agg(t.id ORDER BY t.number) AS ids,
		array_agg(t.at ORDER BY t.number) AS times, array_agg(t.type ORDER BY t.number) AS types
	FROM before b JOIN taken t ON true GROUP BY b.number
), listed AS (
	INSERT INTO smsbridge.seal_list (seal, hashes, practices, xacts, ids, times, types)
	SELECT number, hashes, practices, xacts, ids, times, types FROM batch
), stated AS MATERIALIZED (
	SELECT b.*, smsbridge.seal_text(b.number, b.first, b.last, b.earliest, b.latest, b.digest, b.previous, $1::timestamptz,
		$2::int4) AS statement FROM batch b
), sealed AS (
	INSERT INTO smsbridge.seal (number, first, last, xact, event_id, earliest, latest, digest, previous, head, at, key)
	SELECT number, first, last, xact, event_id, earliest, latest, digest, previous, sha256(convert_to(statement, 'UTF8')),
		$1,
		$2 FROM stated
)
SELECT number, events, statement FROM stated
