-- Lets go what the pace of each broadcast allows, and settles what was cancelled, has expired or is done. $1 now
-- $2 how many messages to end at most. Returns how many were let go, and how many ended. Indexes: broadcast_live,
-- batch_canceling, message_broadcast_waiting, message_batch_waiting.
SELECT smsbridge.broadcast_release($1::timestamptz), smsbridge.broadcast_settle($1, $2::int4)
