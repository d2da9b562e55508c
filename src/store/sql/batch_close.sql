-- The upload has brought all items: $1 now $2 practice $3 batch $4 upload $5 how many. Returns items, accepted, refused
-- when these are all that the batch has; no row when there are others, or another upload brings it. Index: batch_pkey.
UPDATE smsbridge.batch b SET state = CASE b.state WHEN 'receiving' THEN 'received' ELSE b.state END,
	received_at = coalesce(b.received_at, $1::timestamptz), upload = NULL
WHERE b.practice_id = $2::uuid AND b.id = $3::uuid AND b.upload = $4::uuid AND b.items = $5::int4
RETURNING b.items, b.accepted, b.refused
