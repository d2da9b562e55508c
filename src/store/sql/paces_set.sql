-- Writes how far senders are ahead, whose rows paces has locked. Arrays: $1 sender $2 until when. Index:
-- sender_pace_pkey.
UPDATE smsbridge.sender_pace p SET next_at = v.next_at
FROM unnest($1::text[], $2::timestamptz[]) AS v(sender, next_at) WHERE p.sender = v.sender
