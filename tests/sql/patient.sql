-- A patient's row, the change of a phone with all that it does to consents, opt-outs and messages, the timeline and the
-- search of messages.
SELECT t.is(1::text,1::text,'x');
