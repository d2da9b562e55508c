-- What a message is for. $1 practice, $2 id. Returns its category, or no row. Index: message_pkey.
SELECT category FROM smsbridge.message WHERE practice_id = $1::uuid AND id = $2::uuid
