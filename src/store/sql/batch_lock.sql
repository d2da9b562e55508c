-- Locks batches, and behind them their broadcasts, until the transaction ends: items are put into each by one gateway
-- at a time, and none into one that is being cancelled. Arrays: $1 practice $2 batch. Indexes: batch_pkey,
-- broadcast_pkey.
WITH b AS MATERIALIZED (
	SELECT b.practice_id, b.broadcast_id FROM smsbridge.batch b
	WHERE (b.practice_id, b.id) IN (SELECT * FROM unnest($1::uuid[], $2::uuid[]))
	ORDER BY b.practice_id, b.id FOR UPDATE
)
SELECT count(*) FROM (
	SELECT FROM smsbridge.broadcast c WHERE (c.practice_id, c.id) IN (SELECT practice_id, broadcast_id FROM b)
	ORDER BY c.practice_id, c.id FOR UPDATE) AS c
