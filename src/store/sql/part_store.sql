-- Keeps a part of a text. To be run under the recipient's lock.
-- $1 practice $2 id for a new text $3 carrier $4 phone $5 sender $6 kind $7 reference $8 total $9 part $10 octets (hex)
-- $11 data_coding $12 locking $13 single $14 header octets $15 now $16 texts touched before this have gone.
-- It belongs to a text of its key that has the same part already (delivered again, closed or not), else to the newest
-- open one that lacks it, else it begins one: references repeat, and what has another part in the place is another
-- text. Returns for each other part of the text so far, or once with a NULL part: the text's id, whether a STOP was
-- acted upon, whether this part was there, part, octets (hex), data_coding, locking, single, header octets.
-- Index: inbound_long_key.
WITH given AS (
	SELECT decode($10::text, 'hex') AS octets, sha256(decode($10, 'hex')) AS digest
), held AS (
	SELECT l.id, l.stopped, l.closed_at, l.touched_at, p.part IS NOT NULL AS filled,
		coalesce(p.digest = given.digest AND p.data_coding = $11::int4, false) AS same
	FROM given CROSS JOIN smsbridge.inbound_long l
		LEFT JOIN smsbridge.inbound_part p ON p.practice_id = l.practice_id AND p.long_id = l.id AND p.part = $9::int4
	WHERE l.practice_id = $1::uuid AND l.phone = $4::text AND l.reference = $7::int4 AND l.carrier = $3::text
		AND l.sender = $5::text AND l.kind = $6::text AND l.total = $8::int4 AND l.touched_at > $16::timestamptz
), chosen AS (
	SELECT id, stopped, same FROM held WHERE same OR (closed_at IS NULL AND NOT filled)
	ORDER BY same DESC, touched_at DESC LIMIT 1
), begun AS (
	INSERT INTO smsbridge.inbound_long (practice_id, id, carrier, phone, sender, kind, reference, total, touched_at)
	SELECT $1, $2::uuid, $3, $4, $5, $6, $7, $8, $15::timestamptz WHERE NOT EXISTS (SELECT FROM chosen)
	RETURNING id, stopped, false AS same
), one AS (
	SELECT * FROM chosen UNION ALL SELECT * FROM begun
), kept AS (
	INSERT INTO smsbridge.inbound_part
		(practice_id, long_id, part, octets, digest, data_coding, locking, single, header_octets)
	SELECT $1, one.id, $9, given.octets, given.digest, $11, $12::int4, $13::int4, $14::int4 FROM one, given
	WHERE NOT one.same
), touched AS (
	UPDATE smsbridge.inbound_long l SET touched_at = greatest(l.touched_at, $15) FROM chosen
	WHERE l.practice_id = $1 AND l.id = chosen.id AND NOT chosen.same
)
SELECT one.id, one.stopped, one.same, p.part, encode(p.octets, 'hex'), p.data_coding, p.locking, p.single,
	p.header_octets
FROM one LEFT JOIN smsbridge.inbound_part p ON p.practice_id = $1 AND p.long_id = one.id AND NOT one.same
