/* The configuration. One table of rows, config_rows.def, reads and checks the YAML, fills struct config and prints
 * config.yaml.example:
 *   CONFIG(section, name, kind, default, min, max, reload, sentence)
 * section: top, database, http, smpp, webhook, policy, clock, log, ledger, and of each item of a list: carrier
 *        (`carriers`), listener (`listeners`), route (`routes`), sender (`senders`), brand (`brands`).
 * kind: TEXT  const char *
 *       INT   int64_t, min..max
 *       BOOL  bool, only true and false
 *       MS    int64_t milliseconds, written 500ms, 10s, 5m, 1h, 2d; min..max in milliseconds
 *       REAL  double, min..max
 *       TIME  int64_t wall_us, RFC 3339
 *       CHOICE enum config_word, one of the words that config_choice.def has for it
 *       FILE  const char *: the value is the file's content (a secret), without one trailing newline; the key in the
 *             file is name_file, the member is name
 * default: the text that would stand in the file, NULL when it must be given, "" when a TEXT or FILE may be absent (the
 * member is then "") and a TIME may be absent (then 0).
 * reload: RELOAD when SIGHUP may change it, RESTART when only a restart does. */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "base_bytes.h"
#include "base_limits.h"
#include "base_pool.h"

#define CONFIG_TYPE_TEXT const char *
#define CONFIG_TYPE_INT int64_t
#define CONFIG_TYPE_BOOL bool
#define CONFIG_TYPE_MS int64_t
#define CONFIG_TYPE_REAL double
#define CONFIG_TYPE_TIME int64_t
#define CONFIG_TYPE_CHOICE enum config_word
#define CONFIG_TYPE_FILE const char *

/* Every word of every CHOICE: CONFIG_connect_dial. */
#define CHOICE(row, id, word, sentence) CONFIG_##row##_##id,
enum config_word {
#include "config_choice.def"
	CONFIG_WORDS,
};
#undef CHOICE
/* As it stands in the file: "dial". */
const char *config_word_text(enum config_word w);

/* One struct a section, a member a row. */
#define CONFIG_MEMBER_top(kind, name)
#define CONFIG_MEMBER_database(kind, name)
#define CONFIG_MEMBER_http(kind, name)
#define CONFIG_MEMBER_smpp(kind, name)
#define CONFIG_MEMBER_webhook(kind, name)
#define CONFIG_MEMBER_policy(kind, name)
#define CONFIG_MEMBER_clock(kind, name)
#define CONFIG_MEMBER_log(kind, name)
#define CONFIG_MEMBER_ledger(kind, name)
#define CONFIG_MEMBER_listener(kind, name)
#define CONFIG_MEMBER_carrier(kind, name)
#define CONFIG_MEMBER_route(kind, name)
#define CONFIG_MEMBER_sender(kind, name)
#define CONFIG_MEMBER_brand(kind, name)
#define CONFIG(section, name, kind, def, min, max, reload, sentence) CONFIG_MEMBER_##section(CONFIG_TYPE_##kind, name)

