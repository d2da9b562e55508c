-- When and from where keys were last used. Arrays: $1 key ids $2 when $3 addresses. What another gateway writes at
-- the same moment is left to it. Index: api_key_id_key.
WITH used AS MATERIALIZED (SELECT k.id FROM smsbridge.api_key k WHERE k.id = ANY ($1::text[]) ORDER BY k.id
	FOR NO KEY UPDATE SKIP LOCKED)
UPDATE smsbridge.api_key k SET used_at = u.at, used_from = u.addr
FROM unnest($1::text[], $2::timestamptz[], $3::text[]) AS u(id, at, addr)
WHERE k.id = u.id AND k.id IN (SELECT id FROM used) AND (k.used_at IS NULL OR k.used_at < u.at)
