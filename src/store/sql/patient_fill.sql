-- What a message may leave out of a patient who is known. $1 practice $2 ref $3 the template's name, or null. Returns
-- phone, time zone, zip, state (null: not given), and the language to look for the template in: the patient's if
-- there is an approved version in it, else English. Indexes: patient_pkey, template's by name.
SELECT p.phone, p.time_zone, p.zip, p.state, CASE WHEN EXISTS (SELECT FROM smsbridge.template t
		WHERE t.practice_id = p.practice_id AND t.name = $3::text AND t.language = p.language AND t.status = 'approved')
	THEN p.language ELSE 'en' END
FROM smsbridge.patient p WHERE p.practice_id = $1::uuid AND p.ref = $2::text
