-- Forgets dead letters of before $1. Index: webhook_wait_pkey.
DELETE FROM smsbridge.webhook_wait WHERE dead_at < $1::timestamptz
