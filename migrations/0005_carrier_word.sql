-- What carriers say in codes of their own and what that stops (proto/vendor_code.def), parts and earlier attempts
-- of a message with the ids that carriers gave them, and how each carrier spells its ids.

ALTER TABLE smsbridge.message ADD COLUMN refusals smallint NOT NULL DEFAULT 0; -- passing refusals among its attempts

-- The id as it came, and user_message_reference where the receipt had one.
ALTER TABLE smsbridge.receipt ADD COLUMN carrier_message_id text NOT NULL DEFAULT '', ADD COLUMN reference integer;

-- Phones to which nothing is sent: dead is for every sender of the practice, blocked for one. A row is deleted when
-- it is cleared: by a text or a delivered receipt of that phone, or by `smsbridge phone clear`; events keep the
-- history.
CREATE TABLE smsbridge.phone_flag (
	practice_id uuid NOT NULL,
	phone text NOT NULL,
	kind text NOT NULL CHECK (kind IN ('dead', 'blocked')),
	sender text NOT NULL,                     -- '' for dead
	carrier text NOT NULL,
	code text NOT NULL,                       -- the carrier's
	message_id uuid NOT NULL,
	since timestamptz NOT NULL,
	PRIMARY KEY (practice_id, phone, kind, sender)
);

-- Words that a carrier took for spam, by policy_content_key of the body. Cleared by `smsbridge content clear`.
CREATE TABLE smsbridge.content_stop (
	practice_id uuid NOT NULL,
	content_key bigint NOT NULL,
	carrier text NOT NULL,
	code text NOT NULL,
	message_id uuid NOT NULL,
	since timestamptz NOT NULL,
	PRIMARY KEY (practice_id, content_key)
);

-- Senders from which a carrier takes nothing until then, or until `smsbridge sender clear`.
CREATE TABLE smsbridge.sender_hold (
	sender text NOT NULL,
	carrier text NOT NULL,
	reason text NOT NULL,                     -- of proto/reason.def
	until_at timestamptz,                     -- NULL: until somebody clears it
	code text NOT NULL,
	practice_id uuid NOT NULL,
	since timestamptz NOT NULL,
	PRIMARY KEY (sender, carrier, reason)
);

-- Submits of which a message has, or had, more than one. part 1..parts: the segments of the attempt's submits. part
-- 0: a whole message of an earlier attempt, which the carrier took and then refused; its id must not be met again
-- for news.
CREATE TABLE smsbridge.message_part (
	practice_id uuid NOT NULL,
	message_id uuid NOT NULL,
	attempt smallint NOT NULL,
	part smallint NOT NULL,
	parts smallint NOT NULL,
	carrier text NOT NULL,
	carrier_message_id text,
	status text NOT NULL,                     -- as of a message; part 0: held
	reason text,
	updated_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, message_id, attempt, part)
) WITH (fillfactor = 85);
CREATE INDEX message_part_carrier ON smsbridge.message_part (carrier, smsbridge.id_key(carrier_message_id))
	WHERE carrier_message_id IS NOT NULL;

-- How receipts of a carrier were matched, with the forms of the id in the answer and in the receipt (smpp_id.h).
CREATE TABLE smsbridge.carrier_id_format (
	carrier text NOT NULL,
	how text NOT NULL,
	answer text NOT NULL,
	receipt text NOT NULL,
	count bigint NOT NULL,
	first_at timestamptz NOT NULL,
	last_at timestamptz NOT NULL,
	PRIMARY KEY (carrier, how, answer, receipt)
) WITH (fillfactor = 70);

