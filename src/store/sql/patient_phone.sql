-- Another phone for a patient; takes the recipients' locks itself. $1 practice $2 ref $3 phone $4 actor $5 reason
-- $6 whether consents follow $7 how the patient said so $8 what the patient did $9 when $10 condition (api_etag.h)
-- $11 whether the caller sees phones $12 now. Returns a problem's code or '', JSON, the phone before, the version.
-- Indexes: patient_pkey, message_waiting, consent_phone, opt_out_phone, appointment_patient.
SELECT problem, body, phone, version FROM smsbridge.patient_phone_change($1::uuid, $2::text, $3::text, $4::text,
	$5::text, $6::bool, $7::text, $8::text, $9::timestamptz, $10::bigint[], $11::bool, $12::timestamptz)
