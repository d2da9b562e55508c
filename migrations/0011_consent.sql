-- The doors of the consent ledger: what is looked up by phone, what a consent is worth at an instant, and numbers that
-- a file reports as dead without a message of ours.

CREATE INDEX consent_phone ON smsbridge.consent (practice_id, phone, id);
CREATE INDEX consent_adult ON smsbridge.consent (adult_on) WHERE ended_at IS NULL AND adult_on IS NOT NULL;

-- A deactivation file flags a phone without any message: then all zeros.
ALTER TABLE smsbridge.phone_flag ALTER COLUMN message_id SET DEFAULT '00000000-0000-0000-0000-000000000000';

-- Whether somebody has come of age where a phone may be: the first of its area code's zones decides, and the first of
-- the country's where the area code is not known.
CREATE FUNCTION smsbridge.came_of_age(adult_on date, phone text, at timestamptz) RETURNS boolean
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT adult_on <= coalesce((SELECT max((came_of_age.at AT TIME ZONE z.zone)::date) FROM smsbridge.npa_zone z
		WHERE z.npa = substr(came_of_age.phone, 3, 3)), (came_of_age.at AT TIME ZONE 'Pacific/Guam')::date)
$$;

-- What a consent is worth: 'counts', or why not: 'ended', 'came_of_age' (a minor's, given by a parent) or 'stale'.
CREATE FUNCTION smsbridge.consent_state(c smsbridge.consent, stale_at timestamptz, at timestamptz) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN c.ended_at <= consent_state.at THEN 'ended'
		WHEN smsbridge.came_of_age(c.adult_on, c.phone, consent_state.at) THEN 'came_of_age'
		WHEN c.captured_at <= consent_state.stale_at THEN 'stale'
		ELSE 'counts' END
$$;
REVOKE ALL ON FUNCTION smsbridge.came_of_age, smsbridge.consent_state FROM PUBLIC;
GRANT EXECUTE ON FUNCTION smsbridge.came_of_age, smsbridge.consent_state TO smsbridge_app;
