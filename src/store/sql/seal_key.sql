-- Makes a key known as the one that signs from now on, and tells of it. Only under the lock of seal_begin.sql. $1 now
-- $2 its id $3 public key $4 the key before, NULL for the first $5 that key's signature of smsbridge.key_text.
WITH made AS (
	INSERT INTO smsbridge.ledger_key (id, public_key, previous, at, endorsement)
	VALUES ($2::int4, $3::bytea, $4::int4, $1::timestamptz, $5::bytea) RETURNING *
)
INSERT INTO smsbridge.event (practice_id, type, at, data)
SELECT '00000000-0000-0000-0000-000000000000', 'ledger.key_rotated', at, jsonb_build_object('key', id, 'public_key',
	encode(public_key, 'hex'), 'previous', previous, 'endorsement', encode(endorsement, 'hex')) FROM made
