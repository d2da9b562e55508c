-- Takes the sealers' lock until the transaction ends, when nobody has it, and keeps seal_take.sql to its index. Returns
-- whether we have it. Behind it comes seal_facts.sql, whose snapshot then sees the last seal of whoever had the lock.
SELECT pg_try_advisory_xact_lock(7310771300013), set_config('enable_bitmapscan', 'off', true)
