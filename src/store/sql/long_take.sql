-- The parts of a text that has waited long enough; nothing when it was completed, closed or touched meanwhile. To be
-- run under the recipient's lock. $1 practice $2 id $3 last touched by then. Returns as part_store.sql, every part.
-- Indexes: inbound_long_pkey, inbound_part_pkey.
SELECT l.id, l.stopped, false, p.part, encode(p.octets, 'hex'), p.data_coding, p.locking, p.single, p.header_octets
FROM smsbridge.inbound_long l JOIN smsbridge.inbound_part p ON p.practice_id = l.practice_id AND p.long_id = l.id
WHERE l.practice_id = $1::uuid AND l.id = $2::uuid AND l.closed_at IS NULL AND l.touched_at <= $3::timestamptz
ORDER BY p.part FOR UPDATE OF l SKIP LOCKED
