-- The text is delivered: its octets are not needed any more, their digests still are. $1 practice $2 id $3 now.
-- Indexes: inbound_long_pkey, inbound_part_pkey.
WITH emptied AS (
	UPDATE smsbridge.inbound_part SET octets = NULL WHERE practice_id = $1::uuid AND long_id = $2::uuid
)
UPDATE smsbridge.inbound_long SET closed_at = $3::timestamptz WHERE practice_id = $1 AND id = $2
