-- A practice's broadcasts, oldest first, without their progress. $1 practice $2 behind this id or NULL $3 limit + 1.
-- Returns id, JSON. Index: broadcast_pkey.
SELECT b.id, smsbridge.broadcast_json(b) FROM smsbridge.broadcast b
WHERE b.practice_id = $1::uuid AND ($2::uuid IS NULL OR b.id > $2) ORDER BY b.id LIMIT $3::int4
