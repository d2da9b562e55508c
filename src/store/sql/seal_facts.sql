-- What a sealer has to know. Returns events that wait (counted to 10,000), seconds that the oldest waits, whether the
-- last seal's transaction id is still to come, and the newest key's id and public key ('' when there is none). Indexes:
-- seal_pkey, event_order, ledger_key_pkey.
SELECT l.unsealed, l.seconds, l.ahead, coalesce(k.id, 0), coalesce(encode(k.public_key, 'hex'), '')
FROM smsbridge.seal_lag l LEFT JOIN LATERAL (
	SELECT id, public_key FROM smsbridge.ledger_key ORDER BY id DESC LIMIT 1) AS k ON true
