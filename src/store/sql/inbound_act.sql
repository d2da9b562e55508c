-- Does what a text asks for, then settles what it was taken as; to be run under the locks of the phone at every
-- practice given. $1 practices: the one that it is for, then those that share its sender $2 others where something
-- waits $3 intent $4 word or rule $5 categories of a stop of some $6 may mean a visit (t/f) $7 phone $8 at $9 id
-- $10 how it answers a reminder ('' not at all) $11 which visit by number, 0 for none $12 what is no answer is for
-- people (t/f) $13 id of the message that may ask back.
-- Returns whether an opt-out was made or lifted, what was done; what the text was taken as, whether the patient is told
-- so (t/f), times, language, and the practice that tells it: id, name, phone, sender.
-- Indexes: see the functions in migrations/0010_optout.sql and 0020_reply.sql.
SELECT a.changed, a.done, r.outcome, r.tell, r.times, r.language, r.practice, r.name, r.contact, r.sender
FROM smsbridge.inbound_act($1::uuid[], $2::uuid[], $3::text, $4::text, $5::text[], $6::boolean, $7::text,
		$8::timestamptz, $9::uuid) AS a
	CROSS JOIN LATERAL smsbridge.reply_act($1, a.done, $10::text, $11::int4, $12::boolean, $7, $9, $13::uuid) AS r
