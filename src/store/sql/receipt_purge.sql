-- Forgets kept receipts older than $1. Returns how many are left.
WITH gone AS (DELETE FROM smsbridge.receipt WHERE received_at < $1::timestamptz)
SELECT count(*) FROM smsbridge.receipt WHERE received_at >= $1::timestamptz
