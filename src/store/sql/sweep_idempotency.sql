-- Forgets Idempotency-Keys made before $1. Index: idempotency_age.
DELETE FROM smsbridge.idempotency WHERE created_at < $1::timestamptz
