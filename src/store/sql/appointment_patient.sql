-- What an appointment may leave out of a patient who is known. $1 practice $2 the patient's ref. Returns JSON with
-- phone, time_zone, zip, state and language, or no row. Index: patient_pkey.
SELECT jsonb_build_object('phone', phone, 'time_zone', time_zone, 'zip', zip, 'state', state,
	'language', language)::text
FROM smsbridge.patient WHERE practice_id = $1::uuid AND ref = $2::text
