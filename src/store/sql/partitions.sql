-- Makes the event table's monthly partitions around $1.
SELECT smsbridge.partitions_make($1::timestamptz)
