-- Sign of life. $1 name, $2 instance, $3 now. Returns 't' while the name is still ours. Submits of nodes unseen for a
-- minute become uncertain. Indexes: node_pkey, message_open.
WITH me AS (
	UPDATE smsbridge.node SET seen_at = clock_timestamp() WHERE name = $1::text AND instance = $2::uuid RETURNING name
), dead AS (
	SELECT instance FROM smsbridge.node WHERE name <> $1 AND seen_at <= clock_timestamp() - interval '60 seconds'
), lost AS (
	UPDATE smsbridge.message m SET status = 'uncertain', reason = 'process_ended', updated_at = $3::timestamptz
	WHERE m.status = 'sending' AND m.due_at IS NULL AND m.instance IN (SELECT instance FROM dead)
	RETURNING m.practice_id, m.id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason)
	SELECT practice_id, id, 'message.uncertain', $3, 'process_ended' FROM lost
)
SELECT EXISTS (SELECT FROM me)
