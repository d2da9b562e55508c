-- The settings that a practice may see and change itself. $1 practice. Returns version, JSON. Index: practice_pkey.
SELECT p.settings_version, smsbridge.settings_json(p) FROM smsbridge.practice p WHERE p.id = $1::uuid
