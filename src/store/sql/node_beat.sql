-- Sign of life. $1 name, $2 instance, $3 now. Returns 't' while the name is still ours. Submits of nodes unseen for a
-- minute become uncertain. Indexes: node_pkey, message_open.
WITH me AS (
	UPDATE smsbridge.node SET seen_at = clock_timestamp() WHERE name = $1::text AND instance = $2::uuid RETURNING name
), dead AS MATERIALIZED (
	SELECT instance FROM smsbridge.node WHERE name <> $1 AND seen_at <= clock_timestamp() - interval '60 seconds'
), theirs AS ( -- a look-up a dead node: none is dead nearly always, and then the index is not read at all
	SELECT m.practice_id, m.id FROM dead CROSS JOIN LATERAL (
		SELECT practice_id, id FROM smsbridge.message
		WHERE status = 'sending' AND due_at IS NULL AND instance = dead.instance OFFSET 0) AS m
), lost AS (
	UPDATE smsbridge.message m SET status = 'uncertain', reason = 'process_ended', updated_at = $3::timestamptz
	FROM theirs t WHERE m.practice_id = t.practice_id AND m.id = t.id AND m.status = 'sending'
	RETURNING m.practice_id, m.id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason)
	SELECT practice_id, id, 'message.uncertain', $3, 'process_ended' FROM lost
)
SELECT EXISTS (SELECT FROM me)
