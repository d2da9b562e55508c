-- Cancels what of a batch waits. $1 practice $2 id. Returns a problem's code or '', JSON, ''. Index: batch_pkey.
SELECT problem, body::text, phone FROM smsbridge.batch_cancel($1::uuid, $2::uuid)
