-- A patient's row, the change of a phone with all that it does to consents, opt-outs and messages, the timeline and the
-- search of messages; who may write what of it. The practice is t.practice(1), now is noon of 2 March 2026.
\set now '''2026-03-02T17:00:00Z''::timestamptz'
CREATE FUNCTION t.put(ref text, phone text, alternative text DEFAULT '', household boolean DEFAULT false,
	match bigint[] DEFAULT NULL, zip text DEFAULT NULL) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s/%s/%s', problem, version, made) FROM smsbridge.patient_put(t.practice(1), put.ref, put.phone, NULL,
		put.zip, NULL, 'en', put.alternative, put.household, 'test', put.match, true, '2026-03-02T17:00:00Z')
$$;
CREATE FUNCTION t.move(ref text, phone text, follow boolean DEFAULT false, match bigint[] DEFAULT NULL,
	at timestamptz DEFAULT '2026-03-02T18:00:00Z') RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(nullif(problem, ''), format('%s followed, %s carried, %s canceled', body::jsonb->'change'->>'consents_followed',
		body::jsonb->'change'->>'opt_outs_carried', body::jsonb->'change'->>'messages_canceled'))
	FROM smsbridge.patient_phone_change(t.practice(1), move.ref, move.phone, 'r.front', 'desk', move.follow, 'in_person',
		'said so', move.at, move.match, true, move.at)
$$;
CREATE FUNCTION t.agreed(phone text, classes text[], basis text DEFAULT 'implied', patient text DEFAULT '',
	captured timestamptz DEFAULT '2026-01-01') RETURNS void LANGUAGE sql AS $$
	INSERT INTO smsbridge.consent (practice_id, id, phone, patient, classes, basis, captured_at, method, actor, created_at)
	VALUES (t.practice(1), gen_random_uuid(), agreed.phone, agreed.patient, agreed.classes, agreed.basis, agreed.captured,
		'form', 'test', agreed.captured)
$$;
CREATE FUNCTION t.consents(phone text) RETURNS text LANGUAGE sql AS $$
	SELECT coalesce(string_agg(format('%s %s %s', c.basis, c.classes[1], c.patient), ', ' ORDER BY c.basis, c.classes), '')
	FROM smsbridge.consent c WHERE c.practice_id = t.practice(1) AND c.phone = consents.phone AND c.ended_at IS NULL
$$;

-- The row and its versions.
SELECT t.is(t.put('a', '+12125550101'), '/1/t', 'a patient is made');
SELECT t.is(t.put('a', '+12125550101'), '/1/f', 'the same again is the same');
SELECT t.is(t.put('a', '+12125550101', zip => '10001'), '/2/f', 'what changed is a version');
SELECT t.is(t.put('a', '+12125550102'), 'phone_change_needed/2/f', 'another phone is no PUT');
SELECT t.is(t.put('a', '+12125550101', match => '{1}'), 'precondition_failed/2/f', 'a former version');
SELECT t.is(t.put('a', '+12125550101', match => '{0}'), 'precondition_failed/2/f', 'there is one already');
SELECT t.is(t.put('a', '+12125550101', match => '{}'), 'precondition_failed/2/f', 'a tag that was never ours');
SELECT t.is(t.put('a', '+12125550101', match => '{-1}'), '/3/f', 'any version');
SELECT t.is(t.put('nobody', '+12125550101', match => '{-1}'), 'precondition_failed/0/t', 'any version of none');
SELECT t.is(count(*)::text, '3', 'an event for each version') FROM smsbridge.event
	WHERE type = 'patient.saved' AND patient = 'a';

-- What patients want of a phone is the strictest of those who share it.
SELECT t.is(t.put('b', '+12125550103', 'no_sms'), '/1/t', 'one wants no texts');
SELECT t.is(t.put('c', '+12125550103'), '/1/t', 'one has not said');
SELECT t.is(alternative, 'no_sms', 'no texts to the phone') FROM smsbridge.recipient WHERE phone = '+12125550103';
SELECT t.is(t.put('c', '+12125550103', 'other_phone'), '/2/f', 'and one wants another phone');
SELECT t.is(t.put('b', '+12125550103', ''), '/2/f', 'the first takes it back');
SELECT t.is(alternative, 'other_phone', 'the second''s stands') FROM smsbridge.recipient WHERE phone = '+12125550103';
UPDATE smsbridge.recipient SET alternative = 'no_sms' WHERE phone = '+12125550103';
SELECT t.is(t.put('b', '+12125550103', '', true), '/3/f', 'another wish of the first');
SELECT t.is(alternative || household, 'no_smstrue', 'what staff said of the phone stands')
	FROM smsbridge.recipient WHERE phone = '+12125550103';

-- The lock of a patient is not that of a phone of the same text.
SELECT t.is((smsbridge.patient_key(t.practice(1), 'a') <> smsbridge.recipient_key(t.practice(1), 'a'))::text, 'true',
	'locks of patients and phones differ');

-- Another phone.
SELECT t.is(t.move('nobody', '+12125550110'), 'patient_unknown', 'of nobody');
SELECT t.is(t.move('a', '+12125550101'), 'number_same', 'the same');
SELECT t.is(t.move('a', '+12125550110', match => '{1}'), 'precondition_failed', 'of a former version');
SELECT t.agreed('+12125550101', '{appointment_reminder}');
SELECT t.agreed('+12125550101', '{promotional}', 'written', 'a');
SELECT t.agreed('+12125550101', '{survey}', 'express', 'somebody');
SELECT t.is(t.move('a', '+12125550110', true), '2 followed, 0 carried, 0 canceled', 'consents that follow');
SELECT t.is(t.consents('+12125550110'), 'express promotional a, implied appointment_reminder a',
	'a written one follows as express, another patient''s not at all');
SELECT t.is(stale_reason, 'number_changed', 'the phone before is stale') FROM smsbridge.recipient
	WHERE phone = '+12125550101';
SELECT t.is(t.move('a', '+12125550111', true, at => '2026-03-02T19:00:00Z'), '2 followed, 0 carried, 0 canceled',
	'what followed once follows again');
SELECT t.is(t.move('a', '+12125550101', true, at => '2026-03-02T20:00:00Z'), '2 followed, 0 carried, 0 canceled',
	'back to the first phone');
SELECT t.is(smsbridge.consent_state(c, r.stale_at, '2026-03-02T20:00:01Z'), wanted, wanted || ' on a phone that came back')
FROM (VALUES ('{appointment_reminder}'::text[], '2026-01-01'::timestamptz, 'stale'),
	('{appointment_reminder}', '2026-03-02T20:00:00Z', 'counts')) AS v(classes, captured, wanted)
	JOIN smsbridge.consent c ON c.phone = '+12125550101' AND c.classes = v.classes AND c.captured_at = v.captured
	JOIN smsbridge.recipient r ON r.practice_id = c.practice_id AND r.phone = c.phone;
SELECT t.is(string_agg(phone || ' ' || coalesce(to_char(until AT TIME ZONE 'UTC', 'HH24'), '-'), ', ' ORDER BY since),
	'+12125550101 18, +12125550110 19, +12125550111 20, +12125550101 -', 'the phones that a patient had')
	FROM smsbridge.patient_number WHERE ref = 'a';

-- Opt-outs: the patient's and staff's go along, at this practice only; a wrong number's does not; what is there stays.
SELECT t.is(t.put('d', '+12125550120'), '/1/t', 'another');
SELECT t.is((ARRAY[smsbridge.opt_out_make(t.practice(1), '+12125550120', '', 'reply', 'STOP', 'practice', 'text', '', '', :now, NULL, NULL),
	smsbridge.opt_out_make(t.practice(1), '+12125550120', 'survey', 'staff', '', 'category', 'letter', 'x', 'y', :now, NULL, NULL),
	smsbridge.opt_out_make(t.practice(1), '+12125550120', '', 'wrong_number', 'WRONG', 'practice', 'text', '', '', :now, NULL, NULL),
	smsbridge.opt_out_make('00000000-0000-0000-0000-000000000000', '+12125550120', '', 'reply', 'STOPALL', 'everyone', 'text',
		'', '', :now, NULL, NULL)])::text, '{t,t,t,t}', 'four that stand');
SELECT t.is(t.move('d', '+12125550121'), '0 followed, 2 carried, 0 canceled', 'what the patient said goes along');
SELECT t.is(string_agg(category || ' ' || source || ' ' || (practice_id = t.practice(1)), ', ' ORDER BY category, source),
	' patient true, survey staff true', 'from each source, at this practice') FROM smsbridge.opt_out
	WHERE phone = '+12125550121' AND lifted_at IS NULL;
SELECT t.is(count(*)::text, '4', 'and stays where it was said') FROM smsbridge.opt_out
	WHERE phone = '+12125550120' AND lifted_at IS NULL;

-- What waits.
INSERT INTO smsbridge.message (practice_id, id, patient, phone, sender, zones, body, encoding, characters, segments,
	category, priority, expires_at, status, due_at, counted_at, created_at, updated_at)
SELECT t.practice(1), gen_random_uuid(), v.patient, v.phone, '+12025550191', '', 'x', 'gsm7', 1, 1, 'appointment_reminder', 1,
	'2026-04-01', v.status, v.due::timestamptz, v.counted::timestamptz, '2026-03-01', '2026-03-01'
FROM (VALUES ('e', '+12125550130', 'held', '2026-03-03', NULL), ('e', '+12125550130', 'scheduled', 'infinity', NULL),
	('f', '+12125550130', 'held', '2026-03-03', NULL), ('e', '+12125550139', 'held', '2026-03-03', NULL),
	('e', '+12125550130', 'sending', NULL, '2026-03-02')) AS v(patient, phone, status, due, counted);
SELECT t.is(t.put('e', '+12125550130'), '/1/t', 'and another');
SELECT t.is(t.move('e', '+12125550131'), '0 followed, 0 carried, 2 canceled', 'what waits for the phone before is canceled');
SELECT t.is(string_agg(patient || right(phone, 2) || ' ' || status || ' ' || coalesce(reason, '-'), ', ' ORDER BY patient, phone, status),
	'e30 canceled canceled_by_phone_change, e30 canceled canceled_by_phone_change, e30 sending -, e39 held -, f30 held -',
	'and nothing else') FROM smsbridge.message WHERE patient IN ('e', 'f');
SELECT t.is(count(*)::text, '1', 'what is being handed over is not wanted a second time') FROM smsbridge.withdrawn w
	JOIN smsbridge.message m ON m.id = w.message_id WHERE m.status = 'sending' AND w.reason = 'canceled_by_phone_change';

-- The timeline.
SELECT t.is((SELECT count(*) FROM smsbridge.patient_timeline(t.practice(1), 'd', '0', 0, true, true, 100))::text,
	(SELECT count(*) FROM smsbridge.event WHERE practice_id = t.practice(1)
		AND (patient = 'd' OR phone IN ('+12125550120', '+12125550121')))::text, 'what names the patient and was of the phone');
SELECT t.is((SELECT string_agg(place, ',') FROM smsbridge.patient_timeline(t.practice(1), 'd', '0', 0, true, true, 100)),
	(SELECT string_agg(x.place, ',') FROM (SELECT a.place FROM smsbridge.patient_timeline(t.practice(1), 'd', '0', 0, true, true, 3) AS a
		UNION ALL SELECT b.place FROM (SELECT split_part(max(place), '-', 1) AS xact, split_part(max(place), '-', 2) AS id
			FROM (SELECT place FROM smsbridge.patient_timeline(t.practice(1), 'd', '0', 0, true, true, 3) OFFSET 2) AS last) AS l,
		smsbridge.patient_timeline(t.practice(1), 'd', l.xact::xid8, l.id::bigint, true, true, 100) AS b) AS x),
	'pages leave nothing out');
SELECT t.is((count(*) FILTER (WHERE item::text LIKE '%+12125550%'))::text, '0', 'a phone not seen is masked')
	FROM smsbridge.patient_timeline(t.practice(1), 'd', '0', 0, false, true, 100);
SELECT t.is((count(*) FILTER (WHERE item::text LIKE '%STOP%'))::text, '0', 'nor is a word')
	FROM smsbridge.patient_timeline(t.practice(1), 'd', '0', 0, true, false, 100);
INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
SELECT t.practice(1), 'recipient.verified', at, '+12125550101', '{}'
FROM unnest(ARRAY['2026-03-02T17:30:00Z', '2026-03-02T18:30:00Z', '2026-03-02T20:30:00Z']::timestamptz[]) AS at;
SELECT t.is(string_agg(to_char((item->>'at')::timestamptz AT TIME ZONE 'UTC', 'HH24:MI'), ' '), '17:30 20:30',
	'of a phone that was left and came back what happened while it was theirs')
	FROM smsbridge.patient_timeline(t.practice(1), 'a', '0', 0, true, true, 100) WHERE item->>'type' = 'recipient.verified';
SELECT t.is(count(*)::text, '0', 'another practice''s') FROM smsbridge.patient_timeline(t.practice(2), 'a', '0', 0, true,
	true, 100);

-- Ids of an instant.
SELECT t.is((smsbridge.id_floor(:now) <= smsbridge.id_at(:now) AND smsbridge.id_at(:now) < smsbridge.id_floor(:now
	+ interval '1 millisecond'))::text, 'true', 'an id lies at its instant');

-- Who may.
SELECT t.refused('smsbridge_app', s, '42501%') FROM unnest(ARRAY['DELETE FROM smsbridge.patient',
	'DELETE FROM smsbridge.patient_number']) AS s;
