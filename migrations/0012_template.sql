-- Templates and the campaigns that senders are registered for.

-- Name, contact and STOP must be in every text of health care. Practices from before keep what they have: their texts
-- were never looked at for that.
ALTER TABLE smsbridge.practice ADD COLUMN require_identity boolean NOT NULL DEFAULT false;
ALTER TABLE smsbridge.practice ALTER COLUMN require_identity SET DEFAULT true;

-- A version of a template. Its words never change after saving; only its status moves on.
CREATE TABLE smsbridge.template (
	practice_id uuid NOT NULL,
	id uuid NOT NULL,
	name text NOT NULL,
	language text NOT NULL,
	version integer NOT NULL,
	category text NOT NULL,                   -- class of proto/category.def
	body text NOT NULL,                       -- with {variables}; holds nothing of a patient
	variables jsonb NOT NULL,                 -- {"day": {"type": "date", "max": 11}}
	septets smallint NOT NULL CHECK (septets BETWEEN 1 AND 160), -- of the longest text that it can become
	sha256 bytea NOT NULL,                    -- of the body
	status text NOT NULL DEFAULT 'draft' CHECK (status IN ('draft', 'approved', 'retired')),
	saved_by text NOT NULL,
	saved_at timestamptz NOT NULL,
	approved_by text,
	approved_at timestamptz,
	retired_by text,
	retired_at timestamptz,
	PRIMARY KEY (practice_id, id),
	UNIQUE (practice_id, name, language, version),
	CHECK ((status = 'approved') <= (approved_by <> '' AND approved_at IS NOT NULL)),
	CHECK ((status = 'retired') = (retired_at IS NOT NULL))
);

CREATE FUNCTION smsbridge.template_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - '{status,approved_by,approved_at,retired_by,retired_at}'::text[]
		= to_jsonb(OLD) - '{status,approved_by,approved_at,retired_by,retired_at}'::text[]
		AND (OLD.status, NEW.status) IN (('draft', 'approved'), ('draft', 'retired'), ('approved', 'retired'))
		AND (OLD.approved_at IS NULL OR NEW.approved_at = OLD.approved_at) THEN
		RETURN NEW;
	END IF;
	RAISE EXCEPTION 'a template that was saved is not changed: % refused', TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER template_fixed BEFORE UPDATE OR DELETE ON smsbridge.template
	FOR EACH ROW EXECUTE FUNCTION smsbridge.template_fixed();

-- What a sender's number is registered to carry (10DLC campaign, toll-free verification, short code brief).
CREATE TABLE smsbridge.sender_campaign (
	practice_id uuid NOT NULL REFERENCES smsbridge.practice,
	sender text NOT NULL,
	campaign text NOT NULL,                   -- the registry's id
	classes text[] NOT NULL CHECK (classes <> '{}'),
	registered_at timestamptz NOT NULL,
	registered_by text NOT NULL,
	ended_at timestamptz,
	ended_by text,
	PRIMARY KEY (practice_id, sender, campaign, registered_at)
);
CREATE UNIQUE INDEX sender_campaign_live ON smsbridge.sender_campaign (practice_id, sender, campaign)
	WHERE ended_at IS NULL;

-- The campaign that lets the practice's sender carry a class; NULL when none does.
CREATE FUNCTION smsbridge.campaign_of(practice uuid, class text) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT min(c.campaign) FROM smsbridge.practice p
	JOIN smsbridge.sender_campaign c ON c.practice_id = p.id AND c.sender = p.sender AND c.ended_at IS NULL
	WHERE p.id = campaign_of.practice AND campaign_of.class = ANY (c.classes)
$$;

GRANT SELECT, INSERT, UPDATE ON smsbridge.template, smsbridge.sender_campaign TO smsbridge_app;
