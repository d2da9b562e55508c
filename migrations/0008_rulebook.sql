-- The rule book's facts: what a practice has set and attested, consents, what is known of a phone, contacts outside
-- the gateway, opt-outs of any scope, review tasks, emergencies, rule packs. Each table holds the present, so that a
-- claim can judge quickly; every change is an event too, and nothing is overwritten without one.

ALTER TABLE smsbridge.practice
	ADD COLUMN legal_name text,               -- the legal person that texts: the provider of 64.1200(a)(9)(iv)
	ADD COLUMN display_name text,             -- neutral, for patients' eyes; NULL: name
	ADD COLUMN url text,
	ADD COLUMN state text,                    -- two letters
	ADD COLUMN sensitive boolean NOT NULL DEFAULT false, -- presence as its patient is itself protected (42 CFR 2)
	ADD COLUMN consent_mode text NOT NULL DEFAULT 'recorded' CHECK (consent_mode IN ('recorded', 'attested')),
	ADD COLUMN attested_by text,              -- who said that every number was given to the practice by its patient
	ADD COLUMN attested_at timestamptz,
	ADD COLUMN attestation text,              -- version of the words
	ADD COLUMN baa text,                      -- business associate agreement, 45 CFR 164.504(e)
	ADD COLUMN open_minute smallint CHECK (open_minute BETWEEN 480 AND 1259),  -- narrower sending hours
	ADD COLUMN close_minute smallint CHECK (close_minute BETWEEN 481 AND 1260),
	ADD COLUMN lint_phi text NOT NULL DEFAULT 'refuse' CHECK (lint_phi IN ('refuse', 'warn')),
	ADD COLUMN link_domains text[] NOT NULL DEFAULT '{}',
	ADD COLUMN two_person boolean NOT NULL DEFAULT false, -- an emergency needs a second person
	ADD COLUMN retention_days integer NOT NULL DEFAULT 90 CHECK (retention_days BETWEEN 1 AND 3650),
	ADD CHECK (NOT sensitive OR display_name <> ''), -- or its notices would tell whose patient somebody is
	ADD CHECK (open_minute IS NULL OR close_minute IS NULL OR open_minute < close_minute),
	ADD CHECK (consent_mode = 'recorded' OR (attested_by <> '' AND attested_at IS NOT NULL AND attestation <> ''));

ALTER TABLE smsbridge.message
	ADD COLUMN states text NOT NULL DEFAULT '', -- candidate states, blank separated; '': unknown
	ADD COLUMN phi boolean NOT NULL DEFAULT false, -- says more of the patient than that there is a visit
	ADD COLUMN template_id uuid,
	ADD COLUMN answers uuid,                  -- the inbound text that it answers
	ADD COLUMN body_sha256 bytea,             -- of the UTF-8 body; stays when the body goes
	ADD COLUMN redacted_at timestamptz;

-- A grant of consent. It is made once and ends once; a wider or newer one is another row.
CREATE TABLE smsbridge.consent (
	practice_id uuid NOT NULL,
	id uuid NOT NULL,
	phone text NOT NULL,
	patient text NOT NULL DEFAULT '',         -- '': whoever has the phone
	classes text[] NOT NULL CHECK (classes <> '{}'), -- codes of proto/category.def
	basis text NOT NULL CHECK (basis IN ('implied', 'express', 'written')),
	captured_at timestamptz NOT NULL,
	method text NOT NULL,                     -- form, web, voice, text, in_person, import
	wording text NOT NULL DEFAULT '',         -- what the patient was shown or told, word for word
	wording_version text NOT NULL DEFAULT '',
	language text NOT NULL DEFAULT 'en',
	action text NOT NULL DEFAULT '',          -- what the patient did: signed, ticked, said yes, texted JOIN
	actor text NOT NULL,                      -- who recorded it
	representative text NOT NULL DEFAULT '',  -- who consented for the patient, 45 CFR 164.502(g)
	adult_on date,                            -- a minor's consent by a parent ends on this day
	campaign text NOT NULL DEFAULT '',
	ip text NOT NULL DEFAULT '',
	authorization_id text NOT NULL DEFAULT '', -- HIPAA marketing authorization, 45 CFR 164.508(a)(3)
	created_at timestamptz NOT NULL,
	ended_at timestamptz,
	ended_reason text,
	PRIMARY KEY (practice_id, id)
);
CREATE INDEX consent_live ON smsbridge.consent (practice_id, phone) WHERE ended_at IS NULL;

-- What is known of a phone at a practice. No row: nothing.
CREATE TABLE smsbridge.recipient (
	practice_id uuid NOT NULL,
	phone text NOT NULL,
	stale_at timestamptz,                     -- consents captured until then do not count any more
	stale_reason text,                        -- wrong_number, number_dead, deactivated, reassigned, number_changed, ...
	verify_asked_at timestamptz,
	verified_at timestamptz,                  -- answered YES to a text without PHI; ends with stale_at
	risk_version text,                        -- of the warning that texts are not encrypted, 78 FR 5634
	risk_at timestamptz,
	risk_method text,
	alternative text NOT NULL DEFAULT '' CHECK (alternative IN ('', 'no_sms', 'other_phone')), -- 45 CFR 164.522(b)
	household boolean NOT NULL DEFAULT false, -- several patients share it: the phone's own cap is relaxed
	auto_replies integer NOT NULL DEFAULT 0,  -- answers to keywords since auto_reply_at
	auto_reply_at timestamptz,
	muted_at timestamptz,
	reassigned_at timestamptz,                -- when the Reassigned Numbers Database was asked
	reassigned_answer text CHECK (reassigned_answer IN ('yes', 'no', 'no_data')),
	PRIMARY KEY (practice_id, phone)
) WITH (fillfactor = 85);

