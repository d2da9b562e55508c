-- Forgets day counters of past days. $1 now. Index: none, the table is small.
DELETE FROM smsbridge.ceiling_day WHERE day < ($1::timestamptz - interval '8 days')::date
