-- An API key that is not revoked. $1 key id. Returns practice id, secret hash (hex), sender, max_segments, whether it
-- has the scope emergency (t/f). Index: api_key_id_key.
SELECT k.practice_id, encode(k.secret_hash, 'hex'), p.sender, p.max_segments, 'emergency' = ANY (k.scopes)
FROM smsbridge.api_key k JOIN smsbridge.practice p ON p.id = k.practice_id
WHERE k.id = $1::text AND k.revoked_at IS NULL
