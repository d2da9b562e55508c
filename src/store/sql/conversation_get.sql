-- One conversation. $1 practice $2 id $3 the caller sees phones $4 and texts. Returns JSON, its phone, the patient ('':
-- not known), the patient's last text for people. Indexes: conversation_practice_id_id_key, inbound_pkey.
SELECT smsbridge.conversation_json(c, $3::boolean, $4::boolean)::text, c.phone, c.patient, c.last_inbound_id
FROM smsbridge.conversation c WHERE c.practice_id = $1::uuid AND c.id = $2::uuid
