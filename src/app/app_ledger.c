/* ledger: verify, heads, status, rotate. */
#include "app_ledger.h"

#include "app_commands.h"
#include "base_check.h"
#include "base_time.h"
#include "store_sql.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char ledger_help[] =
        "Examples:\n"
        "  smsbridge ledger verify --config /etc/smsbridge/config.yaml\n"
        "  smsbridge ledger heads > heads-2026-03-31.txt      keep it where this gateway's people cannot write\n"
        "  smsbridge ledger verify --heads heads-2026-03-31.txt\n"
        "  smsbridge ledger rotate\n"
        "\n"
        "  verify   reads every sealed event again, makes its hash, the seals and their signatures anew, and tells\n"
        "           what was changed, removed, added or reordered, and where. Exit code 1 when there is anything.\n"
        "  heads    a line a seal: number, its last event, head, time, public key\n"
        "  status   the newest seal, and what waits for the next one\n"
        "  rotate   makes a new signing key in ledger.key_file, endorsed by the one before; the first key too\n"
        "\n"
        "Without us: docs/ledger.md (psql, sha256sum, openssl).\n"
        "  --from N, --to N   verify: events of these numbers, and the rest of their seals; heads: seals\n"
        "  --heads FILE       verify: compare with heads that were kept elsewhere\n"
        "  --key FILE         rotate: instead of ledger.key_file\n"
        "  --config FILE, --database TEXT, --json\n";

struct ledger_options {
	const char *config, *database, *from, *to, *heads, *key;
	bool json;
};

/* --- status, heads --------------------------------------------------------------------------------------------------
 */

static int status(struct store_client *c, const struct ledger_options *o)
{
	struct store_table *t = store_client_run(
	        c,
	        "SELECT l.seal, l.last AS last_event, s.at AS sealed_at, encode(s.head, 'hex') AS head, s.key,"
	        " encode(k.public_key, 'hex') AS public_key, l.unsealed, round(l.seconds, 1) AS oldest_waits_s, "
	        "l.ahead AS behind_dump"
	        " FROM smsbridge.seal_lag l LEFT JOIN smsbridge.seal s ON s.number = l.seal"
	        " LEFT JOIN smsbridge.ledger_key k ON k.id = s.key",
	        NULL, 0);
	return app_show_table(c, t, NULL, o->json);
}

static void print_heads(const struct store_table *t, bool json, bool first)
{
	for (unsigned i = 0; i < store_table_rows(t); i++) {
		const char *f[5];
		for (unsigned k = 0; k < 5; k++)
			f[k] = store_table_cell(t, i, k);
		if (json)
			printf("%s{\"number\":%s,\"last\":%s,\"head\":\"%s\",\"at\":\"%s\",\"public_key\":\"%s\"}",
			       i || !first ? ",\n" : "\n", f[0], f[1], f[2], f[3], f[4]);
		else
			printf("%s %s %s %s %s\n", f[0], f[1], f[2], f[3], f[4]);
	}
}

static int heads(struct store_client *c, const struct ledger_options *o)
{
	const char *params[] = {o->from ? o->from : "1", o->to ? o->to : "9223372036854775807"};
	char next[24];
	unsigned n = 0;
	bool first = true;
	puts(o->json ? "[" : "# seal, its last event, head, time, public key");
	do {
		struct store_table *t = store_client_run(
		        c,
		        "SELECT s.number, s.last, encode(s.head, 'hex'), smsbridge.seal_time(s.at),"
		        " coalesce(encode(k.public_key, 'hex'), 'unsigned'), s.number + 1 FROM smsbridge.seal s"
		        " LEFT JOIN smsbridge.ledger_key k ON k.id = s.key"
		        " WHERE s.number BETWEEN $1::bigint AND $2::bigint ORDER BY s.number LIMIT 1000",
		        params, 2);
		if (!t)
			return failure("%s", store_client_error(c));
		n = store_table_rows(t);
		print_heads(t, o->json, first);
		first = false;
		if (n)
			copy_str(next, sizeof(next), store_table_cell(t, n - 1, 5));
		params[0] = next;
		store_table_free(t);
	} while (n);
	if (o->json)
		puts("\n]");
	return EXIT_OK;
}

/* --- verify ---------------------------------------------------------------------------------------------------------
 */

