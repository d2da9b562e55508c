-- Forgets how carriers may still repeat: closed texts of parts, and texts whose answer may be unheard.
-- $1 parts of texts closed by then are not repeated any more $2 how long a text may be repeated, ms.
-- Index: inbound_long_closed.
WITH long AS (
	DELETE FROM smsbridge.inbound_long l USING (SELECT practice_id, id FROM smsbridge.inbound_long
		WHERE closed_at <= $1::timestamptz LIMIT 1000 FOR UPDATE SKIP LOCKED) AS gone
	WHERE l.practice_id = gone.practice_id AND l.id = gone.id
)
DELETE FROM smsbridge.inbound_unheard WHERE arrived_at <= clock_timestamp() - make_interval(secs => $2::int8 / 1000.0)
