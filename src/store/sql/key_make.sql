-- Makes a key or a client, with its event. $1 practice $2 id $3 hash of the whole (hex) $4 kind $5 label $6 scopes
-- ("{a,b}") $7 end or null $8 networks $9 certificate $10 person or null $11 JWK Set or null $12 its URL or null $13
-- now $14 by whom. Returns made, person_unknown or key_limit. Indexes: practice_pkey, api_key_pkey.
SELECT smsbridge.key_make($1::uuid, $2::text, decode($3::text, 'hex'), $4::text, $5::text, $6::text::text[],
	$7::timestamptz, $8::text, $9::text, $10::uuid, $11::text::jsonb, $12::text, $13::timestamptz, $14::text)
