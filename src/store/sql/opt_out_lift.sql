-- Lifts what a STOP set, to us or to the carrier: the patient's own word ends it. $1 practice $2 phone $3 at $4 word
-- $5 inbound id. Returns 't' when there was one.
-- Index: opt_out_active.
WITH lifted AS (
	UPDATE smsbridge.opt_out SET lifted_at = $3::timestamptz
	WHERE practice_id = $1::uuid AND phone = $2::text AND lifted_at IS NULL AND method IN ('reply', 'carrier')
	RETURNING id
), told AS (
	INSERT INTO smsbridge.event (practice_id, type, at, phone, data)
	SELECT $1, 'opt_out.lifted', $3, $2, jsonb_build_object('method', 'reply', 'word', $4::text, 'inbound_id', $5::uuid)
	WHERE EXISTS (SELECT FROM lifted)
)
SELECT EXISTS (SELECT FROM lifted)
