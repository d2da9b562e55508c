-- A page of what happened to a patient, in the order in which it was stored. $1 practice $2 ref $3 behind this
-- transaction $4 and event of it $5 whether the caller sees phones $6 and texts $7 limit + 1. Returns the place for
-- the next page, JSON, whether there is such a patient; a row without a place when there is nothing. Indexes:
-- patient_pkey, event_patient, event_phone, message_patient, message_uncounted_patient, event_message.
SELECT t.place, t.item::text, EXISTS (SELECT FROM smsbridge.patient p
	WHERE p.practice_id = $1::uuid AND p.ref = $2::text)
FROM (SELECT) AS one LEFT JOIN smsbridge.patient_timeline($1, $2, $3::text::xid8, $4::int8, $5::bool, $6::bool,
	$7::int4) AS t ON true