-- The messages that a receipt may be of. By id: within the carrier, submitted in the two weeks before it (carriers
-- use ids again); the phone's own message before others, which must still be open, since some carriers write
-- addresses their own way; then the first spelling that fits (the learned one is first); then the newest. Else, for
-- a submit whose answer never came: the only such message of the carrier between the two addresses, either way
-- round, and, when the receipt brings our user_message_reference, of that reference. attempt and part are null for
-- a whole message.
CREATE FUNCTION smsbridge.receipt_message(carrier text, candidates text, phone text, sender text, reference integer,
	at timestamptz) RETURNS TABLE (practice_id uuid, id uuid, attempt smallint, part smallint, how text, answered text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	(SELECT c.practice_id, c.id, c.attempt, c.part, 'id', c.answered
	FROM unnest(string_to_array(receipt_message.candidates, ' ')) WITH ORDINALITY AS s(spelling, place), LATERAL (
		SELECT m.practice_id, m.id, NULL::smallint AS attempt, NULL::smallint AS part, m.carrier_message_id AS answered,
			m.phone, m.status, coalesce(m.counted_at, m.created_at) AS submitted_at
		FROM smsbridge.message m
		WHERE m.carrier = receipt_message.carrier AND smsbridge.id_key(m.carrier_message_id) = s.spelling
			AND m.carrier_message_id IS NOT NULL
		UNION ALL
		SELECT m.practice_id, m.id, p.attempt, p.part, p.carrier_message_id, m.phone, m.status,
			coalesce(m.counted_at, m.created_at)
		FROM smsbridge.message_part p JOIN smsbridge.message m ON m.practice_id = p.practice_id AND m.id = p.message_id
		WHERE p.carrier = receipt_message.carrier AND smsbridge.id_key(p.carrier_message_id) = s.spelling
			AND p.carrier_message_id IS NOT NULL) AS c,
		LATERAL (SELECT right(c.phone, 10) IN (right(receipt_message.phone, 10), right(receipt_message.sender, 10)))
			AS t(same)
	WHERE c.submitted_at > receipt_message.at - interval '14 days'
		AND (t.same OR c.status IN ('sending', 'sent', 'uncertain', 'unconfirmed'))
	ORDER BY t.same DESC, s.place, c.submitted_at DESC LIMIT 1)
	UNION ALL
	(SELECT min(m.practice_id::text)::uuid, min(m.id::text)::uuid, NULL, NULL,
		CASE WHEN receipt_message.reference IS NULL THEN 'address' ELSE 'reference' END, NULL
	FROM smsbridge.message m, LATERAL (SELECT right(m.phone, 10), right(m.sender, 10), right(receipt_message.phone, 10),
		right(receipt_message.sender, 10)) AS e(ours, theirs, one, other)
	WHERE m.status = 'uncertain' AND m.carrier = receipt_message.carrier AND m.carrier_message_id IS NULL
		AND m.segments = 1 AND ((ours = one AND theirs = other) OR (ours = other AND theirs = one))
		AND (receipt_message.reference IS NULL OR receipt_message.reference
			= greatest(get_byte(uuid_send(m.id), 14) * 256 + get_byte(uuid_send(m.id), 15), 1))
		AND coalesce(m.counted_at, m.created_at) <= receipt_message.at
	HAVING count(*) = 1)
	LIMIT 1
$$;

-- The second witness learns what a refund by receipt is: the carrier's own word, by name; a receipt that only says
-- that a message failed pays for nothing.
CREATE OR REPLACE VIEW smsbridge.audit_send AS
WITH step AS (
	SELECT practice_id, message_id, xact, id, type, at, recorded_at, phone, patient,
		lead(type) OVER (PARTITION BY practice_id, message_id ORDER BY xact, id) AS next_type
	FROM smsbridge.event
	WHERE type = 'message.sending'
		OR (type IN ('message.requeued', 'message.failed', 'message.canceled') AND data->>'refund' = 'true'
			AND (data->>'state' IS NULL OR data->>'word' IN ('daily_cap', 'rate')))
), sent AS (
	SELECT practice_id, message_id, xact, id, at, recorded_at, phone, patient,
		row_number() OVER (PARTITION BY practice_id, message_id ORDER BY xact, id) AS number
	FROM step WHERE type = 'message.sending' AND next_type IS DISTINCT FROM 'message.requeued'
		AND next_type IS DISTINCT FROM 'message.failed' AND next_type IS DISTINCT FROM 'message.canceled'
), accepted AS (
	SELECT DISTINCT ON (practice_id, message_id) practice_id, message_id, phone, patient, data->>'category' AS category,
		data->>'time_zone' AS time_zone, data->>'expires_at' AS expires_at, data->>'inbound_id' AS inbound_id
	FROM smsbridge.event WHERE type = 'message.accepted'
	ORDER BY practice_id, message_id, xact, id
)
SELECT s.practice_id, s.message_id, s.number, s.at, s.recorded_at, s.xact, s.id, coalesce(a.phone, s.phone) AS phone,
	coalesce(a.patient, s.patient) AS patient, a.category, a.time_zone, a.expires_at::timestamptz AS expires_at,
	a.inbound_id, coalesce(a.category IN ('opt_out_confirmation', 'resume_confirmation', 'help_reply'), false) AS notice
FROM sent s LEFT JOIN accepted a ON a.practice_id = s.practice_id AND a.message_id = s.message_id;

CREATE VIEW report.carriers WITH (security_barrier) AS
SELECT carrier, how, answer, receipt, count, first_at, last_at FROM smsbridge.carrier_id_format;
COMMENT ON VIEW report.carriers IS 'How each carrier''s receipts found their messages, and the forms of the message id '
	'in its answers and in its receipts.';

GRANT SELECT ON ALL TABLES IN SCHEMA smsbridge TO smsbridge_app;
GRANT INSERT, UPDATE, DELETE ON smsbridge.phone_flag, smsbridge.content_stop, smsbridge.sender_hold,
	smsbridge.message_part, smsbridge.carrier_id_format TO smsbridge_app;
GRANT SELECT ON report.carriers TO smsbridge_compliance, smsbridge_app;
