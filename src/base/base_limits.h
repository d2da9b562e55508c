/* Every ceiling of the process, each with its unit and its reason. Past a ceiling the caller is told to wait or is
 * refused with a reason; nothing grows with load. */
#ifndef BASE_LIMITS_H
#define BASE_LIMITS_H

/* --- HTTP, in ------------------------------------------------------------------------------------------------- */
#define LIMIT_HTTP_HEAD_BYTES 16384   /* request line and headers; RFC 9112 suggests 8000, proxies add their own */
#define LIMIT_HTTP_BODY_BYTES 65536   /* a message is under 2 kB; room for later batch routes */
#define LIMIT_HTTP_LARGE_BODIES 16    /* larger ones collected at a time by a listener: nobody has shown a key yet */
#define LIMIT_HTTP_HEADERS 64         /* header lines in a request */
#define LIMIT_HTTP_ANSWER_HEAD_BYTES 4096 /* header lines of an answer beyond the fixed ones; all are of ours */
#define LIMIT_HTTP_ETAGS 16           /* entity tags in an If-Match; a client knows one or two */
#define LIMIT_HTTP_CONNECTIONS 2048   /* open connections of a listener; more are closed at once */
#define LIMIT_LISTENERS 8             /* HTTPS listeners beside http.listen */
#define LIMIT_HTTP_HEAD_MS 10000      /* from first octet to end of head: slow senders */
#define LIMIT_HTTP_BODY_MS 20000      /* from end of head to end of body */
#define LIMIT_HTTP_IDLE_MS 75000      /* keep-alive silence */
#define LIMIT_HTTP_ANSWER_MS 30000    /* a handler that has not answered by then is answered with 503 */
#define LIMIT_HTTP_HANDSHAKE_MS 10000 /* TLS handshake of an accepted connection */
#define LIMIT_HTTP_REQUESTS 100000    /* requests on one connection before it is closed, so that load rebalances */

/* --- HTTP, bodies in pieces; batches that practices send ------------------------------------------------------ */
#define LIMIT_HTTP_PIECE_BYTES 65536          /* what of such a body lies with us between two pieces */
#define LIMIT_HTTP_PROGRESS_MS 20000          /* it has no end in time, so in each such span while it is read ... */
#define LIMIT_HTTP_PROGRESS_BYTES 20480       /* ... so many octets must come: 1 kB a second */
#define LIMIT_HTTP_LINGER_MS 2000             /* answered before its end: read on so long, or TCP takes that back */
#define LIMIT_BATCH_ITEMS 1000                /* items of a batch in JSON; more come as NDJSON */
#define LIMIT_BATCH_BODY_BYTES (4 << 20)      /* its octets: 4 kB an item */
#define LIMIT_BATCH_LINE_BYTES 32768          /* a line of NDJSON: the longest text with every character escaped */
#define LIMIT_BATCH_LINE_SKIP_BYTES (1 << 20) /* a longer line is refused and passed over; past this all ends */
#define LIMIT_BATCH_OPEN 96                   /* items of an upload that wait for their commit; then it is not read */
#define LIMIT_BATCH_UPLOADS 8                 /* at a time: their items stay under LIMIT_READ_QUEUE */
#define LIMIT_BATCH_PRACTICE_UPLOADS 2        /* of these a practice's, or one would keep out all others */
#define LIMIT_BATCH_SETTLE 1000               /* messages cancelled in one statement */
#define LIMIT_BROADCAST_PACE 60000            /* texts a minute: 1,000 a second */

