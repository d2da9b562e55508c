-- A batch and how far it is. $1 practice $2 id. Returns JSON or no row. Indexes: batch_pkey, message_batch.
SELECT jsonb_build_object('id', b.id, 'state', b.state, 'broadcast', b.broadcast_id, 'items', b.items,
	'accepted', b.accepted, 'refused', b.refused, 'created_at', b.created_at, 'received_at', b.received_at,
	'messages', smsbridge.batch_counts(b.practice_id, b.id))
FROM smsbridge.batch b WHERE b.practice_id = $1::uuid AND b.id = $2::uuid