static bool take_number(const char *text, int64_t *to)
{
	uint64_t n = 0;
	bool ok = !text || (parse_u64(view_str(text), INT64_MAX, &n) && n > 0);
	*to = (int64_t)n;
	return ok;
}

static int verify(struct store_client *c, const struct ledger_options *o)
{
	struct ledger_range range = {.heads = o->heads, .json = o->json};
	if (!take_number(o->from, &range.from) || !take_number(o->to, &range.to))
		return usage_error("--from and --to take the number of an event");
	return ledger_verify(c, &range);
}

/* --- rotate ---------------------------------------------------------------------------------------------------------
 */

struct rotation {
	struct store_client *c;
	const char *file;
	char next_file[4096]; /* holds the new key until the database knows it */
	char at[TIME_TEXT_BYTES];
	int id; /* of the newest key; 0: none */
	uint8_t newest[SIGN_PUBLIC_BYTES];
	struct net_sign_key *old;
	struct net_sign_key *fresh;
};

static bool script(struct rotation *r, const char *sql)
{
	bool ok = store_client_script(r->c, sql);
	if (!ok)
		failure("%s", store_client_error(r->c));
	return ok;
}

/* Under the sealers' lock: no seal is made between what is read and what is written. */
static bool read_newest(struct rotation *r)
{
	if (!script(r,
	            "SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; BEGIN; SELECT pg_advisory_xact_lock(7310771300013)"))
		return false;
	struct store_table *t = store_client_run(
	        r->c, "SELECT id, encode(public_key, 'hex') FROM smsbridge.ledger_key ORDER BY id DESC LIMIT 1", NULL,
	        0);
	if (!t) {
		failure("%s", store_client_error(r->c));
		return false;
	}
	if (store_table_rows(t)) {
		r->id = (int)strtol(store_table_cell(t, 0, 0), NULL, 10);
		check(hex_decode(view_str(store_table_cell(t, 0, 1)), r->newest, sizeof(r->newest)));
	}
	store_table_free(t);
	return true;
}

/* The file's key when it is the newest that the database knows; NULL else. */
static struct net_sign_key *load_newest(const struct rotation *r, const char *file, struct buf *error)
{
	uint8_t octets[SIGN_PUBLIC_BYTES];
	struct net_sign_key *key = net_sign_load(file, error);
	if (!key)
		return NULL;
	net_sign_public(key, octets);
	if (net_equal(octets, r->newest, sizeof(octets)))
		return key;
	buf_printf(error, "%s does not hold key %d, the newest that the database knows", file, r->id);
	net_sign_free(key);
	return NULL;
}

/* A rotation that ended between the commit and the file's new name. */
static bool finish_earlier(struct rotation *r)
{
	struct buf ignored = BUF(1024);
	struct net_sign_key *key = load_newest(r, r->next_file, &ignored);
	bool done = key && rename(r->next_file, r->file) == 0;
	net_sign_free(key);
	buf_free(&ignored);
	if (!done)
		unlink(r->next_file); /* nobody ever signed with it */
	return done;
}

static bool make_fresh(struct rotation *r)
{
	struct buf error = BUF(1024);
	const char *to = r->id ? r->next_file : r->file;
	bool ok = true;
	if (!r->id && access(r->file, F_OK) == 0) { /* made by openssl */
		r->fresh = net_sign_load(r->file, &error);
		ok = r->fresh != NULL;
	} else {
		r->fresh = net_sign_new();
		ok = net_sign_save(r->fresh, to, &error);
	}
	if (!ok)
		failure("%s", buf_cstr(&error));
	buf_free(&error);
	return ok;
}

static void endorse(const struct rotation *r, const char *previous, char hex[2 * SIGN_BYTES + 3])
{
	struct ledger_key k = {.id = r->id + 1, .previous = previous, .at = r->at};
	struct buf text = BUF(1024);
	uint8_t signature[SIGN_BYTES];
	net_sign_public(r->fresh, k.public_key);
	dispatch_ledger_key(&k, &text);
	net_sign(r->old, buf_view(&text), signature);
	copy_str(hex, 3, "\\x");
	hex_encode(signature, sizeof(signature), hex + 2);
	buf_free(&text);
}

