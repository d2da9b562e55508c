-- What the rules need to know of each recipient; to be run after claim_lock, for a snapshot that sees all before it.
-- Arrays: $1 practice, $2 phone, $3 patient; $4 since when sends matter; arrays: $5 sender $6 content key; $7 now;
-- arrays: $8 category $9 the latest local day where the patient may be $10 inbound text that it answers, or NULL
-- $11 message.
-- Returns, in order: opt-outs, each "/" and its category ("/" alone: everything); times of counted sends and contacts
-- of the phone and of the patient, newest first, as arrays of microseconds; the phone's flag ('dead', 'blocked' or '');
-- content stopped (t/f); what holds the sender, a line each: reason, until when in microseconds or "-", carrier; the
-- consent: basis, id, when in microseconds, whether it counts (t/f); when the practice attested, in microseconds,
-- NULL too when a consent for the class was ended; the
-- phone is stale (t/f); the practice's opening and closing minute, two persons (t/f); alternative asked, household,
-- verified, risk warned, review open (t/f); when the answered text came, in microseconds; emergency ordered, approved
-- (t/f); what the practice's texts are judged by: name, display name, phone, url, link domains, sensitive, PHI warns
-- only, identity required (t/f); why nobody wants the message any more, or NULL.
-- Indexes: opt_out_active, message_phone, message_patient, contact_phone, contact_patient, phone_flag_pkey,
-- content_stop_pkey, sender_hold_pkey, consent_live, recipient_pkey, practice_pkey, review_task_open, inbound_pkey,
-- emergency_pkey, withdrawn_pkey.
SELECT coalesce((SELECT string_agg(DISTINCT '/' || o.category, '') FROM smsbridge.opt_out o
		WHERE o.practice_id IN (r.practice_id, '00000000-0000-0000-0000-000000000000') AND o.phone = r.phone
			AND o.lifted_at IS NULL), ''),
	ARRAY(SELECT (extract(epoch FROM s.at) * 1000000)::bigint FROM (
		(SELECT m.counted_at AS at FROM smsbridge.message m
			WHERE m.practice_id = r.practice_id AND m.phone = r.phone AND m.counted_at > $4::timestamptz
			ORDER BY m.counted_at DESC LIMIT 16)
		UNION ALL
		(SELECT c.at FROM smsbridge.contact c
			WHERE c.practice_id = r.practice_id AND c.phone = r.phone AND c.at > $4 ORDER BY c.at DESC LIMIT 16)) AS s
		ORDER BY s.at DESC LIMIT 16),
	ARRAY(SELECT (extract(epoch FROM s.at) * 1000000)::bigint FROM (
		(SELECT m.counted_at AS at FROM smsbridge.message m
			WHERE m.practice_id = r.practice_id AND m.patient = r.patient AND m.counted_at > $4
			ORDER BY m.counted_at DESC LIMIT 16)
		UNION ALL
		(SELECT c.at FROM smsbridge.contact c
			WHERE c.practice_id = r.practice_id AND c.patient = r.patient AND c.at > $4 ORDER BY c.at DESC LIMIT 16)) AS s
		ORDER BY s.at DESC LIMIT 16),
	coalesce((SELECT max(f.kind) FROM smsbridge.phone_flag f
		WHERE f.practice_id = r.practice_id AND f.phone = r.phone AND f.sender IN ('', r.sender)), ''),
	EXISTS (SELECT FROM smsbridge.content_stop s
		WHERE s.practice_id = r.practice_id AND s.content_key = r.content_key),
	coalesce((SELECT string_agg(h.reason || ' ' || coalesce((extract(epoch FROM h.until_at) * 1000000)::bigint::text, '-')
			|| ' ' || h.carrier, E'\n')
		FROM smsbridge.sender_hold h WHERE h.sender = r.sender AND (h.until_at IS NULL OR h.until_at > $7::timestamptz)), ''),
	k.basis, k.id, (extract(epoch FROM k.captured_at) * 1000000)::bigint, k.counts,
	CASE WHEN p.consent_mode = 'attested' AND NOT EXISTS (SELECT FROM smsbridge.consent w
			WHERE w.practice_id = r.practice_id AND w.phone = r.phone AND w.ended_at IS NOT NULL
				AND r.category = ANY (w.classes) AND w.patient IN ('', r.patient))
		THEN (extract(epoch FROM p.attested_at) * 1000000)::bigint END,
	rc.stale_at IS NOT NULL, p.open_minute, p.close_minute, coalesce(p.two_person, false),
	coalesce(rc.alternative <> '', false), coalesce(rc.household, false),
	coalesce(rc.verified_at > coalesce(rc.stale_at, '-infinity'), false), rc.risk_at IS NOT NULL,
	EXISTS (SELECT FROM smsbridge.review_task t
		WHERE t.practice_id = r.practice_id AND t.phone = r.phone AND t.decided_at IS NULL AND t.holds),
	CASE WHEN r.answers IS NOT NULL THEN (SELECT (extract(epoch FROM i.received_at) * 1000000)::bigint
		FROM smsbridge.inbound i
		WHERE i.practice_id = r.practice_id AND i.id = r.answers AND i.phone = r.phone) END,
	coalesce(e.person <> '' AND e.reason <> '', false), coalesce(e.approved_at IS NOT NULL, false),
	p.name, p.display_name, p.phone, p.url, array_to_string(p.link_domains, ' '), p.sensitive, p.lint_phi = 'warn',
	p.require_identity,
	(SELECT w.reason FROM smsbridge.withdrawn w WHERE w.practice_id = r.practice_id AND w.message_id = r.message_id),
	r.answers IS NOT NULL AND EXISTS (SELECT FROM smsbridge.message m
		WHERE m.practice_id = r.practice_id AND m.id = r.message_id AND m.person IS NULL),
	r.answers IS NOT NULL AND EXISTS (SELECT FROM smsbridge.message o
		WHERE o.practice_id = r.practice_id AND o.phone = r.phone AND o.category = 'conversational_reply'
			AND o.answers = r.answers AND o.id <> r.message_id AND o.person IS NULL
			AND o.status IN ('sending', 'sent', 'delivered', 'undelivered', 'uncertain', 'unconfirmed'))
