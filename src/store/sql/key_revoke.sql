-- Revokes a key, with its event; a revoked one stays as it is. $1 practice $2 id $3 now $4 by whom. Returns whether
-- it was revoked now, and JSON; no row when there is none. Index: api_key_pkey.
SELECT smsbridge.key_revoke($1::uuid, k.id, $3::timestamptz, $4::text),
	json_build_object('id', k.id, 'revoked_at', coalesce(k.revoked_at, $3::timestamptz))
FROM smsbridge.api_key k WHERE k.practice_id = $1::uuid AND k.id = $2::text
