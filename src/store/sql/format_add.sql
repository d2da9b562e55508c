-- Adds to what is known of carriers' message ids. Arrays: $1 carrier $2 how a receipt's id was the answer's $3 form
-- in the answer $4 form in the receipt $5 how often $6 first $7 last time. Index: carrier_id_format_pkey.
INSERT INTO smsbridge.carrier_id_format AS f (carrier, how, answer, receipt, count, first_at, last_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int8[], $6::timestamptz[], $7::timestamptz[])
ON CONFLICT (carrier, how, answer, receipt) DO UPDATE SET count = f.count + excluded.count,
	first_at = least(f.first_at, excluded.first_at), last_at = greatest(f.last_at, excluded.last_at)
