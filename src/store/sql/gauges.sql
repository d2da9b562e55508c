-- What waits and what is open, for metrics. $1 now. Returns due, not due, seconds that the oldest due one waits,
-- uncertain, unmatched receipts. Counting stops at 100,000 each. Indexes: message_due, message_open.
SELECT
	(SELECT count(*) FROM (SELECT FROM smsbridge.message WHERE due_at <= $1::timestamptz LIMIT 100000) a),
	(SELECT count(*) FROM (SELECT FROM smsbridge.message WHERE due_at > $1 LIMIT 100000) b),
	coalesce(extract(epoch FROM $1 - (SELECT min(due_at) FROM smsbridge.message WHERE due_at <= $1)), 0),
	(SELECT count(*) FROM (SELECT FROM smsbridge.message WHERE status = 'uncertain' LIMIT 100000) c),
	(SELECT count(*) FROM (SELECT FROM smsbridge.receipt LIMIT 100000) d)
