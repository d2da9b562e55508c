-- A person takes a conversation or closes it. $1 practice $2 id $3 'own' or 'close' $4 person $5 the caller sees phones
-- $6 and texts $7 now. Returns a problem's code or '', JSON, the phone. Index: conversation_practice_id_id_key.
SELECT problem, body::text, phone FROM smsbridge.conversation_do($1::uuid, $2::uuid, $3::text, $4::text, $5::boolean,
	$6::boolean, $7::timestamptz)
