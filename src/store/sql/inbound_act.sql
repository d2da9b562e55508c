-- Does what a text asks for; to be run under the locks of the phone at every practice given. $1 practices: the one
-- that it is for, then those that share its sender $2 others where something waits $3 intent $4 word or rule
-- $5 categories of a stop of some $6 may mean a visit (t/f) $7 phone $8 at $9 inbound id.
-- Returns whether an opt-out was made or lifted, and what was done.
-- Indexes: see the functions in migrations/0010_optout.sql.
SELECT changed, done FROM smsbridge.inbound_act($1::uuid[], $2::uuid[], $3::text, $4::text, $5::text[], $6::boolean,
	$7::text, $8::timestamptz, $9::uuid)
