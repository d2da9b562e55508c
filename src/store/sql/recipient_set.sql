-- What a person says of a phone: risk warning, preference, household, or that the patient has another number now (then
-- no consent that was given for this one until now counts any more, and none follows to the new one). To be run under
-- the recipient's lock. What is null stays as it is.
-- $1 practice $2 phone $3 now $4 actor $5 version of the risk warning $6 when it was given $7 how $8 alternative
-- $9 household $10 the new number. Returns the recipient as JSON. Index: recipient_pkey.
WITH old AS (
	SELECT * FROM smsbridge.recipient WHERE practice_id = $1::uuid AND phone = $2::text
), made AS (
	INSERT INTO smsbridge.recipient AS r (practice_id, phone, risk_version, risk_at, risk_method, alternative, household,
		stale_at, stale_reason)
	VALUES ($1, $2, $5::text, $6::timestamptz, $7::text, coalesce($8::text, ''), coalesce($9::bool, false),
		CASE WHEN $10::text IS NOT NULL THEN $3::timestamptz END, CASE WHEN $10 IS NOT NULL THEN 'number_changed' END)
	ON CONFLICT (practice_id, phone) DO UPDATE SET
		risk_version = coalesce(excluded.risk_version, r.risk_version), risk_at = coalesce(excluded.risk_at, r.risk_at),
		risk_method = coalesce(excluded.risk_method, r.risk_method), alternative = coalesce($8, r.alternative),
		household = coalesce($9, r.household), stale_at = greatest(excluded.stale_at, r.stale_at),
		stale_reason = coalesce(excluded.stale_reason, r.stale_reason),
		verified_at = CASE WHEN $10 IS NULL THEN r.verified_at END
	RETURNING r.*
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	SELECT $1, 'recipient.changed', $3, $2, jsonb_build_object('field', 'risk_warning', 'value',
		jsonb_build_object('version', $5, 'at', $6, 'method', $7), 'actor', $4::text) WHERE $5 IS NOT NULL
	UNION ALL
	SELECT $1, 'recipient.changed', $3, $2, jsonb_build_object('field', 'alternative', 'value', $8, 'actor', $4)
	WHERE $8 IS DISTINCT FROM coalesce((SELECT alternative FROM old), '') AND $8 IS NOT NULL
	UNION ALL
	SELECT $1, 'recipient.changed', $3, $2, jsonb_build_object('field', 'household', 'value', $9, 'actor', $4)
	WHERE $9 IS DISTINCT FROM coalesce((SELECT household FROM old), false) AND $9 IS NOT NULL
	UNION ALL
	SELECT $1, 'recipient.stale', $3, $2, jsonb_build_object('reason', 'number_changed', 'by', $4)
	WHERE $10 IS NOT NULL
	UNION ALL
	SELECT $1, 'recipient.changed', $3, $10, jsonb_build_object('field', 'number', 'value', 'replaces another',
		'actor', $4)
	WHERE $10 IS NOT NULL
)
SELECT json_build_object('phone', phone, 'stale_at', stale_at, 'stale_reason', stale_reason,
	'verify_asked_at', verify_asked_at, 'verified_at', verified_at, 'risk_warning', CASE WHEN risk_at IS NOT NULL THEN
		json_build_object('version', risk_version, 'at', risk_at, 'method', risk_method) END,
	'alternative', nullif(alternative, ''), 'household', household, 'reassigned_at', reassigned_at,
	'reassigned_answer', reassigned_answer) FROM made
