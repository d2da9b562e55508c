-- Whose consent it is, for the recipient's lock. $1 practice $2 id. Index: consent_pkey.
SELECT phone FROM smsbridge.consent WHERE practice_id = $1::uuid AND id = $2::uuid
