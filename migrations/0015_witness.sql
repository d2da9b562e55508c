-- The second witness judges the rule book too, and the reports that go with it. Each rule is found again from events
-- alone: a practice's settings from practice.changed, consents and what is known of a phone from their events, review
-- tasks, emergencies and pack switches from theirs, never from verdicts, facts or the tables that hold the present.
-- What is read besides: the rows of proto/ that `smsbridge migrate` writes (classes, packs, states' hours, area codes),
-- and a text's body for its length and words, while the body is there.
--
-- Since when: a send is judged by the rule book's rules from the first practice.changed of its practice that says its
-- settings; each practice that was there before this migration gets one now. A practice of which no practice.changed
-- is recorded at all is judged strictly from its first send. What came first, a send or a fact, is told by recorded_at
-- (the database's clock), because `at` is the clock of whoever wrote the event.

INSERT INTO smsbridge.event (practice_id, type, at, data)
SELECT id, 'practice.changed', now(), jsonb_build_object('change', 'rule_book',
	'settings', to_jsonb(p) - '{webhook_secret,webhook_url}'::text[]) FROM smsbridge.practice p;

DROP VIEW report.violations;
DROP VIEW smsbridge.audit_violation;
DROP VIEW report.opt_outs;
DROP VIEW smsbridge.audit_send_opted_out;
DROP VIEW smsbridge.audit_opt_out;

-- What a class is bound to, from the row that the program is built with. Unknown classes are in no row.
CREATE VIEW smsbridge.audit_class AS
SELECT code, flags = '0' AS notice, flags ~ '\m(ORDINARY|CATEGORY_QUIET)\M' AS quiet,
	flags ~ '\m(ORDINARY|CATEGORY_CAPPED)\M' AS capped, flags ~ '\m(ORDINARY|CATEGORY_COUNTED)\M' AS counted,
	flags ~ '\m(ORDINARY|CATEGORY_STOPPABLE)\M' AS stoppable, flags ~ '\m(ORDINARY|CATEGORY_LINTED)\M' AS linted,
	flags ~ '\mCATEGORY_SOLICITATION\M' AS solicitation, flags ~ '\mCATEGORY_CONVERSATION\M' AS conversation,
	flags ~ '\mCATEGORY_EMERGENCY\M' AS emergency,
	array_position(ARRAY['NONE', 'IMPLIED', 'EXPRESS', 'WRITTEN'], basis) - 1 AS basis
FROM smsbridge.category;

-- Every message.sending that is not followed by proof that the message never left, as before; with what the rule book
-- needs from its first message.accepted.
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
		data->>'time_zone' AS time_zone, data->>'expires_at' AS expires_at, data->>'inbound_id' AS inbound_id,
		data->>'states' AS states, data->>'phi' AS phi, data->>'answers' AS answers, data->>'characters' AS characters
	FROM smsbridge.event WHERE type = 'message.accepted'
	ORDER BY practice_id, message_id, xact, id
)
SELECT s.practice_id, s.message_id, s.number, s.at, s.recorded_at, s.xact, s.id, coalesce(a.phone, s.phone) AS phone,
	coalesce(a.patient, s.patient) AS patient, a.category, a.time_zone, a.expires_at::timestamptz AS expires_at,
	a.inbound_id, coalesce(a.category IN ('opt_out_confirmation', 'resume_confirmation', 'help_reply'), false) AS notice,
	coalesce(a.states, '') AS states, coalesce(a.phi = 'true', false) AS phi, a.answers,
	a.characters::integer AS characters
FROM sent s LEFT JOIN accepted a ON a.practice_id = s.practice_id AND a.message_id = s.message_id;

-- Each opt-out with the event that lifted it, if any: the one that names it, or in records from before it had a name
-- the next one. Each source (the patient, staff, a wrong number) has an opt-out of its own, and a lift ends that of one
-- source only: START the patient's, a decided task a wrong number's, staff their own; one that says another source than
-- its way can lift ends nothing. A word that is recorded as a repetition of nothing that stands is an opt-out too.
-- practice_id is all zeros when it holds for every practice on the gateway.
CREATE VIEW smsbridge.audit_opt_out AS
WITH said AS MATERIALIZED (
	SELECT practice_id, phone, xact, id, type, at, recorded_at, data, coalesce(data->>'method', 'reply') AS method,
		CASE WHEN type <> 'opt_out.repeated' THEN data->>'id' END AS opt_out
	FROM smsbridge.event WHERE type IN ('opt_out.created', 'opt_out.repeated', 'opt_out.lifted')
), word AS MATERIALIZED (
	SELECT practice_id, phone, xact, id, type, at, recorded_at, data, method, opt_out,
		CASE WHEN method IN ('reply', 'carrier') THEN 'patient'
			WHEN type = 'opt_out.lifted' AND data ? 'task_id' THEN 'wrong_number' ELSE method END AS source
	FROM said
), turn AS (
	SELECT DISTINCT ON (o.practice_id, o.xact, o.id) o.practice_id, o.phone, coalesce(o.data->>'category', '') AS category,
		o.source, coalesce(o.data->>'scope', 'practice') AS scope,
		coalesce(o.data->>'channel', CASE WHEN o.method = 'carrier' THEN 'carrier' ELSE 'text' END) AS channel, o.xact, o.id,
		o.at, o.recorded_at, o.data, l.at AS lifted_at, l.recorded_at AS lifted_recorded_at, l.xact AS lifted_xact,
		l.id AS lifted_id
	FROM word o LEFT JOIN word l ON l.type = 'opt_out.lifted' AND l.practice_id = o.practice_id AND l.phone = o.phone
		AND (l.recorded_at, l.xact, l.id) > (o.recorded_at, o.xact, o.id)
		AND l.source = o.source AND coalesce(l.data->>'source' = l.source, true)
		AND coalesce(l.opt_out = o.opt_out, true)
	WHERE o.type <> 'opt_out.lifted'
	ORDER BY o.practice_id, o.xact, o.id, l.recorded_at, l.xact, l.id
), told AS (
	SELECT *, max(coalesce(lifted_recorded_at, 'infinity')) OVER (PARTITION BY practice_id, phone, category, source
		ORDER BY recorded_at, xact, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) > recorded_at AS again FROM turn
)
SELECT practice_id, phone, category, scope, channel, xact, id, at, recorded_at, data, lifted_at, lifted_recorded_at,
	lifted_xact, lifted_id
FROM told WHERE again IS NOT TRUE;

-- What the packs say besides, and the states' own hours for texts that advertise, both written by `smsbridge migrate`.
ALTER TABLE smsbridge.rule_pack ADD COLUMN category_opt_out text NOT NULL DEFAULT 'false';
CREATE TABLE smsbridge.state_hours (state text PRIMARY KEY, weekday text NOT NULL, saturday text NOT NULL,
	sunday text NOT NULL, holiday text NOT NULL, day_max text NOT NULL, citation text NOT NULL, note text NOT NULL);

-- Rows of proto/state_hours.def, one for each kind of day: HOURS(8, 20), NONE; a holiday is CLOSED, or a day like any.
CREATE VIEW smsbridge.audit_state_hours AS
SELECT h.state, k.kind, h.day_max::int AS day_max, h.holiday = 'OPEN' AS holidays, h.citation,
	coalesce(k.hours[1]::int * 60, 0) AS open_minute,
	coalesce(k.hours[2]::int * 60, 0) AS close_minute
FROM smsbridge.state_hours h CROSS JOIN LATERAL (VALUES ('weekday', regexp_match(weekday, '(\d+), *(\d+)')),
		('saturday', regexp_match(saturday, '(\d+), *(\d+)')), ('sunday', regexp_match(sunday, '(\d+), *(\d+)')))
	AS k(kind, hours);

-- The federal holidays of 5 U.S.C. 6103 and the days on which they are observed; NULL for other days. Worked out here
-- again, not read from proto/holiday.def.
CREATE FUNCTION smsbridge.audit_holiday(day date) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	WITH fixed(month, date, name) AS (VALUES (1, 1, 'New Year''s Day'), (6, 19, 'Juneteenth'), (7, 4, 'Independence Day'),
		(11, 11, 'Veterans Day'), (12, 25, 'Christmas Day')
	), moving(month, dow, first, name) AS (VALUES (1, 1, 15, 'Birthday of Martin Luther King, Jr.'),
		(2, 1, 15, 'Washington''s Birthday'), (5, 1, 25, 'Memorial Day'), (9, 1, 1, 'Labor Day'),
		(10, 1, 8, 'Columbus Day'), (11, 4, 22, 'Thanksgiving Day')
	)
	SELECT name FROM fixed CROSS JOIN (VALUES (0), (1), (-1)) AS shift(days)
	WHERE month = extract(month FROM day - days) AND date = extract(day FROM day - days)
		AND (days = 0 OR days = 1 AND extract(dow FROM day) = 1 OR days = -1 AND extract(dow FROM day) = 5)
	UNION ALL
	SELECT name FROM moving WHERE month = extract(month FROM day) AND dow = extract(dow FROM day)
		AND extract(day FROM day) BETWEEN first AND first + 6
	LIMIT 1
$$;

-- From when to when each rule pack holds, by its dates and by the events that switched it. Of several at an instant
-- the one that began last counts.
CREATE VIEW smsbridge.audit_pack AS
WITH pack AS (
	SELECT code, effective_from::timestamptz AS from_at,
		coalesce(nullif(effective_to, '')::timestamptz, 'infinity') AS to_at, shipped_on, category_opt_out
	FROM smsbridge.rule_pack
), turn AS (
	SELECT code, from_at, to_at, category_opt_out, '-infinity'::timestamptz AS at, shipped_on AS on_now, 0 AS id FROM pack
	UNION ALL
	SELECT p.code, from_at, to_at, category_opt_out, e.at, (e.data->>'on')::boolean, e.id
	FROM smsbridge.event e JOIN pack p ON p.code = e.data->>'pack' WHERE e.type = 'rules.switched'
), span AS (
	SELECT code, from_at, to_at, category_opt_out, on_now, at,
		lead(at, 1, 'infinity') OVER (PARTITION BY code ORDER BY at, id) AS until
	FROM turn
)
SELECT code, from_at, category_opt_out = 'true' AS category_opt_out, greatest(from_at, at) AS since,
	least(to_at, until) AS until
FROM span WHERE on_now AND greatest(from_at, at) < least(to_at, until);

-- Whether an opt-out was active at a send. Gateway times of a send and of a text that race for the recipient's lock are
-- read before the lock, so within five seconds of each other the order of the record decides; a STOP that lay
-- unrecorded for longer counts from its arrival.
CREATE FUNCTION smsbridge.audit_while(o smsbridge.audit_opt_out, at timestamptz, recorded_at timestamptz, xact xid8,
	id bigint) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN at BETWEEN o.at - interval '5 seconds' AND o.at + interval '5 seconds'
			THEN (recorded_at, xact, id) > (o.recorded_at, o.xact, o.id) ELSE at > o.at END
		AND (o.lifted_at IS NULL OR CASE
			WHEN at BETWEEN o.lifted_at - interval '5 seconds' AND o.lifted_at + interval '5 seconds'
			THEN (recorded_at, xact, id) < (o.lifted_recorded_at, o.lifted_xact, o.lifted_id) ELSE at < o.lifted_at END)
$$;

-- Sends of what can be stopped while an opt-out was active: of everything, of that class, or of another class where no
-- pack lets a patient choose one. An approved emergency may go.
CREATE VIEW smsbridge.audit_send_opted_out AS
SELECT s.practice_id, s.message_id, s.at, s.category, o.practice_id AS opt_out_practice, o.xact AS opt_out_xact,
	o.id AS opt_out_id
FROM smsbridge.audit_opt_out o
	JOIN smsbridge.audit_send s ON s.phone = o.phone
		AND (s.practice_id = o.practice_id OR o.practice_id = '00000000-0000-0000-0000-000000000000')
	LEFT JOIN smsbridge.audit_class c ON c.code = s.category
WHERE NOT s.notice AND coalesce(c.stoppable, true) AND smsbridge.audit_while(o, s.at, s.recorded_at, s.xact, s.id)
	AND (o.category IN ('', s.category) OR NOT coalesce((SELECT p.category_opt_out FROM smsbridge.audit_pack p
		WHERE p.since <= s.at AND s.at < p.until ORDER BY p.from_at DESC LIMIT 1), false))
	AND NOT (coalesce(c.emergency, false) AND EXISTS (SELECT FROM smsbridge.event e
		WHERE e.message_id = s.message_id AND e.practice_id = s.practice_id AND e.type = 'emergency.approved'
			AND e.recorded_at <= s.recorded_at));

-- One row for each rule that a send broke: the rule's code of proto/rule.def, what is wrong, and the citation.
CREATE VIEW report.violations WITH (security_barrier) AS
WITH zone AS MATERIALIZED (
	SELECT name FROM pg_timezone_names
), area AS (
	SELECT npa, array_agg(zone ORDER BY zone) AS zones FROM smsbridge.npa_zone GROUP BY npa
), fact AS MATERIALIZED (
	SELECT practice_id, message_id, xact, id, type, at, recorded_at, phone, coalesce(patient, '') AS patient, data
	FROM smsbridge.event
	WHERE type IN ('practice.changed', 'consent.given', 'consent.ended', 'recipient.stale', 'recipient.verified',
		'recipient.changed', 'contact.reported', 'review.opened', 'review.decided', 'emergency.requested',
		'emergency.approved', 'reply.received', 'help.received', 'opt_out.created', 'opt_out.repeated', 'opt_out.lifted')
), settings AS MATERIALIZED (
	SELECT practice_id, recorded_at AS since, lead(recorded_at, 1, 'infinity') OVER w AS until,
		data->'settings'->>'consent_mode' = 'attested' AS attested, data->'settings'->>'two_person' = 'true' AS two_person,
		greatest(480, (data->'settings'->>'open_minute')::int) AS open_minute,
		least(1260, (data->'settings'->>'close_minute')::int) AS close_minute,
		(data->'settings'->>'max_segments')::int AS max_segments, data->'settings'->>'sender' AS sender,
		CASE WHEN data->'settings'->>'require_identity' = 'true' THEN data->'settings' END AS identity
	FROM fact WHERE type = 'practice.changed' AND jsonb_typeof(data->'settings') = 'object'
	WINDOW w AS (PARTITION BY practice_id ORDER BY recorded_at, xact, id)
), kind AS MATERIALIZED (
	SELECT * FROM smsbridge.audit_class
), send AS MATERIALIZED (
	SELECT s.practice_id, s.message_id, s.number, s.at, s.recorded_at, s.xact, s.id, s.phone, s.patient, s.category,
		s.expires_at, s.inbound_id, s.states, s.phi, s.answers, s.characters, s.notice,
		c.code IS NULL AS unknown, coalesce(c.quiet, true) AS quiet, coalesce(c.capped, true) AS capped,
		coalesce(c.counted, true) AS counted, coalesce(c.stoppable, true) AS stoppable, coalesce(c.linted, false) AS linted,
		coalesce(c.solicitation, false) AS solicitation, coalesce(c.conversation, false) AS conversation,
		coalesce(c.emergency, false) AS emergency, coalesce(c.basis, 0) AS basis,
		p.practice_id IS NOT NULL OR n.practice_id IS NULL AS judged, coalesce(p.attested, false) AS attested,
		coalesce(p.two_person, false) AS two_person, coalesce(p.open_minute, 480) AS open_minute,
		coalesce(p.close_minute, 1260) AS close_minute, p.max_segments, p.sender,
		p.identity, CASE WHEN z.name IS NOT NULL THEN ARRAY[s.time_zone] ELSE coalesce(a.zones,
			ARRAY['America/New_York', 'America/Chicago', 'America/Denver', 'America/Los_Angeles']) END AS zones
	FROM smsbridge.audit_send s LEFT JOIN zone z ON z.name = s.time_zone
		LEFT JOIN area a ON s.phone LIKE '+1%' AND a.npa = substr(s.phone, 3, 3)
		LEFT JOIN kind c ON c.code = s.category
		LEFT JOIN settings p ON p.practice_id = s.practice_id AND p.since <= s.recorded_at AND s.recorded_at < p.until
		LEFT JOIN (SELECT DISTINCT practice_id FROM fact WHERE type = 'practice.changed') AS n
			ON n.practice_id = s.practice_id
),

-- Classes and packs: what is none that the rules know, and what went while no pack was in force.
class AS (
	SELECT 'class' AS rule, practice_id, message_id, at, format('The class %s is none that the rules know.',
			coalesce(quote_literal(category), 'of the message is not on record and')) AS detail,
		'47 CFR 64.1200(a)(9)(iv)(C)' AS citation
	FROM send WHERE judged AND unknown
), pack AS MATERIALIZED (
	SELECT from_at, since, until, category_opt_out FROM smsbridge.audit_pack
), packless AS (
	SELECT 'rules', practice_id, message_id, at, 'No rule pack was in force when it was sent.', 'compliance policy'
	FROM send s WHERE judged AND NOT notice
		AND NOT EXISTS (SELECT FROM pack p WHERE p.since <= s.at AND s.at < p.until)
),

-- Consent: the strongest that was given and not ended before the send, for that class and patient, captured after the
-- phone was last reported as another's (but for a wrong number that a person found to be none), of a patient who had
-- not come of age. A practice's attestation is implied consent for every phone that is not reported.
reported AS (
	SELECT practice_id, phone, recorded_at, xact, id, CASE type WHEN 'recipient.stale' THEN at END AS at,
		data->>'reason' = 'wrong_number' AS wrong,
		count(*) FILTER (WHERE type = 'recipient.changed') OVER (PARTITION BY practice_id, phone
			ORDER BY recorded_at, xact, id) AS turn
	FROM fact WHERE type = 'recipient.stale'
		OR (type = 'recipient.changed' AND data->>'field' = 'stale')
), stale AS (
	SELECT practice_id, phone, recorded_at AS since,
		lead(recorded_at, 1, 'infinity') OVER (PARTITION BY practice_id, phone ORDER BY recorded_at, xact, id) AS until,
		greatest(max(at) FILTER (WHERE wrong) OVER (PARTITION BY practice_id, phone, turn ORDER BY recorded_at, xact, id),
			max(at) FILTER (WHERE wrong IS NOT TRUE) OVER (PARTITION BY practice_id, phone ORDER BY recorded_at, xact, id))
			AS at,
		max(CASE WHEN at IS NOT NULL THEN recorded_at END) OVER (PARTITION BY practice_id, phone
			ORDER BY recorded_at, xact, id) AS last
	FROM reported
), given AS (
	SELECT g.practice_id, g.phone, g.patient, g.recorded_at AS since, coalesce(e.until, 'infinity') AS until,
		array_position(ARRAY['implied', 'express', 'written'], g.data->>'basis') AS basis, g.data->'classes' AS classes,
		(g.data->>'captured_at')::timestamptz AS captured_at, nullif(g.data->>'adult_on', '')::date AS adult_on
	FROM fact g LEFT JOIN (SELECT practice_id, data->>'id' AS id, min(recorded_at) AS until FROM fact
			WHERE type = 'consent.ended' GROUP BY 1, 2) AS e ON e.practice_id = g.practice_id AND e.id = g.data->>'id'
	WHERE g.type = 'consent.given'
), need AS (
	SELECT s.practice_id, s.message_id, s.number, s.at, s.recorded_at, s.phone, s.patient, s.category, s.basis, s.zones,
		s.attested, st.at AS stale_at
	FROM send s LEFT JOIN stale st ON st.practice_id = s.practice_id AND st.phone = s.phone
		AND st.since <= s.recorded_at AND s.recorded_at < st.until
	WHERE judged AND NOT notice AND s.basis > 0
		AND NOT (s.attested AND s.basis = 1 AND st.at IS NULL AND NOT EXISTS (SELECT FROM given g
			WHERE g.practice_id = s.practice_id AND g.phone = s.phone))
), best AS (
	SELECT n.practice_id, n.message_id, n.number, n.at, n.basis AS needed, n.attested, n.stale_at, n.category,
		max(g.basis) FILTER (WHERE held AND fresh AND grown IS NULL) AS live,
		max(g.basis) FILTER (WHERE held AND NOT fresh) AS old,
		max(g.adult_on) FILTER (WHERE held AND fresh AND grown IS NOT NULL) AS adult_on,
		-- the practice's word for all its numbers counts where no record of the patient says otherwise
		n.attested AND n.stale_at IS NULL AND count(g.basis) = 0 AS attestation
	FROM need n LEFT JOIN given g ON g.practice_id = n.practice_id AND g.phone = n.phone
			AND g.since <= n.recorded_at AND g.patient IN ('', n.patient) AND g.classes @> to_jsonb(n.category)
		CROSS JOIN LATERAL (SELECT coalesce(g.captured_at > n.stale_at, true) AS fresh, n.recorded_at < g.until AS held,
			CASE WHEN g.adult_on IS NOT NULL
			THEN (SELECT z FROM unnest(n.zones) AS z WHERE (n.at AT TIME ZONE z)::date >= g.adult_on LIMIT 1) END AS grown) AS f
	GROUP BY n.practice_id, n.message_id, n.number, n.at, n.basis, n.attested, n.stale_at, n.category
), consent AS (
	SELECT 'consent', practice_id, message_id, at, CASE
			WHEN greatest(live, CASE WHEN attestation THEN 1 END) IS NOT NULL
				THEN format('The consent on record is %s; %s needs %s.',
					(ARRAY['implied', 'express', 'written'])[greatest(live, 1)], category,
					(ARRAY['implied', 'express', 'written'])[needed])
			WHEN adult_on IS NOT NULL
				THEN format('The consent was a minor''s, given for the patient, who came of age on %s.', adult_on)
			WHEN stale_at IS NOT NULL AND (old IS NOT NULL OR attested)
				THEN format('The consent was given before the phone was reported as somebody else''s (%s UTC).',
					to_char(stale_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS'))
			ELSE format('No live consent of the patient for %s is on record.', category) END,
		CASE WHEN needed = 3 THEN '47 CFR 64.1200(a)(2), (f)(9)' ELSE '47 CFR 64.1200(a)(1)' END
	FROM best
	WHERE coalesce(greatest(live, CASE WHEN attestation THEN 1 END), 0) < needed
),

-- Opt-out: nothing while one is active; each notice answers a recorded text of that phone, within five minutes, once,
-- and each opt-out is confirmed once, however often the word is repeated.
opted_out AS (
	SELECT DISTINCT ON (s.practice_id, s.message_id, s.number) 'opt_out', s.practice_id, s.message_id, s.at,
		format('Sent %s after the patient asked to stop%s (%s UTC), which no word has lifted.', s.at - o.at,
			CASE WHEN o.scope = 'everyone' THEN ' every practice''s texts'
				WHEN s.practice_id <> o.practice_id THEN ' the texts of another practice with the same number'
				WHEN o.category = '' THEN ''
				WHEN o.category = s.category THEN ' texts of this kind'
				ELSE format(' texts of one kind (%s), which ends every kind', o.category) END,
			to_char(o.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')),
		'47 CFR 64.1200(a)(9)(iv)(H); 47 CFR 64.1200(a)(10)'
	FROM smsbridge.audit_opt_out o JOIN send s ON s.phone = o.phone
		AND (s.practice_id = o.practice_id OR o.practice_id = '00000000-0000-0000-0000-000000000000'
			OR (o.scope = 'sender' AND EXISTS (SELECT FROM settings p WHERE p.practice_id = o.practice_id
				AND p.sender = s.sender AND p.since <= o.recorded_at AND o.recorded_at < p.until)
				AND NOT EXISTS (SELECT FROM fact f WHERE f.type IN ('opt_out.created', 'opt_out.repeated')
					AND f.practice_id = s.practice_id AND f.phone = o.phone
					AND f.data->>'inbound_id' = o.data->>'inbound_id')))
	WHERE NOT s.notice AND s.stoppable AND smsbridge.audit_while(o, s.at, s.recorded_at, s.xact, s.id)
		AND (o.category IN ('', s.category) OR NOT coalesce((SELECT p.category_opt_out FROM pack p
			WHERE p.since <= s.at AND s.at < p.until ORDER BY p.from_at DESC LIMIT 1), false))
		AND NOT (s.emergency AND EXISTS (SELECT FROM fact f WHERE f.type = 'emergency.approved'
			AND f.practice_id = s.practice_id AND f.message_id = s.message_id AND f.recorded_at <= s.recorded_at))
	ORDER BY s.practice_id, s.message_id, s.number, o.at, o.xact, o.id
), text AS (
	SELECT practice_id, phone, at, data->>'inbound_id' AS inbound_id,
		CASE type WHEN 'opt_out.lifted' THEN 'resume_confirmation' WHEN 'help.received' THEN 'help_reply'
			ELSE 'opt_out_confirmation' END AS answer,
		count(*) FILTER (WHERE type = 'opt_out.created' AND coalesce(data->>'method', 'reply') IN ('reply', 'carrier'))
			OVER (PARTITION BY practice_id, phone ORDER BY at, xact, id) AS opt_out
	FROM fact WHERE type IN ('opt_out.created', 'opt_out.repeated', 'opt_out.lifted', 'help.received')
), answer AS (
	SELECT s.practice_id, s.message_id, s.at, t.at AS text_at, row_number() OVER (PARTITION BY s.practice_id, s.phone,
			s.category, CASE s.category WHEN 'opt_out_confirmation' THEN t.opt_out::text ELSE s.inbound_id END
			ORDER BY s.at, s.xact, s.id) AS nth
	FROM send s LEFT JOIN LATERAL (SELECT * FROM text t
		WHERE t.practice_id IN (s.practice_id, '00000000-0000-0000-0000-000000000000') AND t.phone = s.phone
			AND t.inbound_id = s.inbound_id AND t.answer = s.category
		ORDER BY t.practice_id <> s.practice_id LIMIT 1) AS t ON true
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

-- Review: nothing that can be stopped while a person has to look at what the patient wrote.
task AS (
	SELECT o.practice_id, o.phone, o.at, o.data->>'kind' AS kind, o.recorded_at AS since,
		coalesce(d.until, 'infinity') AS until
	FROM fact o LEFT JOIN (SELECT practice_id, data->>'id' AS id, min(recorded_at) AS until FROM fact
			WHERE type = 'review.decided' GROUP BY 1, 2) AS d ON d.practice_id = o.practice_id AND d.id = o.data->>'id'
	WHERE o.type = 'review.opened' AND o.data->>'holds' = 'true'
), review AS (
	SELECT DISTINCT ON (s.practice_id, s.message_id, s.number) 'review', s.practice_id, s.message_id, s.at,
		format('Sent while a person had to look at what the patient wrote (%s, since %s UTC).', t.kind,
			to_char(t.at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS')), '47 CFR 64.1200(a)(10)'
	FROM task t JOIN send s ON s.practice_id = t.practice_id AND s.phone = t.phone
		AND t.since <= s.recorded_at AND s.recorded_at < t.until
	WHERE s.judged AND s.stoppable AND NOT s.notice AND NOT s.emergency
	ORDER BY s.practice_id, s.message_id, s.number, t.since
),

-- What is known of the phone: another way of being reached; whether it is the right one, and was warned of, before
-- anything personal goes.
known AS (
	SELECT practice_id, phone, data->>'field' AS field, coalesce(data->>'value', '') AS value, recorded_at AS since,
		lead(recorded_at, 1, 'infinity') OVER (PARTITION BY practice_id, phone, data->>'field'
			ORDER BY recorded_at, xact, id) AS until
	FROM fact WHERE type = 'recipient.changed'
), household AS (
	SELECT practice_id, phone, since, until FROM known WHERE field = 'household' AND value = 'true'
), alternative AS (
	SELECT 'alternative', s.practice_id, s.message_id, s.at,
		format('The patient had asked to be reached in another way (%s).', k.value), '45 CFR 164.522(b)(1)'
	FROM known k JOIN send s ON s.practice_id = k.practice_id AND s.phone = k.phone
		AND k.since <= s.recorded_at AND s.recorded_at < k.until
	WHERE k.field = 'alternative' AND k.value <> '' AND s.judged AND s.stoppable AND NOT s.notice
), verified AS (
	SELECT practice_id, phone, recorded_at FROM fact WHERE type = 'recipient.verified'
), personal AS (
	SELECT s.practice_id, s.message_id, s.at, s.recorded_at, s.phone, st.last AS stale_since
	FROM send s LEFT JOIN stale st ON st.practice_id = s.practice_id AND st.phone = s.phone
		AND st.since <= s.recorded_at AND s.recorded_at < st.until
	WHERE s.judged AND s.phi AND NOT s.notice
), unverified AS (
	SELECT 'verification', practice_id, message_id, at, CASE WHEN stale_since IS NULL
			THEN 'The text is personal, and the patient had not confirmed that the phone is the right one.'
			ELSE 'The text is personal, and the patient has not confirmed the phone since it was reported as somebody else''s.'
		END, '45 CFR 164.514(h); compliance policy'
	FROM personal s WHERE NOT EXISTS (SELECT FROM verified v WHERE v.practice_id = s.practice_id AND v.phone = s.phone
		AND v.recorded_at <= s.recorded_at AND v.recorded_at > coalesce(s.stale_since, '-infinity'))
), unwarned AS (
	SELECT 'risk', practice_id, message_id, at, 'The text is personal, and no warning that texts are not encrypted is on '
		'record for the phone.', '78 FR 5566, 5634; 45 CFR 164.522(b)'
	FROM personal s WHERE NOT EXISTS (SELECT FROM known k WHERE k.practice_id = s.practice_id AND k.phone = s.phone
		AND k.field LIKE 'risk%' AND k.value NOT IN ('', 'false') AND k.since <= s.recorded_at AND s.recorded_at < k.until)
),

-- A conversation answers what the patient wrote within a day.
heard AS (
	SELECT practice_id, phone, data->>'inbound_id' AS inbound_id, min(at) AS at FROM fact
	WHERE data->>'inbound_id' IS NOT NULL GROUP BY 1, 2, 3
), talk AS (
	SELECT 'conversation', s.practice_id, s.message_id, s.at, CASE
			WHEN h.at IS NULL THEN 'A conversation''s answer, but no text of that phone that it answers is recorded.'
			ELSE format('A conversation''s answer %s after the patient''s text; it is over after 24 hours.', s.at - h.at) END,
		'compliance policy'
	FROM send s LEFT JOIN heard h ON h.practice_id = s.practice_id AND h.phone = s.phone AND h.inbound_id = s.answers
	WHERE s.judged AND s.conversation AND (h.at IS NULL OR s.at >= h.at + interval '24 hours')
),

-- Emergency: by a named person for a reason; with another person's approval where the practice wants one, and always
-- after an opt-out (above) or while the patient may have asked to stop.
asked AS (
	SELECT e.practice_id, e.message_id, e.recorded_at, e.type, coalesce(e.data->>'person', '') AS person,
		coalesce(e.data->>'reason', '') AS reason, coalesce(e.data->>'by', '') AS by
	FROM fact e WHERE e.type IN ('emergency.requested', 'emergency.approved')
), urgent AS (
	SELECT s.practice_id, s.message_id, s.at, s.two_person OR EXISTS (SELECT FROM task t
			WHERE t.practice_id = s.practice_id AND t.phone = s.phone AND t.since <= s.recorded_at AND s.recorded_at < t.until)
		AS two, r.person, r.reason, a.by, coalesce(lower(regexp_replace(a.by, '[^[:alnum:]]', '', 'g'))
			= lower(regexp_replace(r.person, '[^[:alnum:]]', '', 'g')), false) AND a.by <> '' AS same
	FROM send s
		LEFT JOIN asked r ON r.practice_id = s.practice_id AND r.message_id = s.message_id
			AND r.type = 'emergency.requested' AND r.recorded_at <= s.recorded_at
		LEFT JOIN asked a ON a.practice_id = s.practice_id AND a.message_id = s.message_id
			AND a.type = 'emergency.approved' AND a.recorded_at <= s.recorded_at
	WHERE s.judged AND s.emergency
), emergency AS (
	SELECT 'emergency', practice_id, message_id, at, CASE
			WHEN coalesce(person, '') = '' THEN 'An emergency text that no named person ordered.'
			WHEN reason = '' THEN 'An emergency text for which no reason is on record.'
			WHEN same THEN 'An emergency text that was approved by the person who ordered it.'
			ELSE 'An emergency text without the second person''s approval that it needed.' END,
		'47 CFR 64.1200(f)(4); compliance policy'
	FROM urgent WHERE coalesce(person, '') = '' OR reason = '' OR same
		OR (two AND coalesce(by, '') = '')
),

-- Quiet hours, by PostgreSQL's own zones; narrower where the practice set its own.
quiet AS (
	SELECT 'quiet_hours', s.practice_id, s.message_id, s.at,
		format('Sent at %s; %s to %s is allowed.', q.clocks, s.open_minute * interval '1 minute',
			s.close_minute * interval '1 minute' - interval '1 second'),
		'47 CFR 64.1200(c)(1); compliance policy'
	FROM send s CROSS JOIN LATERAL (
		SELECT string_agg(to_char(s.at AT TIME ZONE z, 'HH24:MI:SS on YYYY-MM-DD') || ' in ' || z, ', ') AS clocks
		FROM unnest(s.zones) AS z
		WHERE (s.at AT TIME ZONE z)::time < '00:00'::time + s.open_minute * interval '1 minute'
			OR (s.at AT TIME ZONE z)::time >= '00:00'::time + s.close_minute * interval '1 minute') AS q
	WHERE s.quiet AND NOT s.notice AND q.clocks IS NOT NULL
),

-- States' own hours, days and caps for texts that advertise or ask for opinions, in every state where the patient may
-- be; in each state that has any when none is known, or the law of the place (a territory, a fleet) is not.
advert AS (
	SELECT s.practice_id, s.message_id, s.number, s.at, s.zones, h.state, h.kind, h.open_minute, h.close_minute,
		h.day_max, h.holidays, h.citation, s.phone, s.patient, s.recorded_at, s.xact, s.id
	FROM send s JOIN smsbridge.audit_state_hours h ON s.states = '' OR s.states ~ '\m(PR|VI|GU|AS|MP|AA|AE|AP)\M'
		OR h.state = ANY(string_to_array(s.states, ' '))
	WHERE s.judged AND s.solicitation
), state_hours AS (
	SELECT CASE WHEN bool_or(shut) THEN 'quiet_day_state' ELSE 'quiet_hours_state' END, practice_id, message_id, at,
		format('Sent at %s.', string_agg(CASE
			WHEN shut THEN format('%s in %s; %s allows no such texts on %s (%s)', clock, zone, state,
				coalesce(CASE WHEN NOT holidays THEN holiday END, 'a ' || kind), citation)
			ELSE format('%s in %s; %s allows such texts from %s to %s (%s)', clock, zone, state,
				open_minute * interval '1 minute', close_minute * interval '1 minute', citation) END, '; '
			ORDER BY state, zone)), 'state law (proto/state_hours.def)'
	FROM (SELECT a.*, l.*, z AS zone, to_char(a.at AT TIME ZONE z, 'HH24:MI:SS on YYYY-MM-DD') AS clock,
			a.close_minute = 0 OR (NOT a.holidays AND l.holiday IS NOT NULL) AS shut
		FROM advert a CROSS JOIN LATERAL unnest(a.zones) AS z
			CROSS JOIN LATERAL (SELECT (a.at AT TIME ZONE z)::date AS day, (a.at AT TIME ZONE z)::time AS hour,
				smsbridge.audit_holiday((a.at AT TIME ZONE z)::date) AS holiday) AS l
		WHERE a.kind = CASE extract(dow FROM l.day) WHEN 0 THEN 'sunday' WHEN 6 THEN 'saturday' ELSE 'weekday' END) AS c
	WHERE shut OR hour < '00:00'::time + open_minute * interval '1 minute'
		OR hour >= '00:00'::time + close_minute * interval '1 minute'
	GROUP BY practice_id, message_id, number, at
), state_cap AS (
	SELECT 'cap_state', practice_id, message_id, at, format('%s texts had gone to the same %s within 24 hours; %s.',
		max(earlier), min(who), string_agg(DISTINCT format('%s allows %s (%s)', state, day_max, citation), ', ')),
		'state law (proto/state_hours.def)'
	FROM (SELECT a.*, w.who, (SELECT count(*) FROM send e WHERE e.practice_id = a.practice_id AND CASE w.who
				WHEN 'phone' THEN e.phone = a.phone ELSE a.patient <> '' AND e.patient = a.patient END
			AND e.counted AND NOT e.notice AND e.at > a.at - interval '24 hours'
			AND (e.at, e.xact, e.id) < (a.at, a.xact, a.id)) AS earlier
		FROM advert a CROSS JOIN (VALUES ('phone'), ('patient')) AS w(who)
		WHERE a.day_max > 0 AND a.kind = 'weekday' AND NOT (w.who = 'phone' AND EXISTS (SELECT FROM household h
			WHERE h.practice_id = a.practice_id AND h.phone = a.phone AND h.since <= a.recorded_at
				AND a.recorded_at < h.until))) AS c
	WHERE earlier >= day_max
	GROUP BY practice_id, message_id, number, at
),

-- Caps: a send against the first and third before it to the same phone and to the same patient, on the rolling clock
-- and on the calendars of the send's own zones. What shares a date or week lies at most a changed clock beyond the
-- span. Classes that do not count are neither limited nor in the way. A household's phone has no cap of its own.
capped AS (
	SELECT s.*, lag(at) OVER by_phone AS phone_1, lag(at, 3) OVER by_phone AS phone_3,
		CASE WHEN patient <> '' THEN lag(at) OVER by_patient END AS patient_1,
		CASE WHEN patient <> '' THEN lag(at, 3) OVER by_patient END AS patient_3
	FROM send s WHERE NOT notice AND counted
	WINDOW by_phone AS (PARTITION BY practice_id, phone ORDER BY at, xact, id),
		by_patient AS (PARTITION BY practice_id, patient ORDER BY at, xact, id)
), near AS (
	SELECT c.practice_id, c.message_id, c.number, c.at, c.recorded_at, c.phone, k.*, (SELECT z FROM unnest(c.zones) AS z
			WHERE CASE k.rule WHEN 'cap_day' THEN (c.at AT TIME ZONE z)::date = (k.earlier AT TIME ZONE z)::date
			ELSE date_trunc('week', (c.at AT TIME ZONE z) + interval '1 day')
				= date_trunc('week', (k.earlier AT TIME ZONE z) + interval '1 day') END LIMIT 1) AS zone
	FROM capped c CROSS JOIN LATERAL (VALUES ('cap_day', 'phone', c.phone_1, interval '24 hours'),
			('cap_day', 'patient', c.patient_1, interval '24 hours'), ('cap_week', 'phone', c.phone_3, interval '168 hours'),
			('cap_week', 'patient', c.patient_3, interval '168 hours')) AS k(rule, who, earlier, span)
	WHERE c.capped AND c.at - k.earlier < k.span + interval '4 hours'
), cap AS (
	SELECT rule, practice_id, message_id, at, string_agg(format('%s before it a text went to the same %s%s%s',
			CASE rule WHEN 'cap_week' THEN 'Three texts and ' ELSE '' END || (at - earlier), who,
			CASE WHEN at - earlier < span THEN ', less than ' || extract(epoch FROM span)::int / 3600 || ' hours' ELSE '' END,
			CASE WHEN zone IS NULL THEN '' WHEN rule = 'cap_day' THEN ', on the same date in ' || zone
				ELSE ', in the same week in ' || zone END), '; ' ORDER BY who DESC) || '.',
		'47 CFR 64.1200(a)(9)(iv)(F); compliance policy'
	FROM near n WHERE (at - earlier < span OR zone IS NOT NULL)
		AND NOT (who = 'phone' AND EXISTS (SELECT FROM household h WHERE h.practice_id = n.practice_id
			AND h.phone = n.phone AND h.since <= n.recorded_at AND n.recorded_at < h.until))
	GROUP BY rule, practice_id, message_id, number, at
),

-- The practice's own calls count as well, once they are reported: the sends that have any within nine days before are
-- counted together with them, one by one.
contact AS (
	SELECT practice_id, phone, patient, coalesce((data->>'at')::timestamptz, at) AS at, recorded_at FROM fact
	WHERE type = 'contact.reported'
), called AS (
	SELECT DISTINCT s.practice_id, s.message_id, s.number, s.at, s.recorded_at, s.xact, s.id, s.phone, s.patient, s.zones
	FROM contact c JOIN send s ON s.practice_id = c.practice_id
		AND (s.phone = c.phone OR (s.patient <> '' AND s.patient = c.patient))
	WHERE s.capped AND s.judged AND NOT s.notice AND c.recorded_at <= s.recorded_at
		AND c.at <= s.at AND c.at > s.at - interval '9 days'
), together AS (
	SELECT s.practice_id, s.message_id, s.number, s.at, s.recorded_at, s.phone, w.who, z AS zone, e.voice,
		e.at > s.at - interval '24 hours' OR (e.at AT TIME ZONE z)::date = (s.at AT TIME ZONE z)::date AS day,
		e.at > s.at - interval '168 hours' OR date_trunc('week', (e.at AT TIME ZONE z) + interval '1 day')
			= date_trunc('week', (s.at AT TIME ZONE z) + interval '1 day') AS week
	FROM called s CROSS JOIN (VALUES ('phone'), ('patient')) AS w(who) CROSS JOIN LATERAL unnest(s.zones) AS z
		CROSS JOIN LATERAL (
			SELECT c.at, true AS voice FROM contact c WHERE c.practice_id = s.practice_id AND c.recorded_at <= s.recorded_at
				AND c.at <= s.at AND CASE w.who WHEN 'phone' THEN c.phone = s.phone ELSE s.patient <> ''
					AND c.patient = s.patient END
			UNION ALL
			SELECT b.at, false FROM send b WHERE b.practice_id = s.practice_id AND b.counted AND NOT b.notice
				AND (b.at, b.xact, b.id) < (s.at, s.xact, s.id) AND CASE w.who WHEN 'phone' THEN b.phone = s.phone
					ELSE s.patient <> '' AND b.patient = s.patient END) AS e
	WHERE e.at > s.at - interval '9 days'
), voice AS (
	SELECT DISTINCT ON (k.rule, practice_id, message_id, number) k.rule, practice_id, message_id, at,
		format('Together with %s call%s of the practice it is text or call number %s to the same %s %s (%s).', k.calls,
			CASE k.calls WHEN 1 THEN '' ELSE 's' END, k.earlier + 1, who,
			CASE k.rule WHEN 'cap_day' THEN 'on a day' ELSE 'in a week' END, zone),
		'47 CFR 64.1200(a)(9)(iv)(F); compliance policy'
	FROM (SELECT practice_id, message_id, number, at, recorded_at, phone, who, zone,
			count(*) FILTER (WHERE day) AS day_all, count(*) FILTER (WHERE day AND voice) AS day_calls,
			count(*) FILTER (WHERE week) AS week_all, count(*) FILTER (WHERE week AND voice) AS week_calls
		FROM together GROUP BY practice_id, message_id, number, at, recorded_at, phone, who, zone) AS n
		CROSS JOIN LATERAL (VALUES ('cap_day', day_all, day_calls, 1), ('cap_week', week_all, week_calls, 3))
			AS k(rule, earlier, calls, most)
	WHERE k.earlier >= k.most AND k.earlier - k.calls < k.most
		AND NOT (who = 'phone' AND EXISTS (SELECT FROM household h WHERE h.practice_id = n.practice_id
			AND h.phone = n.phone AND h.since <= n.recorded_at AND n.recorded_at < h.until))
	ORDER BY k.rule, practice_id, message_id, number, who
),

-- Length: the body as it is; octets decide cheaply that a short one fits whatever its alphabet. The first pattern is
-- the part of the GSM alphabet that is ASCII; translate() leaves what the alphabet does not have. A practice may allow
-- more segments for texts outside it. Once a body is redacted, its number of characters as accepted.
measured AS (
	SELECT s.practice_id, s.message_id, s.at, char_length(m.body) AS characters,
		CASE WHEN m.body ~ '^[\n\r -Z_a-z]*$' THEN char_length(m.body)
			WHEN translate(m.body, E'@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&''()*+,-./0123456789:;<=>?¡'
				'ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
				'\f^{}\\[~]|€', '') = ''
			THEN 2 * char_length(m.body) - char_length(translate(m.body, E'\f^{}\\[~]|€', '')) END AS septets,
		m.body, s.max_segments
	FROM send s JOIN smsbridge.message m ON m.practice_id = s.practice_id AND m.id = s.message_id
	WHERE s.number = 1 AND octet_length(m.body) > 70 AND m.redacted_at IS NULL
	OFFSET 0
), length AS (
	SELECT 'length', practice_id, message_id, at, CASE
			WHEN characters > 160 THEN format('The text has %s characters; 160 are allowed.', characters)
			WHEN septets > 160 THEN format('The text needs %s septets of the GSM alphabet; one segment holds 160.', septets)
			ELSE format('The text has characters outside the GSM alphabet and %s UTF-16 units; one segment holds 70.',
				characters + char_length(regexp_replace(body, '[\u0001-\uffff]', '', 'g'))) END,
		'47 CFR 64.1200(a)(9)(iv)(E); compliance policy'
	FROM measured
	WHERE characters > 160 OR septets > 160 OR (septets IS NULL
		AND (characters > 70 OR characters + char_length(regexp_replace(body, '[\u0001-\uffff]', '', 'g')) > 70)
		AND characters + char_length(regexp_replace(body, '[\u0001-\uffff]', '', 'g')) > (SELECT CASE n WHEN 1 THEN 70
			ELSE 67 * n END FROM (SELECT coalesce(max_segments, (SELECT p.max_segments FROM smsbridge.practice p
				WHERE p.id = measured.practice_id), 1) AS n) AS allowed))
), gone AS (
	SELECT 'length', s.practice_id, s.message_id, s.at,
		format('The text had %s characters when it was accepted; 160 are allowed.', s.characters),
		'47 CFR 64.1200(a)(9)(iv)(E); compliance policy'
	FROM send s JOIN smsbridge.message m ON m.practice_id = s.practice_id AND m.id = s.message_id
	WHERE s.number = 1 AND s.characters > 160 AND m.redacted_at IS NOT NULL
),

-- Content, where a practice has its texts name it: its name (the neutral one of a sensitive practice), a way to reach
-- it and STOP, while the body is there. Words are compared without case and punctuation.
worded AS (
	SELECT s.practice_id, s.message_id, s.at, ' ' || btrim(regexp_replace(lower(m.body), '[^[:alnum:]]+', ' ', 'g')) || ' '
			AS body, regexp_replace(m.body, '[^0-9]', '', 'g') AS digits, lower(m.body) AS raw,
		btrim(regexp_replace(lower(CASE WHEN s.identity->>'sensitive' = 'true' THEN s.identity->>'display_name'
			ELSE s.identity->>'name' END), '[^[:alnum:]]+', ' ', 'g')) AS name,
		right(regexp_replace(s.identity->>'phone', '[^0-9]', '', 'g'), 10) AS phone,
		lower(substring(s.identity->>'url' FROM '^(?:https?://)?([^/:]+)')) AS host
	FROM send s JOIN smsbridge.message m ON m.practice_id = s.practice_id AND m.id = s.message_id
	WHERE s.judged AND s.linted AND s.number = 1 AND s.identity IS NOT NULL AND m.redacted_at IS NULL
), content AS (
	SELECT 'content', practice_id, message_id, at, format('The text does not have %s.', array_to_string(array_remove(ARRAY[
			CASE WHEN position(' ' || name || ' ' IN body) = 0 THEN 'the practice''s name' END,
			CASE WHEN position(phone IN digits) = 0 AND coalesce(position(host IN raw), 0) = 0
				THEN 'a way to reach the practice' END,
			CASE WHEN position(' stop ' IN body) = 0 THEN 'the word STOP' END], NULL), ', ')),
		'47 CFR 64.1200(a)(9)(iv)(B), (G)'
	FROM worded WHERE position(' ' || name || ' ' IN body) = 0 OR position(' stop ' IN body) = 0
		OR (position(phone IN digits) = 0 AND coalesce(position(host IN raw), 0) = 0)
),

-- Expiry. One message sent twice.
late AS (
	SELECT 'expiry', practice_id, message_id, at, format('Sent %s after it expired.', at - expires_at), 'compliance policy'
	FROM send WHERE at >= expires_at
), twice AS (
	SELECT 'double', practice_id, message_id, at, format('Send number %s of this message, without proof that the one '
		'before never left.', number), 'compliance policy'
	FROM send WHERE number > 1
)
SELECT rule, practice_id, message_id, at, detail, citation FROM class
UNION ALL SELECT * FROM packless
UNION ALL SELECT * FROM consent
UNION ALL SELECT * FROM opted_out
UNION ALL SELECT * FROM notice
UNION ALL SELECT * FROM review
UNION ALL SELECT * FROM alternative
UNION ALL SELECT * FROM unverified
UNION ALL SELECT * FROM unwarned
UNION ALL SELECT * FROM talk
UNION ALL SELECT * FROM emergency
UNION ALL SELECT * FROM quiet
UNION ALL SELECT * FROM state_hours
UNION ALL SELECT * FROM state_cap
UNION ALL SELECT * FROM cap
UNION ALL SELECT * FROM voice
UNION ALL SELECT * FROM length
UNION ALL SELECT * FROM gone
UNION ALL SELECT * FROM content
UNION ALL SELECT * FROM late
UNION ALL SELECT * FROM twice;
COMMENT ON VIEW report.violations IS 'Every send that broke a rule, found again from the events alone; empty unless '
	'something is wrong. One row for each rule that a send broke.';

-- An instant as a person says it, where the patient is; NULL for none.
CREATE FUNCTION smsbridge.told_at(at timestamptz, zone text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN isfinite(at) THEN to_char(at AT TIME ZONE zone, 'FMDay, FMMonth FMDD, YYYY "at" FMHH12:MI AM') END
$$;

-- --- the other reports ----------------------------------------------------------------------------------------------

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
	SELECT opt_out_practice AS practice_id, opt_out_xact AS xact, opt_out_id AS id, count(*) AS n
	FROM smsbridge.audit_send_opted_out GROUP BY opt_out_practice, opt_out_xact, opt_out_id
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
	(o.data->>'canceled')::bigint AS canceled, coalesce(f.n, 0) AS in_flight, coalesce(a.n, 0) AS sends_after,
	o.scope, o.category, o.channel, o.data->>'actor' AS actor, o.lifted_at IS NULL AS active,
	floor(extract(epoch FROM coalesce(o.lifted_at, now()) - o.at) / 86400)::bigint AS age_days
FROM smsbridge.audit_opt_out o
	LEFT JOIN smsbridge.practice p ON p.id = o.practice_id
	LEFT JOIN patient t ON t.practice_id = o.practice_id AND t.phone = o.phone
	LEFT JOIN in_flight f ON f.practice_id = o.practice_id AND f.xact = o.xact AND f.id = o.id
	LEFT JOIN after a ON a.practice_id = o.practice_id AND a.xact = o.xact AND a.id = o.id;
COMMENT ON VIEW report.opt_outs IS 'Every opt-out from the events: when the word came in and by which way, what it '
	'covers, how long until it was recorded (empty when the gateway ran on a moved clock), what it cancelled, what was on '
	'its way by then, its age in days, and sends while it was active, which must be 0.';

CREATE OR REPLACE VIEW report.decisions WITH (security_barrier) AS
SELECT e.practice_id, p.name AS practice, e.message_id, m.patient, smsbridge.mask_phone(m.phone) AS phone, m.category,
	e.at, e.type, r.rule, e.reason, coalesce(r.sentence, t.sentence) AS sentence, r.citation,
	e.data->'local' AS local_times, e.data - 'local' - 'receipt' AS facts, e.data->>'pack' AS pack,
	e.data->'consent' AS consent, m.zones, e.data->>'states' AS states,
	e.data->'phone_sends' AS phone_sends, e.data->'patient_sends' AS patient_sends
FROM smsbridge.event e
	LEFT JOIN smsbridge.message m ON m.practice_id = e.practice_id AND m.id = e.message_id
	LEFT JOIN smsbridge.practice p ON p.id = e.practice_id
	LEFT JOIN smsbridge.reason r ON r.code = e.reason
	LEFT JOIN smsbridge.event_type t ON t.code = e.type
WHERE e.type IN ('message.sending', 'message.held', 'message.blocked', 'message.expired', 'message.failed',
	'message.canceled', 'message.requeued');

-- phone_sha256 is of the number as +12125550101, so that an auditor who has a number finds its rows without reading
-- others': sha256(convert_to('+12125550101', 'UTF8')).
CREATE VIEW report.consents WITH (security_barrier) AS
SELECT c.practice_id, p.name AS practice, smsbridge.mask_phone(c.phone) AS phone, right(c.phone, 4) AS last_four,
	encode(sha256(convert_to(c.phone, 'UTF8')), 'hex') AS phone_sha256, c.patient, c.id AS consent_id,
	array_to_string(c.classes, ' ') AS classes, c.basis, c.captured_at, c.method, c.wording_version, c.wording, c.language,
	c.action, c.actor, c.representative, c.adult_on, c.campaign, c.ip, c.authorization_id, c.created_at, c.ended_at,
	c.ended_reason, r.stale_at, r.stale_reason,
	CASE WHEN c.ended_at IS NOT NULL THEN 'ended' WHEN r.stale_at >= c.captured_at THEN 'stale'
		WHEN c.adult_on <= now()::date THEN 'came of age' ELSE 'live' END AS standing,
	EXISTS (SELECT FROM smsbridge.event e WHERE e.practice_id = c.practice_id AND e.type = 'consent.given'
		AND e.phone = c.phone AND e.data->>'id' = c.id::text) AS has_event
FROM smsbridge.consent c LEFT JOIN smsbridge.practice p ON p.id = c.practice_id
	LEFT JOIN smsbridge.recipient r ON r.practice_id = c.practice_id AND r.phone = c.phone;
COMMENT ON VIEW report.consents IS 'Every consent on record with its evidence: when, how, by which words, by whom '
	'recorded, and whether it still counts.';

CREATE VIEW report.funnel WITH (security_barrier) AS
WITH story AS (
	SELECT e.practice_id, e.message_id, min(e.at) FILTER (WHERE e.type = 'message.accepted') AS accepted_at,
		max(e.data->>'category') FILTER (WHERE e.type = 'message.accepted') AS category,
		bool_or(e.type = 'message.sending') AS tried, bool_or(e.type = 'message.sent') AS sent,
		bool_or(e.type = 'message.delivered') AS delivered, bool_or(e.type = 'message.undelivered') AS undelivered,
		bool_or(e.type = 'message.blocked') AS blocked, bool_or(e.type = 'message.expired') AS expired,
		bool_or(e.type = 'message.failed') AS failed, bool_or(e.type = 'message.canceled') AS canceled
	FROM smsbridge.event e WHERE e.message_id IS NOT NULL
	GROUP BY e.practice_id, e.message_id
)
SELECT s.practice_id, p.name AS practice, (s.accepted_at AT TIME ZONE 'UTC')::date AS day, s.category,
	count(*) AS accepted, count(*) FILTER (WHERE tried) AS tried, count(*) FILTER (WHERE sent) AS sent,
	count(*) FILTER (WHERE delivered) AS delivered, count(*) FILTER (WHERE undelivered) AS undelivered,
	count(*) FILTER (WHERE blocked) AS blocked, count(*) FILTER (WHERE expired) AS expired,
	count(*) FILTER (WHERE failed) AS failed, count(*) FILTER (WHERE canceled) AS canceled
FROM story s LEFT JOIN smsbridge.practice p ON p.id = s.practice_id
WHERE s.accepted_at IS NOT NULL
GROUP BY s.practice_id, p.name, (s.accepted_at AT TIME ZONE 'UTC')::date, s.category;
COMMENT ON VIEW report.funnel IS 'Messages by the UTC day on which they were accepted, and class: how far each came.';

-- An hour that nobody may be texted in has no row, so that its absence is to be seen.
CREATE VIEW report.quiet_hours WITH (security_barrier) AS
WITH area AS (
	SELECT npa, array_agg(zone ORDER BY zone) AS zones FROM smsbridge.npa_zone GROUP BY npa
), zone AS MATERIALIZED (
	SELECT name FROM pg_timezone_names
)
SELECT s.practice_id, p.name AS practice, l.day, s.category, l.hour, count(*) AS sends,
	count(*) FILTER (WHERE coalesce(c.quiet, true) AND l.hour NOT BETWEEN 8 AND 20) AS outside
FROM smsbridge.audit_send s LEFT JOIN smsbridge.practice p ON p.id = s.practice_id
	LEFT JOIN zone z ON z.name = s.time_zone
	LEFT JOIN area a ON s.phone LIKE '+1%' AND a.npa = substr(s.phone, 3, 3)
	LEFT JOIN smsbridge.audit_class c ON c.code = s.category
	CROSS JOIN LATERAL (SELECT CASE WHEN z.name IS NOT NULL THEN s.time_zone
		ELSE coalesce(a.zones[1], 'America/New_York') END AS name) AS n
	CROSS JOIN LATERAL (SELECT (s.at AT TIME ZONE n.name)::date AS day,
		extract(hour FROM s.at AT TIME ZONE n.name)::int AS hour) AS l
GROUP BY s.practice_id, p.name, l.day, s.category, l.hour;
COMMENT ON VIEW report.quiet_hours IS 'Sends by the hour on the clock where the patient is (the first zone where there '
	'may be several; violations looks at each), and how many of them a quiet hour forbids, which must be 0.';

CREATE VIEW report.caps WITH (security_barrier) AS
WITH counted AS (
	SELECT s.practice_id, s.phone, coalesce(s.patient, '') AS patient, s.at, 'text' AS kind
	FROM smsbridge.audit_send s LEFT JOIN smsbridge.audit_class c ON c.code = s.category
	WHERE NOT s.notice AND coalesce(c.counted, true)
	UNION ALL
	SELECT practice_id, phone, patient, at, 'call' FROM smsbridge.contact
), rolling AS (
	SELECT practice_id, phone, patient, at, kind, count(*) OVER (PARTITION BY practice_id, phone, patient ORDER BY at
		RANGE BETWEEN interval '167:59:59.999999' PRECEDING AND CURRENT ROW) AS in_week
	FROM counted
), held AS (
	SELECT m.practice_id, m.phone, coalesce(m.patient, '') AS patient, count(DISTINCT e.message_id) AS n
	FROM smsbridge.event e JOIN smsbridge.message m ON m.practice_id = e.practice_id AND m.id = e.message_id
	WHERE e.type IN ('message.held', 'message.expired') AND e.reason IN ('cap_day', 'cap_week', 'cap_state')
	GROUP BY m.practice_id, m.phone, coalesce(m.patient, '')
)
SELECT r.practice_id, p.name AS practice, r.patient, smsbridge.mask_phone(r.phone) AS phone,
	max(r.in_week) AS most_in_week, 3 - max(r.in_week) AS left_at_peak, count(*) FILTER (WHERE kind = 'text') AS texts,
	count(*) FILTER (WHERE kind = 'call') AS calls, max(r.at) AS last_at, coalesce(max(h.n), 0) AS held_by_caps
FROM rolling r LEFT JOIN smsbridge.practice p ON p.id = r.practice_id
	LEFT JOIN held h ON h.practice_id = r.practice_id AND h.phone = r.phone AND h.patient = r.patient
GROUP BY r.practice_id, p.name, r.patient, r.phone;
COMMENT ON VIEW report.caps IS 'Per patient and phone: the most texts and calls in any seven days, how far that is '
	'from the limit of three, and how many messages a cap made wait.';

CREATE VIEW report.emergency WITH (security_barrier) AS
WITH ask AS (
	SELECT DISTINCT ON (practice_id, message_id) practice_id, message_id, at, data->>'person' AS person,
		data->>'reason' AS why
	FROM smsbridge.event WHERE type = 'emergency.requested' ORDER BY practice_id, message_id, xact, id
), yes AS (
	SELECT DISTINCT ON (practice_id, message_id) practice_id, message_id, at, data->>'by' AS by
	FROM smsbridge.event WHERE type = 'emergency.approved' ORDER BY practice_id, message_id, xact, id
)
SELECT m.practice_id, p.name AS practice, m.id AS message_id, m.patient, smsbridge.mask_phone(m.phone) AS phone,
	m.created_at, a.person, a.why, y.by AS approved_by, y.at AS approved_at, m.status, m.reason, s.at AS sent_at,
	EXISTS (SELECT FROM smsbridge.opt_out o WHERE o.practice_id = m.practice_id AND o.phone = m.phone
		AND o.created_at <= coalesce(s.at, m.created_at)
		AND (o.lifted_at IS NULL OR o.lifted_at > coalesce(s.at, m.created_at)))
		AS after_opt_out
FROM smsbridge.message m LEFT JOIN smsbridge.practice p ON p.id = m.practice_id
	LEFT JOIN ask a ON a.practice_id = m.practice_id AND a.message_id = m.id
	LEFT JOIN yes y ON y.practice_id = m.practice_id AND y.message_id = m.id
	LEFT JOIN LATERAL (SELECT min(e.at) AS at FROM smsbridge.event e
		WHERE e.message_id = m.id AND e.practice_id = m.practice_id AND e.type = 'message.sending') AS s ON true
WHERE m.category = 'emergency';
COMMENT ON VIEW report.emergency IS 'Every text sent or asked for as an emergency: who ordered it, why, who approved '
	'it, and whether the patient had opted out.';

CREATE VIEW report.carrier_failures WITH (security_barrier) AS
SELECT e.practice_id, p.name AS practice, (e.at AT TIME ZONE 'UTC')::date AS day, m.category, coalesce(m.carrier, '')
		AS carrier, e.type, e.reason, r.sentence, coalesce(e.data->>'command_status', e.data->>'err', '') AS code,
	count(*) AS events, count(DISTINCT e.message_id) AS messages
FROM smsbridge.event e
	LEFT JOIN smsbridge.message m ON m.practice_id = e.practice_id AND m.id = e.message_id
	LEFT JOIN smsbridge.practice p ON p.id = e.practice_id
	LEFT JOIN smsbridge.reason r ON r.code = e.reason
WHERE e.message_id IS NOT NULL AND e.type IN ('message.requeued', 'message.failed', 'message.undelivered',
	'message.uncertain', 'message.unconfirmed', 'message.blocked')
	AND r.rule IN ('carrier', 'receipt', 'number', 'content')
GROUP BY e.practice_id, p.name, (e.at AT TIME ZONE 'UTC')::date, m.category, coalesce(m.carrier, ''), e.type, e.reason,
	r.sentence, coalesce(e.data->>'command_status', e.data->>'err', '');
COMMENT ON VIEW report.carrier_failures IS 'What carriers refused or could not deliver, by day, reason and code.';

-- 45 CFR 164.404(b): without unreasonable delay and in no case later than 60 days after it became known.
CREATE VIEW report.misdirected WITH (security_barrier) AS
SELECT e.practice_id, p.name AS practice, smsbridge.mask_phone(e.phone) AS phone, e.at AS known_at,
	coalesce(e.data->>'reason', e.data->>'kind') AS kind, e.type, e.data->>'by' AS by,
	coalesce(s.texts, 0) AS texts_before, coalesce(s.personal, 0) AS personal_before, s.last_at AS last_text_at,
	(e.at + interval '60 days')::date AS notify_by, d.decision, d.decided_by, d.decided_at
FROM smsbridge.event e LEFT JOIN smsbridge.practice p ON p.id = e.practice_id
	LEFT JOIN LATERAL (SELECT count(*) AS texts, count(*) FILTER (WHERE m.phi) AS personal, max(m.counted_at) AS last_at
		FROM smsbridge.message m WHERE m.practice_id = e.practice_id AND m.phone = e.phone
			AND m.counted_at IS NOT NULL AND m.counted_at <= e.at) AS s ON true
	LEFT JOIN smsbridge.review_task d ON d.practice_id = e.practice_id AND d.id::text = e.data->>'id'
WHERE (e.type = 'recipient.stale' AND e.data->>'reason' IN ('wrong_number', 'reassigned', 'number_changed',
		'deactivated', 'number_dead'))
	OR (e.type = 'review.opened' AND e.data->>'kind' IN ('wrong_number', 'misdirected'));
COMMENT ON VIEW report.misdirected IS 'Phones found to be somebody else''s: since when that is known, how many texts '
	'went there before, how many of them personal, and until when patients are to be told (60 days).';

CREATE VIEW report.verification WITH (security_barrier) AS
SELECT r.practice_id, p.name AS practice, smsbridge.mask_phone(r.phone) AS phone, right(r.phone, 4) AS last_four,
	r.verify_asked_at, r.verified_at, r.stale_at, r.stale_reason, r.risk_version, r.risk_at, r.risk_method, r.alternative,
	r.household, r.reassigned_at, r.reassigned_answer, CASE
		WHEN r.stale_at >= coalesce(r.verified_at, '-infinity') THEN 'stale'
		WHEN r.verified_at IS NOT NULL THEN 'verified' WHEN r.verify_asked_at IS NOT NULL THEN 'asked' ELSE 'not asked' END
		AS standing, coalesce(r.verified_at, r.verify_asked_at, r.stale_at, r.risk_at) AS last_at
FROM smsbridge.recipient r LEFT JOIN smsbridge.practice p ON p.id = r.practice_id;
COMMENT ON VIEW report.verification IS 'What is known of each phone: whether the patient confirmed it, was told of the '
	'risk of texts, asked for another way, or it is somebody else''s by now.';

-- report.retention asks these two; unless they run as their owner, they are inlined into the view and refused there to
-- compliance staff, who may not look into tables.
ALTER FUNCTION smsbridge.message_ended SECURITY DEFINER SET search_path = pg_catalog;
ALTER FUNCTION smsbridge.held SECURITY DEFINER SET search_path = pg_catalog;

GRANT SELECT ON smsbridge.state_hours TO smsbridge_app;
GRANT SELECT ON report.violations, report.opt_outs, report.decisions, report.consents, report.funnel,
	report.quiet_hours, report.caps, report.emergency, report.carrier_failures, report.misdirected, report.verification
	TO smsbridge_compliance, smsbridge_app;

-- What was recorded is not changed: of these tables the gateways' role may write the columns that end a row, no others.
REVOKE UPDATE ON smsbridge.consent, smsbridge.opt_out, smsbridge.contact, smsbridge.emergency, smsbridge.legal_hold
	FROM smsbridge_app;
REVOKE INSERT ON smsbridge.seal_archive FROM smsbridge_app;
GRANT UPDATE (lifted_at, heard_at) ON smsbridge.opt_out TO smsbridge_app;
GRANT UPDATE (ended_at, ended_reason) ON smsbridge.consent TO smsbridge_app;
GRANT UPDATE (approved_by, approved_at) ON smsbridge.emergency TO smsbridge_app;
GRANT UPDATE (lifted_by, lifted_at, lifted_reason) ON smsbridge.legal_hold TO smsbridge_app;