-- Calls of the practice that no gateway sees: the limits are of calls and texts together.
CREATE TABLE smsbridge.contact (
	practice_id uuid NOT NULL,
	id uuid NOT NULL,
	phone text NOT NULL,
	patient text NOT NULL,
	kind text NOT NULL,                       -- voice, voicemail, text
	at timestamptz NOT NULL,
	reported_by text NOT NULL,
	created_at timestamptz NOT NULL,
	PRIMARY KEY (practice_id, id)
);
CREATE INDEX contact_phone ON smsbridge.contact (practice_id, phone, at);
CREATE INDEX contact_patient ON smsbridge.contact (practice_id, patient, at);

ALTER TABLE smsbridge.opt_out
	ADD COLUMN category text NOT NULL DEFAULT '', -- '': everything that is stoppable
	ADD COLUMN scope text NOT NULL DEFAULT 'practice' CHECK (scope IN ('practice', 'category', 'sender', 'everyone')),
	ADD COLUMN channel text NOT NULL DEFAULT 'text', -- text, carrier, staff, voicemail, email, web, letter, in_person
	ADD COLUMN actor text NOT NULL DEFAULT '',
	ADD COLUMN words text NOT NULL DEFAULT '';    -- what the patient said, where staff wrote it down
DROP INDEX smsbridge.opt_out_active;
CREATE UNIQUE INDEX opt_out_active ON smsbridge.opt_out (practice_id, phone, category) WHERE lifted_at IS NULL;

-- What a person has to look at. While one with holds is open, nothing that can be stopped goes to that phone.
CREATE TABLE smsbridge.review_task (
	practice_id uuid NOT NULL,
	id uuid NOT NULL,
	kind text NOT NULL,                       -- possible_opt_out, possible_cancel_visit, wrong_number, emergency, ...
	phone text NOT NULL,
	patient text NOT NULL DEFAULT '',
	inbound_id uuid,
	message_id uuid,
	holds boolean NOT NULL DEFAULT false,
	opened_at timestamptz NOT NULL,
	owner text,
	decision text,
	decided_by text,
	decided_at timestamptz,
	note text NOT NULL DEFAULT '',
	PRIMARY KEY (practice_id, id)
);
CREATE INDEX review_task_open ON smsbridge.review_task (practice_id, phone) WHERE decided_at IS NULL;

CREATE TABLE smsbridge.emergency (
	practice_id uuid NOT NULL,
	message_id uuid NOT NULL,
	person text NOT NULL,                     -- who asked for it
	reason text NOT NULL,
	approved_by text,                         -- another person
	approved_at timestamptz,
	PRIMARY KEY (practice_id, message_id)
);

-- Rows of proto/rule_pack.def, category.def, state_hours.def, written anew by every `smsbridge migrate`. Numbers are
-- text, as in the rows.
CREATE TABLE smsbridge.rule_pack (code text PRIMARY KEY, effective_from text NOT NULL, effective_to text NOT NULL,
	shipped_on boolean NOT NULL, citation text NOT NULL, sentence text NOT NULL);
CREATE TABLE smsbridge.category (code text PRIMARY KEY, flags text NOT NULL, basis text NOT NULL,
	citation text NOT NULL, sentence text NOT NULL);

-- When packs were switched by a person. The last row says whether one is on.
CREATE TABLE smsbridge.rule_pack_switch (
	pack text NOT NULL,
	at timestamptz NOT NULL,
	on_now boolean NOT NULL,
	by text NOT NULL,
	PRIMARY KEY (pack, at)
);
-- Whether a pack's rules hold at an instant: it is in its dates, and on as shipped or as last switched.
CREATE FUNCTION smsbridge.pack_on(code text, at timestamptz) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT coalesce((SELECT coalesce((SELECT s.on_now FROM smsbridge.rule_pack_switch s
				WHERE s.pack = p.code AND s.at <= pack_on.at ORDER BY s.at DESC LIMIT 1), p.shipped_on)
			AND pack_on.at >= p.effective_from::timestamptz
			AND (p.effective_to = '' OR pack_on.at < p.effective_to::timestamptz)
		FROM smsbridge.rule_pack p WHERE p.code = pack_on.code), false)
$$;

GRANT SELECT ON ALL TABLES IN SCHEMA smsbridge TO smsbridge_app;
GRANT INSERT, UPDATE ON smsbridge.consent, smsbridge.recipient, smsbridge.contact, smsbridge.review_task,
	smsbridge.emergency TO smsbridge_app;
GRANT INSERT ON smsbridge.rule_pack_switch TO smsbridge_app;
