-- This process takes its node's name. $1 name, $2 instance. Submits that an earlier process of that name, or a process
-- unseen for a minute, left open may have been sent: they become uncertain. $3 now. Returns how many. Index:
-- message_open.
WITH me AS (
	INSERT INTO smsbridge.node AS n (name, instance, started_at, seen_at)
	VALUES ($1::text, $2::uuid, clock_timestamp(), clock_timestamp())
	ON CONFLICT (name) DO UPDATE SET instance = excluded.instance, started_at = excluded.started_at,
		seen_at = excluded.seen_at
), alive AS (
	SELECT instance FROM smsbridge.node WHERE name <> $1 AND seen_at > clock_timestamp() - interval '60 seconds'
), lost AS (
	UPDATE smsbridge.message m SET status = 'uncertain', reason = 'process_ended', updated_at = $3::timestamptz
	WHERE m.status = 'sending' AND m.due_at IS NULL AND m.instance IS DISTINCT FROM $2
		AND NOT EXISTS (SELECT FROM alive WHERE alive.instance = m.instance)
	RETURNING m.practice_id, m.id
), told AS (
	INSERT INTO smsbridge.event (practice_id, message_id, type, at, reason)
	SELECT practice_id, id, 'message.uncertain', $3, 'process_ended' FROM lost
)
SELECT count(*) FROM lost