FROM unnest($1::uuid[], $2::text[], $3::text[], $5::text[], $6::int8[], $8::text[], $9::text[], $10::uuid[],
		$11::uuid[]) WITH ORDINALITY
		AS r(practice_id, phone, patient, sender, content_key, category, day, answers, message_id, ord)
	LEFT JOIN LATERAL (SELECT * FROM smsbridge.practice p WHERE p.id = r.practice_id LIMIT 1) AS p ON true
	LEFT JOIN LATERAL (SELECT * FROM smsbridge.recipient rc
		WHERE rc.practice_id = r.practice_id AND rc.phone = r.phone LIMIT 1) AS rc ON true
	LEFT JOIN LATERAL (SELECT * FROM smsbridge.emergency e WHERE r.category = 'emergency'
		AND e.practice_id = r.practice_id AND e.message_id = r.message_id LIMIT 1) AS e ON true
	LEFT JOIN LATERAL (
		SELECT c.basis, c.id, c.captured_at, (rc.stale_at IS NULL OR c.captured_at > rc.stale_at)
			AND (c.adult_on IS NULL OR c.adult_on > r.day::date) AS counts
		FROM smsbridge.consent c
		WHERE c.practice_id = r.practice_id AND c.phone = r.phone AND c.ended_at IS NULL AND r.category = ANY (c.classes)
			AND c.patient IN ('', r.patient)
		ORDER BY counts DESC, array_position(ARRAY['written', 'express', 'implied'], c.basis), c.captured_at DESC
		LIMIT 1) AS k ON true
ORDER BY r.ord
