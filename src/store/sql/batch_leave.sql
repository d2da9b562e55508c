-- The upload ended before its end: another may go on with the batch. $1 practice $2 batch $3 upload. Index: batch_pkey.
UPDATE smsbridge.batch SET upload = NULL WHERE practice_id = $1::uuid AND id = $2::uuid AND upload = $3::uuid
