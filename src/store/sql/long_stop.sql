-- A part said STOP and is acted upon in this transaction: the joined text will not be. $1 practice $2 id.
-- Index: inbound_long_pkey.
UPDATE smsbridge.inbound_long SET stopped = true WHERE practice_id = $1::uuid AND id = $2::uuid
