-- A patient with what is known of the phone. $1 practice $2 ref $3 whether the caller sees phones $4 and texts. Returns
-- JSON, version, phone, time zone, zip, state, language (null: not given); no row when there is none. Indexes:
-- patient_pkey and those of patient_show.
SELECT smsbridge.patient_show(p, $3::bool, $4::bool)::text, p.version, p.phone, p.time_zone, p.zip, p.state, p.language
FROM smsbridge.patient p WHERE p.practice_id = $1::uuid AND p.ref = $2::text
