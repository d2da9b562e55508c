-- The stored answer of an Idempotency-Key. $1 practice, $2 key. Returns request hash (hex), answer. Index:
-- idempotency_pkey.
SELECT encode(request_hash, 'hex'), answer FROM smsbridge.idempotency WHERE practice_id = $1::uuid AND key = $2::text
