-- What became of a batch's items, in their order. $1 practice $2 batch $3 behind this item or NULL $4 limit + 1.
-- Returns item, JSON; and first a row without an item when there is such a batch. Indexes: batch_pkey, batch_item_pkey.
(SELECT NULL::int4, 'null'::jsonb FROM smsbridge.batch WHERE practice_id = $1::uuid AND id = $2::uuid)
UNION ALL
(SELECT i.item, jsonb_build_object('item', i.item, 'reference', i.reference,
	'result', CASE WHEN i.message_id IS NULL THEN 'refused' ELSE 'accepted' END, 'message_id', i.message_id,
	'status', m.status, 'code', i.code, 'errors', coalesce(i.errors, '[]'))
FROM smsbridge.batch_item i
	LEFT JOIN smsbridge.message m ON m.practice_id = i.practice_id AND m.id = i.message_id
WHERE i.practice_id = $1 AND i.batch_id = $2 AND i.item > coalesce($3::int4, -1)
ORDER BY i.item LIMIT $4::int4)
