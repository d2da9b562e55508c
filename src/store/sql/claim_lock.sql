-- Locks recipients until the transaction ends. $1 keys, ascending, so that gateways never wait for each other in a
-- ring.
SELECT count(*) FROM (SELECT pg_advisory_xact_lock(k) FROM unnest($1::int8[]) AS k) AS locked
