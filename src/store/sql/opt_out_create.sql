-- Records an opt-out and cancels what waits for that phone, in one statement; to be run under the recipient's lock.
-- Rows that a claim holds are skipped: it waits for our lock and will see the opt-out.
-- $1 practice $2 id $3 phone $4 method $5 word $6 at $7 inbound id. Returns 't' when it is new, else 'f'; and how many
-- were cancelled. What a carrier that takes cancel_sm has and has not reported on is asked back. Indexes:
-- opt_out_active, message_waiting, message_phone, ask_pkey.
WITH made AS (
	INSERT INTO smsbridge.opt_out (practice_id, id, phone, method, word, created_at)
	VALUES ($1::uuid, $2::uuid, $3::text, $4::text, $5::text, $6::timestamptz)
	ON CONFLICT (practice_id, phone, category) WHERE lifted_at IS NULL DO NOTHING
	RETURNING id
), waiting AS (
	SELECT practice_id, id FROM smsbridge.message
	WHERE practice_id = $1 AND phone = $3 AND due_at IS NOT NULL
		AND category NOT IN ('opt_out_confirmation', 'resume_confirmation', 'help_reply')
	FOR UPDATE SKIP LOCKED
), canceled AS (
	UPDATE smsbridge.message m SET status = 'canceled', reason = 'canceled_by_opt_out', due_at = NULL, updated_at = $6
	FROM waiting w WHERE m.practice_id = w.practice_id AND m.id = w.id
	RETURNING m.id
), asked AS (
	INSERT INTO smsbridge.ask (practice_id, message_id, kind, carrier, reason, due_at)
	SELECT m.practice_id, m.id, 'cancel', m.carrier, 'canceled_by_opt_out', $6 FROM smsbridge.message m
		JOIN smsbridge.carrier c ON c.name = m.carrier AND c.cancel
	WHERE m.practice_id = $1 AND m.phone = $3 AND m.counted_at > $6 - interval '3 days'
		AND m.status IN ('sent', 'uncertain', 'unconfirmed')
	ON CONFLICT DO NOTHING
	RETURNING message_id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, phone, reason, data)
	SELECT $1, NULL, CASE WHEN EXISTS (SELECT FROM made) THEN 'opt_out.created' ELSE 'opt_out.repeated' END, $6, $3, NULL,
		jsonb_build_object('method', $4, 'word', $5, 'inbound_id', $7::uuid, 'canceled', (SELECT count(*) FROM canceled))
	UNION ALL
	SELECT $1, id, 'message.canceled', $6, NULL, 'canceled_by_opt_out', NULL FROM canceled
	UNION ALL
	SELECT $1, message_id, 'message.recalling', $6, NULL, 'canceled_by_opt_out', NULL FROM asked
	UNION ALL
	SELECT $1, m.id, 'opt_out.in_flight', $6, $3, 'opt_out_in_flight', NULL FROM smsbridge.message m
	WHERE m.practice_id = $1 AND m.phone = $3 AND m.status = 'sending' AND m.counted_at IS NOT NULL
)
SELECT EXISTS (SELECT FROM made), (SELECT count(*) FROM canceled)
