-- Adds the signature of a seal. $1 its number $2 key $3 signature.
INSERT INTO smsbridge.seal_signature (seal, key, signature) VALUES ($1::int8, $2::int4, $3::bytea)