static bool make_known(struct rotation *r)
{
	char id[16], previous[16], public_key[2 * SIGN_PUBLIC_BYTES + 3] = "\\x", endorsement[2 * SIGN_BYTES + 3];
	uint8_t octets[SIGN_PUBLIC_BYTES];
	snprintf(id, sizeof(id), "%d", r->id + 1);
	snprintf(previous, sizeof(previous), "%d", r->id);
	net_sign_public(r->fresh, octets);
	hex_encode(octets, sizeof(octets), public_key + 2);
	if (r->id)
		endorse(r, previous, endorsement);
	const char *params[] = {r->at, id, public_key, r->id ? previous : NULL, r->id ? endorsement : NULL};
	struct store_table *t = store_client_run(r->c, store_sql("seal_key")->text, params, 5);
	bool ok = t != NULL;
	store_table_free(t);
	if (!ok)
		failure("%s", store_client_error(r->c));
	return ok && script(r, "COMMIT");
}

static int rotate_known(struct rotation *r)
{
	struct buf error = BUF(1024);
	bool earlier = r->id && finish_earlier(r);
	r->old = r->id ? load_newest(r, r->file, &error) : NULL;
	int result = EXIT_FAILED;
	if (earlier)
		fprintf(stderr, "a rotation that had been cut off is finished: key %d is in %s\n", r->id, r->file);
	if (r->id && !r->old)
		failure("%s", buf_cstr(&error));
	else if (earlier)
		result = EXIT_OK;
	else if (make_fresh(r) && make_known(r))
		result = r->id && rename(r->next_file, r->file) != 0 ? failure("%s cannot get its name", r->next_file)
		                                                     : EXIT_OK;
	buf_free(&error);
	return result;
}

static int rotate(struct store_client *c, const struct ledger_options *o, const char *file)
{
	struct clock system = {0};
	struct rotation r = {.c = c, .file = file};
	if (!file || !*file)
		return usage_error("rotate needs ledger.key_file in the configuration, or --key FILE");
	snprintf(r.next_file, sizeof(r.next_file), "%s.next", file);
	time_format(clock_read(&system), r.at);
	int result = read_newest(&r) ? rotate_known(&r) : EXIT_FAILED;
	net_sign_free(r.old);
	net_sign_free(r.fresh);
	if (result != EXIT_OK)
		return result;
	struct store_table *t =
	        store_client_run(c,
	                         "SELECT id AS key, encode(public_key, 'hex') AS public_key, previous, at"
	                         " FROM smsbridge.ledger_key ORDER BY id DESC LIMIT 1",
	                         NULL, 0);
	return app_show_table(c, t, NULL, o->json);
}

/* The file that the configuration names, when rotate needs it; a copy. */
static char *key_file(const struct ledger_options *o)
{
	if (o->key || o->database)
		return mem_copy_str(o->key ? o->key : "");
	struct config *c = app_config_load(o->config ? o->config : "/etc/smsbridge/config.yaml");
	char *file = mem_copy_str(c ? c->ledger.key_file : "");
	config_free(c);
	return file;
}

static int run_word(struct store_client *c, const char *word, const struct ledger_options *o)
{
	if (strcmp(word, "status") == 0)
		return status(c, o);
	if (strcmp(word, "heads") == 0)
		return heads(c, o);
	if (strcmp(word, "verify") == 0)
		return verify(c, o);
	char *file = key_file(o);
	int result = rotate(c, o, file);
	free(file);
	return result;
}

int command_ledger(int argc, char **argv)
{
	struct ledger_options o = {0};
	const char *word = "";
	int result;
	const struct option_row rows[] = {{"config", &o.config, NULL}, {"database", &o.database, NULL},
	                                  {"from", &o.from, NULL},     {"to", &o.to, NULL},
	                                  {"heads", &o.heads, NULL},   {"key", &o.key, NULL},
	                                  {"json", NULL, &o.json},     {0}};
	if (options_parse(argc, argv, rows, &word, 1) < 0)
		return EXIT_USAGE;
	static const char *const words[] = {"verify", "heads", "status", "rotate"};
	bool known = false;
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		known = known || strcmp(words[i], word) == 0;
	if (!known)
		return usage_error("ledger takes verify, heads, status or rotate");
	struct store_client *c = app_database(o.config, o.database, false, &result);
	if (!c)
		return result;
	result = run_word(c, word, &o);
	store_client_close(c);
	return result;
}
