-- What we ask carriers about messages that they have: query_sm, cancel_sm, replace_sm.

-- What each carrier takes, as the running gateways' configuration says it.
CREATE TABLE smsbridge.carrier (
	name text PRIMARY KEY,
	query boolean NOT NULL,
	query_after interval NOT NULL,            -- from the submit
	cancel boolean NOT NULL,
	replace boolean NOT NULL,
	updated_at timestamptz NOT NULL
);

-- A question that is open. It goes when due, again and again until it is answered or was asked often enough; then
-- due_at is infinity, and the row goes with the message's end.
CREATE TABLE smsbridge.ask (
	practice_id uuid NOT NULL,
	message_id uuid NOT NULL,
	kind text NOT NULL CHECK (kind IN ('query', 'cancel', 'replace')),
	carrier text NOT NULL,
	reason text NOT NULL,                     -- of a cancel that succeeds
	body text,                                -- of a replace
	due_at timestamptz NOT NULL,
	attempts smallint NOT NULL DEFAULT 0,
	PRIMARY KEY (practice_id, message_id, kind)
);
CREATE INDEX ask_due ON smsbridge.ask (due_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON smsbridge.carrier, smsbridge.ask TO smsbridge_app;
