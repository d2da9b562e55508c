-- Whether a carrier delivers a text again; if not, it is noted as unheard. To be run under the recipient's lock.
-- $1 inbound id $2 practice $3 carrier $4 phone $5 sender $6 digest (hex) $7 session $8 sequence $9 its age here in ms
-- $10 how long a text may be repeated, ms $11 how soon one session does not repeat, ms.
-- A repeat has the octets of a text of which it is not known that the carrier heard our answer, and came on another
-- connection or with the same sequence number or so late that the carrier gave up waiting: two that come on one
-- connection shortly after each other are two ("C" to one reminder and "C" to the next, while the line was down).
-- Returns the id of the earlier text or NULL, and whether an opt-out of the patient's own is active. Indexes:
-- inbound_unheard_phone, opt_out_active.
WITH earlier AS (
	SELECT inbound_id FROM smsbridge.inbound_unheard
	WHERE phone = $4::text AND digest = decode($6::text, 'hex') AND carrier = $3::text AND sender = $5::text
		AND inbound_id <> $1::uuid AND arrived_at > clock_timestamp() - make_interval(secs => $10::int8 / 1000.0)
		AND (session <> $7::text OR sequence = $8::int8
			OR arrived_at <= clock_timestamp() - make_interval(secs => ($9::int8 + $11::int8) / 1000.0))
	ORDER BY arrived_at DESC LIMIT 1
), noted AS (
	INSERT INTO smsbridge.inbound_unheard (inbound_id, carrier, phone, sender, digest, session, sequence, arrived_at)
	SELECT $1, $3, $4, $5, decode($6, 'hex'), $7, $8, clock_timestamp() - make_interval(secs => $9 / 1000.0)
	WHERE NOT EXISTS (SELECT FROM earlier)
	ON CONFLICT DO NOTHING
)
SELECT (SELECT inbound_id FROM earlier), EXISTS (SELECT FROM smsbridge.opt_out
	WHERE practice_id = $2::uuid AND phone = $4 AND source = 'patient' AND lifted_at IS NULL)
