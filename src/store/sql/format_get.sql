-- What is known of carriers' message ids. Returns carrier, how, form in the answer, form in the receipt, how often.
SELECT carrier, how, answer, receipt, count FROM smsbridge.carrier_id_format