/* --- messages ------------------------------------------------------------------------------------------------- */
#define LIMIT_MESSAGE_CHARACTERS 160        /* 47 CFR 64.1200(a)(9)(iv)(E) */
#define LIMIT_GSM7_SEPTETS 160              /* one SMS of the GSM 7-bit alphabet, 3GPP TS 23.038 */
#define LIMIT_UCS2_UNITS 70                 /* one SMS of UCS-2 */
#define LIMIT_BODY_BYTES 4096               /* UTF-8 octets of a body that is looked at at all */
#define LIMIT_PATIENT_BYTES 64              /* the practice's own patient reference */
#define LIMIT_REFERENCE_BYTES 128           /* the practice's own message reference */
#define LIMIT_CHOICE_BYTES 40               /* a word of a fixed list in a request */
#define LIMIT_EVIDENCE_BYTES 4096           /* the wording that a patient was shown: a page of a form */
#define LIMIT_NAME_BYTES 128                /* a person, a version, a campaign, what a patient did */
#define LIMIT_IDEMPOTENCY_KEY_BYTES 128     /* Idempotency-Key after unquoting */
#define LIMIT_SEND_AT_AHEAD_S (366 * 86400) /* how far ahead send_at may lie: a year of appointments */
#define LIMIT_SEND_AT_BEHIND_S 86400        /* how far back send_at may lie before it is taken for a mistake */
#define LIMIT_CONTACT_BEHIND_S (9 * 86400)  /* how far back a call may lie: the caps look at no more */
#define LIMIT_ATTEMPTS 20                   /* proven non-sends (throttled, link lost) before a message fails */
#define LIMIT_PLAN_STEPS 8                  /* reminders of one visit: the caps let three of them go in a week */
#define LIMIT_REFUSALS 8                    /* of these, for a passing or unknown status: an hour of waits */

/* --- batches -------------------------------------------------------------------------------------------------- */
#define LIMIT_ACCEPT_BATCH 128    /* drafts in one accept statement; past 50 there is little left to gain */
#define LIMIT_ACCEPT_QUEUE 4096   /* drafts that wait for their commit; more get 503 with Retry-After */
#define LIMIT_CLAIM_BATCH 128     /* messages judged in one claim */
#define LIMIT_OUTCOME_BATCH 256   /* answers, receipts written in one statement */
#define LIMIT_OUTCOME_QUEUE 65536 /* answers and receipts that wait; links stop reading before that */
#define LIMIT_ASK_ANSWERS 64      /* answers to cancel_sm, replace_sm that wait to be written; more are asked again */
#define LIMIT_SEAL_BATCH 5000     /* events of one seal: 0.1 s of the database; 250 kB of its list */
#define LIMIT_LEDGER_FETCH 1000   /* events that `ledger verify` holds at a time */
#define LIMIT_LEDGER_FINDINGS 500 /* findings looked at together for events that changed places */
#define LIMIT_LEDGER_KEYS 1000    /* signing keys; one a month for 80 years */
#define LIMIT_LEDGER_MONTHS 1200  /* months moved out: a century */
#define LIMIT_REPORT_PAGE_ROWS 500             /* rows of a report in memory at a time */
#define LIMIT_REPORT_ROW_BYTES (4 * 1024 * 1024) /* octets of one of its rows, however it is written */
#define LIMIT_READ_QUEUE 1024     /* reads that wait on the read lane; more get 503 */
#define LIMIT_ACCESS_BATCH 1024   /* notes of who touched patients' data in one statement */
#define LIMIT_ACCESS_QUEUE 8192   /* such notes that wait to be written; past it requests get 503 */
#define LIMIT_CHANGE_QUEUE 256    /* changes by people that wait for their commit; more get 503 */
#define LIMIT_REDACT_BATCH 500    /* texts taken out in one statement: a tenth of a second of row locks */
#define LIMIT_LIST 200            /* messages on one page of GET /v1/messages */
#define LIMIT_KEY_CACHE 4096      /* API keys remembered between look-ups */
#define LIMIT_KEY_CACHE_MS 1000   /* so a key revoked elsewhere works at most a second longer */
#define LIMIT_KEY_USED 4096       /* keys whose last use waits to be written */
#define LIMIT_KEY_USED_MS 2000    /* wait between batches of them: an UPDATE a key and batch, not a request */
#define LIMIT_JWKS_BYTES 32768    /* a client's public keys as JSON */
#define LIMIT_JWKS_KEYS 32        /* keys among them; those behind are not looked at */
#define LIMIT_KEYSETS 256         /* URLs of clients' keys that are kept */
#define LIMIT_KEYSET_MS 600000    /* how long what lies there is believed */
#define LIMIT_KEYSET_AGAIN_MS 10000 /* wait between fetches of one URL: a kid that is not there asks for one */
#define LIMIT_KEYSET_FETCH_MS 5000  /* one fetch */
#define LIMIT_KEYSET_WAITERS 64   /* requests that wait for one URL; more are answered with what is there */
#define LIMIT_KEY_NETWORKS 32     /* addresses and prefixes that a key may be used from */
#define LIMIT_STRANGERS_BURST 100 /* unknown keys that an address may show at once, each a look-up and a note */
#define LIMIT_STRANGERS_RATE 20   /* and a second afterwards; more get 429 without a look */
#define LIMIT_ACCESS_LOGINS 1024  /* notes of failed logins that wait, of LIMIT_ACCESS_QUEUE; more become one */
#define LIMIT_ACCESS_TOLD 32      /* of one address between two writes that name the key that was tried */

