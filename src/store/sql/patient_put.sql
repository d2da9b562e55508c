-- Records a patient as the practice knows them now; to be run under the locks of phone and patient. $1 practice $2
-- ref $3 phone $4 time zone or null $5 zip or null $6 state or null $7 language $8 alternative or '' $9 household $10
-- actor $11 condition (api_etag.h) $12 whether the caller sees phones $13 now. Returns a problem's code or '', JSON,
-- the version, whether it is new. Indexes: patient_pkey, patient_phone.
SELECT problem, body, version, made FROM smsbridge.patient_put($1::uuid, $2::text, $3::text, $4::text, $5::text,
	$6::text, $7::text, $8::text, $9::bool, $10::text, $11::bigint[], $12::bool, $13::timestamptz)
