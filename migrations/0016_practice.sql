-- Where a message came from, for the practice's side: its trace, its batch, its broadcast. What is shown of phones.

ALTER TABLE smsbridge.message
	ADD COLUMN trace text,                    -- W3C traceparent of the request that made it
	ADD COLUMN batch_id uuid,
	ADD COLUMN batch_item integer,            -- its place there, from 0
	ADD COLUMN broadcast_id uuid,
	ADD COLUMN discard boolean NOT NULL DEFAULT false, -- its text is taken out as soon as it ended
	ADD CHECK ((batch_id IS NULL) = (batch_item IS NULL));
CREATE UNIQUE INDEX message_batch ON smsbridge.message (practice_id, batch_id, batch_item) WHERE batch_id IS NOT NULL;

-- Find messages by the practice's reference, and by the template that they were made with. A message is written four
-- times on its way, and each time in all of its indexes; these are written once.
CREATE TABLE smsbridge.message_reference (
	practice_id uuid NOT NULL,
	reference text NOT NULL,                  -- message.reference
	message_id uuid NOT NULL,
	PRIMARY KEY (practice_id, reference, message_id)
);
INSERT INTO smsbridge.message_reference
SELECT practice_id, reference, id FROM smsbridge.message WHERE reference IS NOT NULL;
CREATE TABLE smsbridge.message_template (
	practice_id uuid NOT NULL,
	template_id uuid NOT NULL,                -- message.template_id when it was accepted
	message_id uuid NOT NULL,
	PRIMARY KEY (practice_id, template_id, message_id)
);
INSERT INTO smsbridge.message_template
SELECT practice_id, template_id, id FROM smsbridge.message WHERE template_id IS NOT NULL;
GRANT SELECT, INSERT ON smsbridge.message_reference, smsbridge.message_template TO smsbridge_app;

-- A phone as a caller may see it: whole, or its last four digits.
CREATE FUNCTION smsbridge.phone_shown(phone text, sees boolean) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN sees OR length(phone) < 7 THEN phone ELSE left(phone, 2) || '******' || right(phone, 4) END
$$;

-- Rows of proto/event_member.def, written anew by every `smsbridge migrate`: what a webhook tells of an event's data.
CREATE TABLE smsbridge.event_member (type text NOT NULL, member text NOT NULL, key text NOT NULL,
	PRIMARY KEY (type, member));
GRANT SELECT ON smsbridge.event_member TO smsbridge_app;