/* --- time zones ----------------------------------------------------------------------------------------------- */
#define LIMIT_ZONES 8               /* candidate zones of one patient */
#define LIMIT_ZONE_NAME_BYTES 48    /* longest IANA name is 32 */
#define LIMIT_ZONE_FILE_BYTES 65536 /* largest TZif file of tzdata is under 4 kB */
#define LIMIT_ZONE_TRANSITIONS 2048 /* transitions of one zone */
#define LIMIT_ZONE_CACHE 640        /* zones kept parsed; tzdata has about 600 names */

/* --- SMPP ----------------------------------------------------------------------------------------------------- */
#define LIMIT_PDU_BYTES 70000             /* header + fields + one message_payload of 65,535 */
#define LIMIT_PDU_LINE_BYTES (1 << 19)    /* a PDU as a line of text: every octet escaped, and its names */
#define LIMIT_PDU_TLVS 64                 /* TLVs of one PDU that are kept */
#define LIMIT_WINDOW 1000                 /* unanswered submits of one session */
#define LIMIT_LATE 1024                   /* timed-out sequence numbers kept for a late answer */
#define LIMIT_SESSION_OUT_BYTES (1 << 20) /* octets that wait for the socket; past it the session is busy */
#define LIMIT_SESSION_IN_OPEN 512         /* peer's requests that wait for our answer */
#define LIMIT_CARRIERS 32                 /* carriers in the configuration */
#define LIMIT_LINKS 16                    /* sessions of one carrier */
#define LIMIT_CARRIER_TLVS 16             /* TLVs that the configuration adds to each submit of a carrier */
#define LIMIT_CARRIER_TLV_BYTES 1024      /* octets of their values together */
#define LIMIT_CARRIER_ADDRESSES 64        /* addresses and prefixes that one carrier may connect from */
#define LIMIT_PASSWORD_BYTES 64           /* a bind's password; the specification says 8, providers issue more */
#define LIMIT_PASSWORD_CHECKS 64          /* passwords that wait for the worker: 3 s of it; more are told busy */
#define LIMIT_PASSWORD_MEMORY 64          /* passwords that matched and are remembered: a link each, twice over */
#define LIMIT_SCRYPT_BYTES (32u << 20)    /* memory that the check of one password may take */
#define LIMIT_SMPP_CONNECTIONS 4096       /* open connections of the SMPP listeners; more are closed at once */
#define LIMIT_ROUTES 128                  /* routes in the configuration: looked through for each message */
#define LIMIT_SENDERS 1024                /* sender numbers with limits of their own: a bucket each */
#define LIMIT_BRANDS 64                   /* brands in the configuration */
#define LIMIT_MULTI 100                   /* destinations of one submit_multi of ours; 254 is the most (3.4 4.5.1) */
#define LIMIT_BINDS_A_MINUTE 600          /* of one account: a bind for each message is borne, a storm is not */
#define LIMIT_RECEIPTS_OWED 4096          /* receipts for texts that carriers submitted to us; in memory, best effort */
#define LIMIT_RECEIPT_CANDIDATES 6        /* spellings of one message id that are looked up */
#define LIMIT_PART_BYTES 1024             /* octets of one part of a text in several; a phone's has at most 160 */
#define LIMIT_INBOUND_QUEUE 2048          /* patients' texts that wait for their commit; more come again */
#define LIMIT_INBOUND_BYTES (32 << 20)    /* their octets; one message_payload has up to 65,535 */
#define LIMIT_PARTS_OUT 10                /* segments of one text of ours; carriers refuse or drop what has more */

