-- Which rule packs were last switched on or off by a person, as of $1; read in the claim's transaction, so that a
-- switch holds for the first claim after its commit. Index: rule_pack_switch_pkey.
SELECT DISTINCT ON (pack) pack, on_now
FROM smsbridge.rule_pack_switch WHERE at <= $1::timestamptz ORDER BY pack, at DESC
