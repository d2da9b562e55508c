-- What compliance staff may read: views of schema report, and nothing else. They run with their owner's rights, show no
-- body and no full phone, and are security barriers, so that a reader's own function never sees a row before the view
-- has masked and chosen it.
--
-- report.violations is the second witness. It reads what happened (smsbridge.event), the body for the length rule, and
-- the zones of area codes; never the verdicts, facts or statuses that the gateway wrote about itself.

CREATE SCHEMA report;
GRANT USAGE ON SCHEMA report TO smsbridge_compliance;

CREATE FUNCTION smsbridge.mask_phone(phone text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN phone ~ '^\+1[0-9]{10}$' THEN '+1******' || right(phone, 4) ELSE '******' || right(phone, 2) END
$$;

-- Every message.sending that is not followed by proof that the message never left: a refund before its next sending.
-- Who and what it was for comes from the message's first message.accepted. number counts the message's own sends;
-- notice: it answers a patient's own word, and so is outside opt-out, quiet hours and caps.
CREATE VIEW smsbridge.audit_send AS
WITH step AS (
	SELECT practice_id, message_id, xact, id, type, at, recorded_at, phone, patient,
		lead(type) OVER (PARTITION BY practice_id, message_id ORDER BY xact, id) AS next_type
	FROM smsbridge.event
	WHERE type = 'message.sending'
		OR (type IN ('message.requeued', 'message.failed', 'message.canceled') AND data->>'refund' = 'true')
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

-- Each opt-out with the event that lifted it, if any.
CREATE VIEW smsbridge.audit_opt_out AS
WITH word AS (
	SELECT practice_id, phone, xact, id, type, at, recorded_at, data, lag(type) OVER w AS before
	FROM smsbridge.event WHERE type IN ('opt_out.created', 'opt_out.lifted')
	WINDOW w AS (PARTITION BY practice_id, phone ORDER BY at, xact, id)
), turn AS (
	SELECT practice_id, phone, xact, id, type, at, recorded_at, data, lead(at) OVER w AS lifted_at,
		lead(recorded_at) OVER w AS lifted_recorded_at, lead(xact) OVER w AS lifted_xact, lead(id) OVER w AS lifted_id
	FROM word WHERE type IS DISTINCT FROM before
	WINDOW w AS (PARTITION BY practice_id, phone ORDER BY at, xact, id)
)
SELECT practice_id, phone, xact, id, at, recorded_at, data, lifted_at, lifted_recorded_at, lifted_xact, lifted_id
FROM turn WHERE type = 'opt_out.created';

-- Stoppable sends while an opt-out was active. Gateway times of a send and of a text that race for the recipient's lock
-- are read before the lock, so within five seconds of each other the order of the record decides; a STOP that lay
-- unrecorded for longer counts from its arrival.
CREATE VIEW smsbridge.audit_send_opted_out AS
SELECT s.practice_id, s.message_id, s.at, s.category, o.xact AS opt_out_xact, o.id AS opt_out_id, o.at AS opted_out_at
FROM smsbridge.audit_opt_out o JOIN smsbridge.audit_send s ON s.practice_id = o.practice_id AND s.phone = o.phone
WHERE NOT s.notice
	AND CASE WHEN s.at BETWEEN o.at - interval '5 seconds' AND o.at + interval '5 seconds'
		THEN (s.recorded_at, s.xact, s.id) > (o.recorded_at, o.xact, o.id) ELSE s.at > o.at END
	AND (o.lifted_at IS NULL
		OR CASE WHEN s.at BETWEEN o.lifted_at - interval '5 seconds' AND o.lifted_at + interval '5 seconds'
			THEN (s.recorded_at, s.xact, s.id) < (o.lifted_recorded_at, o.lifted_xact, o.lifted_id)
			ELSE s.at < o.lifted_at END);

CREATE VIEW report.messages WITH (security_barrier) AS
SELECT m.practice_id, p.name AS practice, m.id, m.patient, smsbridge.mask_phone(m.phone) AS phone, m.status, m.reason,
	r.sentence AS reason_sentence, r.citation AS reason_citation, m.category, m.characters, m.encoding, m.segments,
	m.zones, m.created_at, m.send_at, m.expires_at, m.due_at, t.submitted_at, t.sent_at, t.final_at, m.carrier,
	m.carrier_message_id, m.attempts
FROM smsbridge.message m
	LEFT JOIN smsbridge.practice p ON p.id = m.practice_id
	LEFT JOIN smsbridge.reason r ON r.code = m.reason
	LEFT JOIN smsbridge.status st ON st.code = m.status
	CROSS JOIN LATERAL (
		SELECT max(e.at) FILTER (WHERE e.type = 'message.sending') AS submitted_at,
			max(e.at) FILTER (WHERE e.type = 'message.sent') AS sent_at,
			max(e.at) FILTER (WHERE st.final AND e.type = 'message.' || m.status) AS final_at
		FROM smsbridge.event e WHERE e.message_id = m.id) AS t;
COMMENT ON VIEW report.messages IS 'Every message with its status and why, what the body measures (never the body), '
	'and when it was accepted, wanted, handed to the carrier link, taken by the carrier and ended.';

CREATE VIEW report.opt_outs WITH (security_barrier) AS
WITH in_flight AS (
	SELECT o.practice_id, o.xact, o.id, count(DISTINCT s.message_id) AS n
	FROM smsbridge.audit_opt_out o
		JOIN smsbridge.event e ON e.practice_id = o.practice_id AND e.xact = o.xact AND e.phone = o.phone
			AND e.type = 'opt_out.in_flight'
		JOIN smsbridge.audit_send s ON s.practice_id = e.practice_id AND s.message_id = e.message_id
			AND s.recorded_at <= e.recorded_at
	GROUP BY o.practice_id, o.xact, o.id
), after AS (
	SELECT practice_id, opt_out_xact AS xact, opt_out_id AS id, count(*) AS n
	FROM smsbridge.audit_send_opted_out GROUP BY practice_id, opt_out_xact, opt_out_id
), patient AS (
	SELECT m.practice_id, m.phone, string_agg(DISTINCT m.patient, ', ') AS patients
	FROM smsbridge.message m
	WHERE m.patient <> '' AND (m.practice_id, m.phone) IN (SELECT practice_id, phone FROM smsbridge.audit_opt_out)
	GROUP BY m.practice_id, m.phone
)
SELECT o.practice_id, p.name AS practice, smsbridge.mask_phone(o.phone) AS phone, t.patients,
	o.data->>'method' AS method, o.data->>'word' AS word, o.at AS created_at, o.lifted_at, o.recorded_at,
	CASE WHEN o.recorded_at BETWEEN o.at - interval '1 minute' AND o.at + interval '1 day'
		THEN round(extract(epoch FROM o.recorded_at - o.at), 3) END AS seconds_to_record,
	(o.data->>'canceled')::bigint AS canceled, coalesce(f.n, 0) AS in_flight, coalesce(a.n, 0) AS sends_after
FROM smsbridge.audit_opt_out o
	LEFT JOIN smsbridge.practice p ON p.id = o.practice_id
	LEFT JOIN patient t ON t.practice_id = o.practice_id AND t.phone = o.phone
	LEFT JOIN in_flight f ON f.practice_id = o.practice_id AND f.xact = o.xact AND f.id = o.id
	LEFT JOIN after a ON a.practice_id = o.practice_id AND a.xact = o.xact AND a.id = o.id;
COMMENT ON VIEW report.opt_outs IS 'Every opt-out from the events: when the word came in, how long until it was '
	'recorded (empty when the gateway ran on a moved clock), what it cancelled, what was on its way by then, and sends '
	'while it was active, which must be 0.';

CREATE VIEW report.decisions WITH (security_barrier) AS
SELECT e.practice_id, p.name AS practice, e.message_id, m.patient, smsbridge.mask_phone(m.phone) AS phone, m.category,
	e.at, e.type, r.rule, e.reason, coalesce(r.sentence, t.sentence) AS sentence, r.citation,
	e.data->'local' AS local_times, e.data - 'local' - 'receipt' AS facts
FROM smsbridge.event e
	LEFT JOIN smsbridge.message m ON m.practice_id = e.practice_id AND m.id = e.message_id
	LEFT JOIN smsbridge.practice p ON p.id = e.practice_id
	LEFT JOIN smsbridge.reason r ON r.code = e.reason
	LEFT JOIN smsbridge.event_type t ON t.code = e.type
WHERE e.type IN ('message.sending', 'message.held', 'message.blocked', 'message.expired', 'message.failed',
	'message.canceled', 'message.requeued');
COMMENT ON VIEW report.decisions IS 'Every verdict on a message: what was decided, by which rule and citation, on '
	'which facts, and what the clocks showed where the patient may be.';

CREATE VIEW report.daily WITH (security_barrier) AS
SELECT e.practice_id, p.name AS practice, (e.at AT TIME ZONE 'UTC')::date AS day,
	count(*) FILTER (WHERE e.type = 'message.accepted') AS accepted,
	count(DISTINCT e.message_id) FILTER (WHERE e.type = 'message.held') AS held,
	count(*) FILTER (WHERE e.type = 'message.blocked') AS blocked,
	count(*) FILTER (WHERE e.type = 'message.expired') AS expired,
	count(*) FILTER (WHERE e.type = 'message.sent') AS sent,
	count(*) FILTER (WHERE e.type = 'message.delivered') AS delivered,
	count(*) FILTER (WHERE e.type = 'message.undelivered') AS undelivered,
	count(*) FILTER (WHERE e.type = 'message.uncertain') AS uncertain,
	count(*) FILTER (WHERE e.type = 'message.failed') AS failed,
	count(*) FILTER (WHERE e.type = 'message.canceled') AS canceled,
	count(*) FILTER (WHERE e.type = 'opt_out.created') AS opt_outs,
	count(*) FILTER (WHERE e.type = 'reply.received') AS replies
FROM smsbridge.event e LEFT JOIN smsbridge.practice p ON p.id = e.practice_id
WHERE e.type IN ('message.accepted', 'message.held', 'message.blocked', 'message.expired', 'message.sent',
	'message.delivered', 'message.undelivered', 'message.uncertain', 'message.failed', 'message.canceled',
	'opt_out.created', 'reply.received')
GROUP BY e.practice_id, p.name, (e.at AT TIME ZONE 'UTC')::date;
COMMENT ON VIEW report.daily IS 'What happened per practice and UTC day, answers to patients'' words included. held '
	'counts messages, everything else events; a message accepted on one day may be sent on another.';

CREATE VIEW report.violations WITH (security_barrier) AS
WITH zone AS MATERIALIZED (
	SELECT name FROM pg_timezone_names
), area AS (
	SELECT npa, array_agg(zone ORDER BY zone) AS zones FROM smsbridge.npa_zone GROUP BY npa
), send AS MATERIALIZED (
	SELECT s.*, CASE WHEN z.name IS NOT NULL THEN ARRAY[s.time_zone] ELSE coalesce(a.zones,
		ARRAY['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles']) END AS zones
	FROM smsbridge.audit_send s LEFT JOIN zone z ON z.name = s.time_zone
		LEFT JOIN area a ON s.phone LIKE '+1%' AND a.npa = substr(s.phone, 3, 3)
),

-- 1. Length: the body as it is; octets decide cheaply that a short one fits whatever its alphabet. The first pattern is
-- the part of the GSM alphabet that is ASCII; translate() leaves what the alphabet does not have.
measured AS (
	SELECT s.practice_id, s.message_id, s.at, char_length(m.body) AS characters,
		CASE WHEN m.body ~ '^[\n\r -Z_a-z]*$' THEN char_length(m.body)
			WHEN translate(m.body, E'@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&''()*+,-./0123456789:;<=>?¡'
				'ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
				'\f^{}\\[~]|€', '') = ''
			THEN 2 * char_length(m.body) - char_length(translate(m.body, E'\f^{}\\[~]|€', '')) END AS septets,
		m.body
	FROM send s JOIN smsbridge.message m ON m.practice_id = s.practice_id AND m.id = s.message_id
	WHERE s.number = 1 AND octet_length(m.body) > 70
	OFFSET 0
), length AS (
	SELECT 'length' AS rule, practice_id, message_id, at, CASE
			WHEN characters > 160 THEN format('The text has %s characters; 160 are allowed.', characters)
			WHEN septets > 160 THEN format('The text needs %s septets of the GSM alphabet; one segment holds 160.', septets)
			ELSE format('The text has characters outside the GSM alphabet and %s UTF-16 units; one segment holds 70.',
				characters + char_length(regexp_replace(body, '[\u0001-\uffff]', '', 'g'))) END AS detail,
		'47 CFR 64.1200(a)(9)(iv)(E); compliance policy' AS citation
	FROM measured
	WHERE characters > 160 OR septets > 160 OR (septets IS NULL
		AND (characters > 70 OR characters + char_length(regexp_replace(body, '[\u0001-\uffff]', '', 'g')) > 70))
),

-- 2. Opt-out: nothing while one is active; each notice answers a recorded text of that phone, within five minutes,
-- once, and each opt-out is confirmed once, however often the word is repeated.
opted_out AS (
	SELECT 'opt_out', practice_id, message_id, at, format('Sent %s after the patient asked to stop (%s UTC), which no '
			'word has lifted.', at - opted_out_at, to_char(opted_out_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')),
		'47 CFR 64.1200(a)(9)(iv)(H); 47 CFR 64.1200(a)(10)'
	FROM smsbridge.audit_send_opted_out
), text AS (
	SELECT practice_id, phone, at, data->>'inbound_id' AS inbound_id,
		CASE type WHEN 'opt_out.lifted' THEN 'resume_confirmation' WHEN 'help.received' THEN 'help_reply'
			ELSE 'opt_out_confirmation' END AS answer,
		count(*) FILTER (WHERE type = 'opt_out.created') OVER (PARTITION BY practice_id, phone ORDER BY at, xact, id)
			AS opt_out
	FROM smsbridge.event WHERE type IN ('opt_out.created', 'opt_out.repeated', 'opt_out.lifted', 'help.received')
), answer AS (
	SELECT s.practice_id, s.message_id, s.at, t.at AS text_at, row_number() OVER (PARTITION BY s.practice_id, s.phone,
			s.category, CASE s.category WHEN 'opt_out_confirmation' THEN t.opt_out::text ELSE s.inbound_id END
			ORDER BY s.at, s.xact, s.id) AS nth
	FROM send s LEFT JOIN text t ON t.practice_id = s.practice_id AND t.phone = s.phone AND t.inbound_id = s.inbound_id
		AND t.answer = s.category
	WHERE s.notice AND s.number = 1
), notice AS (
	SELECT 'opt_out', practice_id, message_id, at, CASE WHEN text_at IS NULL
			THEN 'An answer to a keyword went out, but no such text of that phone is recorded.'
			WHEN at < text_at OR at > text_at + interval '5 minutes'
			THEN format('The answer to a keyword went out %s after the patient''s text; five minutes are allowed.', at - text_at)
			ELSE format('Answer number %s to one request; one is allowed.', nth) END,
		'47 CFR 64.1200(a)(12)'
	FROM answer WHERE text_at IS NULL OR at < text_at OR at > text_at + interval '5 minutes' OR nth > 1
),

-- 3. Quiet hours, by PostgreSQL's own zones.
quiet AS (
	SELECT 'quiet_hours', s.practice_id, s.message_id, s.at,
		format('Sent at %s; 08:00:00 to 20:59:59 is allowed.', q.clocks), '47 CFR 64.1200(c)(1); compliance policy'
	FROM send s CROSS JOIN LATERAL (
		SELECT string_agg(to_char(s.at AT TIME ZONE z, 'HH24:MI:SS on YYYY-MM-DD') || ' in ' || z, ', ') AS clocks
		FROM unnest(s.zones) AS z
		WHERE (s.at AT TIME ZONE z)::time < '08:00' OR (s.at AT TIME ZONE z)::time >= '21:00') AS q
	WHERE NOT s.notice AND q.clocks IS NOT NULL
),

-- 4. Caps: a send against the first and third before it to the same phone and to the same patient, on the rolling clock
-- and on the calendars of the send's own zones. What shares a date or week lies at most a changed clock beyond
-- the span.
capped AS (
	SELECT s.*, lag(at) OVER by_phone AS phone_1, lag(at, 3) OVER by_phone AS phone_3,
		CASE WHEN patient <> '' THEN lag(at) OVER by_patient END AS patient_1,
		CASE WHEN patient <> '' THEN lag(at, 3) OVER by_patient END AS patient_3
	FROM send s WHERE NOT notice
	WINDOW by_phone AS (PARTITION BY practice_id, phone ORDER BY at, xact, id),
		by_patient AS (PARTITION BY practice_id, patient ORDER BY at, xact, id)
), near AS (
	SELECT c.practice_id, c.message_id, c.number, c.at, k.*, (SELECT z FROM unnest(c.zones) AS z WHERE CASE k.rule
			WHEN 'cap_day' THEN (c.at AT TIME ZONE z)::date = (k.earlier AT TIME ZONE z)::date
			ELSE date_trunc('week', (c.at AT TIME ZONE z) + interval '1 day')
				= date_trunc('week', (k.earlier AT TIME ZONE z) + interval '1 day') END LIMIT 1) AS zone
	FROM capped c CROSS JOIN LATERAL (VALUES ('cap_day', 'phone', c.phone_1, interval '24 hours'),
			('cap_day', 'patient', c.patient_1, interval '24 hours'), ('cap_week', 'phone', c.phone_3, interval '168 hours'),
			('cap_week', 'patient', c.patient_3, interval '168 hours')) AS k(rule, who, earlier, span)
	WHERE c.at - k.earlier < k.span + interval '4 hours'
), cap AS (
	SELECT rule, practice_id, message_id, at, string_agg(format('%s before it a text went to the same %s%s%s',
			CASE rule WHEN 'cap_week' THEN 'Three texts and ' ELSE '' END || (at - earlier), who,
			CASE WHEN at - earlier < span THEN ', less than ' || extract(epoch FROM span)::int / 3600 || ' hours' ELSE '' END,
			CASE WHEN zone IS NULL THEN '' WHEN rule = 'cap_day' THEN ', on the same date in ' || zone
				ELSE ', in the same week in ' || zone END), '; ' ORDER BY who DESC) || '.',
		'47 CFR 64.1200(a)(9)(iv)(F); compliance policy'
	FROM near WHERE at - earlier < span OR zone IS NOT NULL
	GROUP BY rule, practice_id, message_id, number, at
),

-- 5. Expiry. 6. One message sent twice.
late AS (
	SELECT 'expiry', practice_id, message_id, at, format('Sent %s after it expired.', at - expires_at), 'compliance policy'
	FROM send WHERE at >= expires_at
), twice AS (
	SELECT 'double', practice_id, message_id, at, format('Send number %s of this message, without proof that the one '
		'before never left.', number), 'compliance policy'
	FROM send WHERE number > 1
)
SELECT rule, practice_id, message_id, at, detail, citation FROM length
UNION ALL SELECT * FROM opted_out
UNION ALL SELECT * FROM notice
UNION ALL SELECT * FROM quiet
UNION ALL SELECT * FROM cap
UNION ALL SELECT * FROM late
UNION ALL SELECT * FROM twice;
COMMENT ON VIEW report.violations IS 'Every send that broke a rule, found again from the events alone; empty unless '
	'something is wrong. One row for each rule that a send broke.';

-- The program's own `report` command reads the same views when its connection is the gateway's.
GRANT USAGE ON SCHEMA report TO smsbridge_app;
GRANT SELECT ON ALL TABLES IN SCHEMA report TO smsbridge_compliance, smsbridge_app;