/* --- webhooks ------------------------------------------------------------------------------------------------- */
#define LIMIT_WEBHOOK_BATCH 16          /* events of one endpoint posted side by side */
#define LIMIT_WEBHOOK_FAST 32           /* endpoints served at a time that take what they get */
#define LIMIT_WEBHOOK_SLOW 16           /* and slow or failing ones, which never have the others' places */
#define LIMIT_WEBHOOK_ROUNDS 96         /* all of these: some become slow while they are served */
#define LIMIT_WEBHOOK_SLOW_MS 2000      /* an endpoint whose round took longer is slow */
#define LIMIT_WEBHOOK_ROUND_MS 60000    /* then a round begins no more posts */
#define LIMIT_WEBHOOK_LEASE_S 120       /* of an endpoint to one gateway; longer than a round with its last posts */
#define LIMIT_WEBHOOK_TIMEOUT_MS 15000  /* one POST */
#define LIMIT_WEBHOOK_ANSWER_BYTES 4096 /* octets of the answer that are read */
#define LIMIT_WEBHOOK_DOWN_AFTER 3      /* more events in a row that fail at first: nothing passes the endpoint then */
#define LIMIT_WEBHOOK_WAITING 1000      /* events that wait at one endpoint; past it nothing new is read for it */
#define LIMIT_WEBHOOK_FAILOVER_AFTER 3  /* failures in a row of the first URL */
#define LIMIT_WEBHOOK_FAILOVER_MS 300000 /* then the failover URL is used that long before the first is tried again */
#define LIMIT_WEBHOOK_ENDPOINTS 8       /* of one practice */
#define LIMIT_WEBHOOK_URL_BYTES 1024    /* its URL */
#define LIMIT_WEBHOOK_TYPES 100         /* event types that an endpoint chooses */
#define LIMIT_WEBHOOK_REPLAY 1000       /* events that one request has posted again; the caller asks for the rest */
#define LIMIT_WEBHOOK_DEAD_DAYS 30      /* a dead letter is kept that long */

/* --- store, net ----------------------------------------------------------------------------------------------- */
#define LIMIT_ARRAY_BYTES (8 << 20)      /* octets of one array parameter */
#define LIMIT_STATEMENT_MS 30000         /* statement_timeout */
#define LIMIT_BATCH_MS 60000             /* a batch without an answer: the connection is taken for dead */
#define LIMIT_STREAM_OUT_BYTES (4 << 20) /* octets queued on one socket before its peer is called too slow */
#define LIMIT_STREAM_OPEN_MS 30000       /* name look-up, TCP and TLS of one connection, either side */
#define LIMIT_RECONNECT_MIN_MS 1000      /* database and carrier reconnect, doubled with jitter */
#define LIMIT_RECONNECT_MAX_MS 60000     /* where the doubling ends */
#define LIMIT_BIND_REFUSED_MS 300000     /* after a refused bind: carriers lock accounts that hammer */
#define LIMIT_METRIC_SERIES 4096         /* label combinations; more are counted as dropped */
#define LIMIT_LOG_LINE_BYTES 4096    /* a longer line is cut; PIPE_BUF, so that lines of several writers do not mix */
#define LIMIT_DRAIN_MS 30000         /* SIGTERM: open requests, unanswered submits */
#define LIMIT_UNBIND_MS 10000        /* and then unbind and the last writes */
#define LIMIT_CONFIG_BYTES (1 << 20) /* configuration file */
#define LIMIT_IMPORT_LINE_BYTES 1024 /* a line of a file of numbers; a longer one is bad */
#define LIMIT_IMPORT_COLUMNS 32      /* of it; those behind are not looked at */
#define LIMIT_IMPORT_BATCH 5000      /* rows in one statement while a file is read */
#define LIMIT_IMPORT_LOCKS 500       /* recipients that one transaction of an import locks: claims wait for them */
#define LIMIT_IMPORT_TOLD 20         /* bad lines that are told by number; all are counted */
#define LIMIT_CONFIG_ERRORS 100      /* errors reported in one pass */

#endif
