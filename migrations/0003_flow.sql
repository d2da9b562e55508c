-- How fast, how many and in which order: daily ceilings, rates of senders, and the index by which practices take turns.

-- Segments that a sender number or a brand handed to carriers on a local day. What is proven never to have left is
-- taken off again; what a crash leaves undecided stays counted.
CREATE TABLE smsbridge.ceiling_day (
	kind text NOT NULL CHECK (kind IN ('sender', 'brand')),
	name text NOT NULL,
	day date NOT NULL,                        -- in the zone whose midnight ends the carrier's day
	used integer NOT NULL,
	PRIMARY KEY (kind, name, day)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON smsbridge.ceiling_day TO smsbridge_app;

-- How far a sender number is ahead of its rate: up to this instant of the rule clock what it sent is spread out. All
-- gateways share it.
CREATE TABLE smsbridge.sender_pace (
	sender text PRIMARY KEY,
	next_at timestamptz NOT NULL
) WITH (fillfactor = 50);
GRANT SELECT, INSERT, UPDATE ON smsbridge.sender_pace TO smsbridge_app;

CREATE INDEX message_turn ON smsbridge.message (practice_id, priority, due_at) WHERE due_at IS NOT NULL;