#undef CONFIG_MEMBER_top
#define CONFIG_MEMBER_top(type, name) type name;
struct config_top {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_top
#define CONFIG_MEMBER_top(kind, name)
#undef CONFIG_MEMBER_database
#define CONFIG_MEMBER_database(type, name) type name;
struct config_database {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_database
#define CONFIG_MEMBER_database(kind, name)
#undef CONFIG_MEMBER_http
#define CONFIG_MEMBER_http(type, name) type name;
struct config_http {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_http
#define CONFIG_MEMBER_http(kind, name)
#undef CONFIG_MEMBER_smpp
#define CONFIG_MEMBER_smpp(type, name) type name;
struct config_smpp {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_smpp
#define CONFIG_MEMBER_smpp(kind, name)
#undef CONFIG_MEMBER_webhook
#define CONFIG_MEMBER_webhook(type, name) type name;
struct config_webhook {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_webhook
#define CONFIG_MEMBER_webhook(kind, name)
#undef CONFIG_MEMBER_policy
#define CONFIG_MEMBER_policy(type, name) type name;
struct config_policy {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_policy
#define CONFIG_MEMBER_policy(kind, name)
#undef CONFIG_MEMBER_clock
#define CONFIG_MEMBER_clock(type, name) type name;
struct config_clock {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_clock
#define CONFIG_MEMBER_clock(kind, name)
#undef CONFIG_MEMBER_log
#define CONFIG_MEMBER_log(type, name) type name;
struct config_log {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_log
#define CONFIG_MEMBER_log(kind, name)
#undef CONFIG_MEMBER_ledger
#define CONFIG_MEMBER_ledger(type, name) type name;
struct config_ledger {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_ledger
#define CONFIG_MEMBER_ledger(kind, name)
#undef CONFIG_MEMBER_listener
#define CONFIG_MEMBER_listener(type, name) type name;
struct config_listener {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_listener
#define CONFIG_MEMBER_listener(kind, name)
#undef CONFIG_MEMBER_carrier
#define CONFIG_MEMBER_carrier(type, name) type name;
struct config_carrier {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_carrier
#define CONFIG_MEMBER_carrier(kind, name)
#undef CONFIG_MEMBER_route
#define CONFIG_MEMBER_route(type, name) type name;
struct config_route {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_route
#define CONFIG_MEMBER_route(kind, name)
#undef CONFIG_MEMBER_sender
#define CONFIG_MEMBER_sender(type, name) type name;
struct config_sender {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_sender
#define CONFIG_MEMBER_sender(kind, name)
#undef CONFIG_MEMBER_brand
#define CONFIG_MEMBER_brand(type, name) type name;
struct config_brand {
#include "config_rows.def"
};
#undef CONFIG_MEMBER_brand
#undef CONFIG

/* A place in the file, both counted from 1; line 0 is nowhere. */
struct config_mark {
	unsigned line;
	unsigned column;
};

struct config {
	struct config_top top;
	struct config_database database;
	struct config_http http;
	struct config_smpp smpp;
	struct config_webhook webhook;
	struct config_policy policy;
	struct config_clock clock;
	struct config_log log;
	struct config_ledger ledger;
	struct config_listener listener[LIMIT_LISTENERS];
	unsigned listeners;
	struct config_carrier carrier[LIMIT_CARRIERS];
	unsigned carriers;
	struct config_route route[LIMIT_ROUTES];
	unsigned routes;
	struct config_sender sender[LIMIT_SENDERS];
	unsigned senders;
	struct config_brand brand[LIMIT_BRANDS];
	unsigned brands;
	struct pool pool;         /* owns every text */
	struct config_mark *mark; /* where each value stood, see config_row.h; NULL when it was not read from a file */
};

/* What is wrong, a line each: "file:line:col: path: problem (got X; expected Y; did you mean Z)". The path of a fault
 * in the YAML itself is "yaml". Past LIMIT_CONFIG_ERRORS one line says that there are more. */
struct config_errors {
	struct buf text; /* ready to print; BUF(LIMIT_CONFIG_BYTES) */
	unsigned count;
};

/* Reads a secret named by a *_file key. Returns malloc'd octets (wiped and freed by the caller) and their number, or
 * NULL and a sentence that does not repeat the path. */
typedef char *(*config_read_fn)(void *ctx, const char *path, size_t *n_r, const char **error_r);

/* Parses YAML text (libyaml's document API). file is only used in error lines. Every error is found in one pass:
 * syntax, unknown keys (with a suggestion by edit distance), duplicate keys, aliases and anchors, tags, wrong kinds,
 * values out of range, missing required keys, unreadable secrets; when there is none, what config_check finds between
 * the keys. Never prints a secret, a path to one or the value of a TEXT whose row's name holds "password", "secret" or
 * "conninfo". Returns NULL when there was any error. Free with config_free. */
struct config *config_parse(const char *file, struct view yaml, config_read_fn read, void *ctx,
                            struct config_errors *errors_r);
/* Wipes the secrets. NULL is fine. */
void config_free(struct config *c);

/* The example file, from the rows, commented with their sentences, defaults and ranges. */
void config_print_example(struct buf *to);

/* Keys whose value differs and that only a restart changes ("http.listen", "carriers[0].host", "carriers" when their
 * number differs); one a line, empty when none. Carriers are compared by their place in the list; the lists that a
 * reload replaces are never named. */
void config_restart_needed(const struct config *old, const struct config *fresh, struct buf *to);

/* Takes over what a reload may change and frees fresh: carriers are matched by name; the lists whose rows all reload
 * (routes, senders, brands) are replaced as a whole. A route may then name a carrier that only comes with a restart.
 * Texts of c that were in use stay alive until config_free; a text that did not change is not copied. */
void config_adopt(struct config *c, struct config *fresh);

#endif
