-- Texts that have waited long enough for the rest of their parts; what another gateway has in hand is skipped.
-- $1 last touched by then $2 how many. Returns practice, id, carrier, phone, sender, total. Index: inbound_long_open.
SELECT practice_id, id, carrier, phone, sender, total FROM smsbridge.inbound_long
WHERE closed_at IS NULL AND touched_at <= $1::timestamptz
ORDER BY touched_at LIMIT $2::int4 FOR UPDATE SKIP LOCKED
