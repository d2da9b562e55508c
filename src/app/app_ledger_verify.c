/* ledger verify: every seal, its list and the events themselves, read once, in order, side by side, by cursors; what is
 * hashed is made here (dispatch_ledger.h), without the functions that sealed. */
#include "app_ledger.h"

#include "app.h"
#include "base_check.h"
#include "base_pool.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* A place in the order of events. */
struct place {
	uint64_t xact;
	int64_t id;
};

struct stream {
	const char *fetch; /* statement that gives the next rows */
	struct store_table *t;
	unsigned at;
	bool ended;
};

struct month { /* moved out */
	const char *partition, *earliest, *latest;
	int64_t last, events, listed;
	bool told;
};

struct key {
	struct ledger_key k;
	const char *endorsement; /* hexadecimal */
	bool told;
};

struct seal {
	struct ledger_seal s;
	struct place place;
	const char *head;
	const char *signer;
	const char *signature;
};

struct verify {
	struct store_client *c;
	const struct ledger_range *range;
	struct ledger_findings *found;
	struct stream seals, events;
	struct pool pool; /* of the whole run: keys, months */
	struct key key[LIMIT_LEDGER_KEYS];
	unsigned keys;
	struct month month[LIMIT_LEDGER_MONTHS];
	unsigned months;
	uint64_t xmax;
	struct buf text, lines, time;
	/* of the seal before */
	int64_t number, last;
	int signer; /* 0: it was not signed */
	char head[2 * SHA256_BYTES + 1];
	struct place place;
	bool failed;
	uint64_t seal_count, event_count, archived, unsealed, head_count;
};

static int64_t number_of(const char *text)
{
	return text ? strtoll(text, NULL, 10) : 0;
}

static struct place place_of(const char *xact, const char *id)
{
	return (struct place){strtoull(xact, NULL, 10), number_of(id)};
}

static int compare(struct place a, struct place b)
{
	if (a.xact != b.xact)
		return a.xact < b.xact ? -1 : 1;
	return a.id < b.id ? -1 : a.id > b.id;
}

static struct store_table *ask(struct verify *v, const char *sql, const char *param)
{
	struct store_table *t = store_client_run(v->c, sql, &param, param ? 1 : 0);
	v->failed = v->failed || !t;
	return t;
}

/* False at the end, and when the database failed. */
static bool stream_row(struct verify *v, struct stream *s)
{
	if (v->failed || s->ended)
		return false;
	if (s->t && s->at < store_table_rows(s->t))
		return true;
	store_table_free(s->t);
	s->at = 0;
	s->t = ask(v, s->fetch, NULL);
	s->ended = !s->t || store_table_rows(s->t) == 0;
	return !s->ended;
}

static const char *cell(const struct stream *s, unsigned column)
{
	return store_table_cell(s->t, s->at, column);
}

static void hash_hex(struct view text, char hex[2 * SHA256_BYTES + 1])
{
	uint8_t hash[SHA256_BYTES];
	net_sha256(text, hash);
	hex_encode(hash, sizeof(hash), hex);
}

/* A time as printed, as it is hashed, kept. */
static const char *time_kept(struct verify *v, const char *printed)
{
	buf_clear(&v->time);
	dispatch_ledger_time(printed, &v->time);
	return pool_copy_str(&v->pool, buf_cstr(&v->time));
}

/* --- keys -----------------------------------------------------------------------------------------------------------
 */

static void read_keys(struct verify *v)
{
	struct store_table *t = ask(v,
	                            "SELECT id, encode(public_key, 'hex'), previous, at, encode(endorsement, 'hex')"
	                            " FROM smsbridge.ledger_key ORDER BY id",
	                            NULL);
	for (unsigned i = 0; t && i < store_table_rows(t) && v->keys < LIMIT_LEDGER_KEYS; i++) {
		struct key *k = &v->key[v->keys++];
		const char *previous = store_table_cell(t, i, 2), *endorsement = store_table_cell(t, i, 4);
		k->k.id = (int)number_of(store_table_cell(t, i, 0));
		hex_decode(view_str(store_table_cell(t, i, 1)), k->k.public_key, sizeof(k->k.public_key));
		k->k.previous = previous ? pool_copy_str(&v->pool, previous) : NULL;
		k->k.at = pool_copy_str(&v->pool, store_table_cell(t, i, 3));
		k->endorsement = endorsement ? pool_copy_str(&v->pool, endorsement) : NULL;
	}
	store_table_free(t);
}

static const struct key *key_of(const struct verify *v, int id)
{
	for (unsigned i = 0; i < v->keys; i++)
		if (v->key[i].k.id == id)
			return &v->key[i];
	return NULL;
}

static bool signed_by(const struct key *by, struct view text, const char *hex)
{
	uint8_t signature[SIGN_BYTES];
	return by && hex && strlen(hex) == sizeof(signature) * 2 &&
	       hex_decode(view_str(hex), signature, sizeof(signature)) &&
	       net_sign_verify(by->k.public_key, text, signature);
}

static void check_keys(struct verify *v)
{
	for (unsigned i = 0; i < v->keys; i++) {
		const struct key *k = &v->key[i];
		bool first = i == 0;
		if (k->k.id != (int)i + 1 || (first ? k->k.previous != NULL : number_of(k->k.previous) != (int)i)) {
			ledger_findings_say(v->found, LEDGER_BAD_KEY, 0, 0, "key %d does not follow the one before",
			                    k->k.id);
			continue;
		}
		buf_clear(&v->text);
		dispatch_ledger_key(&k->k, &v->text);
		if (!first && !signed_by(&v->key[i - 1], buf_view(&v->text), k->endorsement))
			ledger_findings_say(v->found, LEDGER_BAD_KEY, 0, 0, "key %d is not endorsed by key %s", k->k.id,
			                    k->k.previous);
	}
}

/* --- months moved out -----------------------------------------------------------------------------------------------
 */

static void read_months(struct verify *v)
{
	struct store_table *t = ask(
	        v,
	        "SELECT partition, earliest, latest, last, events FROM smsbridge.seal_archive ORDER BY earliest, last",
	        NULL);
	for (unsigned i = 0; t && i < store_table_rows(t) && v->months < LIMIT_LEDGER_MONTHS; i++)
		v->month[v->months++] = (struct month){
		        .partition = pool_copy_str(&v->pool, store_table_cell(t, i, 0)),
		        .earliest = time_kept(v, store_table_cell(t, i, 1)),
		        .latest = time_kept(v, store_table_cell(t, i, 2)),
		        .last = number_of(store_table_cell(t, i, 3)),
		        .events = number_of(store_table_cell(t, i, 4)),
		};
	store_table_free(t);
}

/* The month with which an event left, or NULL. */
static struct month *month_of(struct verify *v, const struct ledger_entry *e)
{
	buf_clear(&v->time);
	if (v->months)
		dispatch_ledger_time(e->at, &v->time);
	const char *at = buf_cstr(&v->time);
	for (unsigned i = 0; i < v->months; i++) {
		struct month *m = &v->month[i];
		if (e->number <= m->last && strcmp(at, m->earliest) >= 0 && strcmp(at, m->latest) < 0)
			return m;
	}
	return NULL;
}

/* --- events ---------------------------------------------------------------------------------------------------------
 */

static struct place event_place(const struct verify *v)
{
	return place_of(cell(&v->events, LEDGER_XACT), cell(&v->events, LEDGER_ID));
}

static struct ledger_finding *report_event(struct verify *v, enum ledger_what what, int64_t seal, int64_t number,
                                           const struct ledger_entry *entry, bool present)
{
	struct ledger_finding one = {.what = what, .seal = seal, .number = number, .listed = entry != NULL};
	if (entry)
		one.entry = *entry;
	one.present = present;
	for (unsigned i = 0; present && i < LEDGER_COLUMNS; i++)
		one.row[i] = cell(&v->events, i);
	return ledger_findings_add(v->found, &one);
}

static bool as_sealed(struct verify *v, const struct ledger_entry *e)
{
	const char *row[LEDGER_COLUMNS];
	uint8_t hash[SHA256_BYTES];
	for (unsigned i = 0; i < LEDGER_COLUMNS; i++)
		row[i] = cell(&v->events, i);
	buf_clear(&v->text);
	dispatch_ledger_event(row, &v->text);
	net_sha256(buf_view(&v->text), hash);
	return !v->text.full && memcmp(hash, e->hash, sizeof(hash)) == 0;
}

static bool mentions(const char *data, const char *name, const char *value)
{
	struct buf text = BUF(1024);
	buf_printf(&text, "\"%s\": %s", name, value);
	const char *at = data ? strstr(data, buf_cstr(&text)) : NULL;
	size_t n = text.n;
	buf_free(&text);
	return at && strchr(",}", at[n]) != NULL;
}

static void told_key(struct key *k, const char *data)
{
	char id[24], hex[2 * SIGN_PUBLIC_BYTES + 3] = "\"";
	snprintf(id, sizeof(id), "%d", k->k.id);
	hex_encode(k->k.public_key, SIGN_PUBLIC_BYTES, hex + 1);
	hex[2 * SIGN_PUBLIC_BYTES + 1] = '"';
	k->told = k->told || (mentions(data, "key", id) && mentions(data, "public_key", hex));
}

static void told_month(struct month *m, const char *data)
{
	char last[24], events[24], name[256];
	snprintf(last, sizeof(last), "%" PRId64, m->last);
	snprintf(events, sizeof(events), "%" PRId64, m->events);
	snprintf(name, sizeof(name), "\"%s\"", m->partition);
	m->told = m->told || (mentions(data, "partition", name) && mentions(data, "last", last) &&
	                      mentions(data, "events", events));
}

/* Events of the ledger itself: they must tell of each key and of each month that was moved out. */
static void listen(struct verify *v)
{
	const char *type = cell(&v->events, LEDGER_TYPE), *data = cell(&v->events, LEDGER_DATA);
	for (unsigned i = 0; i < v->keys && strcmp(type, "ledger.key_rotated") == 0; i++)
		told_key(&v->key[i], data);
	for (unsigned i = 0; i < v->months && strcmp(type, "ledger.archived") == 0; i++)
		told_month(&v->month[i], data);
}

static void next_event(struct verify *v)
{
	listen(v);
	v->event_count++;
	v->events.at++;
}

/* What stands at one place: the sealed event, and nothing else. */
static void check_place(struct verify *v, int64_t seal, const struct ledger_entry *e, struct place place)
{
	struct ledger_finding *changed = NULL; /* the only one so far, unless the sealed event comes yet */
	bool met = false, other = false;
	while (stream_row(v, &v->events) && compare(event_place(v), place) == 0) {
		bool same = !met && as_sealed(v, e);
		if (same && changed) {
			changed->what = LEDGER_ADDED;
			changed->listed = false;
		}
		met = met || same;
		if (!same) {
			bool first = !met && !other;
			struct ledger_finding *one = report_event(v, first ? LEDGER_CHANGED : LEDGER_ADDED, seal,
			                                          e->number, first ? e : NULL, true);
			changed = first ? one : NULL;
			other = true;
		}
		next_event(v);
	}
}

static void check_missing(struct verify *v, int64_t seal, const struct ledger_entry *e)
{
	if (month_of(v, e))
		v->archived++;
	else
		report_event(v, LEDGER_REMOVED, seal, e->number, e, false);
}

/* Events up to a place that no seal lists. */
static void check_added(struct verify *v, int64_t seal, int64_t number, struct place to, bool including)
{
	while (stream_row(v, &v->events) && compare(event_place(v), to) < (including ? 1 : 0)) {
		report_event(v, LEDGER_ADDED, seal, number, NULL, true);
		next_event(v);
	}
}

static struct ledger_entry entry_of(const struct store_table *t, unsigned i, int64_t number)
{
	struct ledger_entry e = {.number = number,
	                         .practice = store_table_cell(t, i, 1),
	                         .xact = store_table_cell(t, i, 2),
	                         .id = store_table_cell(t, i, 3),
	                         .at = store_table_cell(t, i, 4),
	                         .type = store_table_cell(t, i, 5)};
	hex_decode(view_str(store_table_cell(t, i, 0)), e.hash, sizeof(e.hash));
	return e;
}

static void check_entry(struct verify *v, const struct seal *s, const struct ledger_entry *e)
{
	struct place place = place_of(e->xact, e->id);
	struct month *m = month_of(v, e);
	if (m)
		m->listed++;
	dispatch_ledger_line(e, &v->lines);
	check_added(v, s->s.number, e->number - 1, place, false);
	if (stream_row(v, &v->events) && compare(event_place(v), place) == 0)
		check_place(v, s->s.number, e, place);
	else
		check_missing(v, s->s.number, e);
}

/* --- seals ----------------------------------------------------------------------------------------------------------
 */

static void skip_events(struct verify *v, struct place before)
{
	while (stream_row(v, &v->events) && compare(event_place(v), before) < 0)
		next_event(v);
}

static void check_list(struct verify *v, const struct seal *s, const struct store_table *t, bool gap)
{
	char digest[2 * SHA256_BYTES + 1];
	unsigned n = store_table_rows(t);
	struct ledger_entry e = {0};
	buf_clear(&v->lines);
	for (unsigned i = 0; i < n && i < LIMIT_SEAL_BATCH; i++) {
		e = entry_of(t, i, s->s.first + i);
		if (i == 0 && gap)
			skip_events(v, place_of(e.xact, e.id));
		check_entry(v, s, &e);
	}
	check_added(v, s->s.number, e.number, s->place, true);
	hash_hex(buf_view(&v->lines), digest);
	if (strcmp(digest, s->s.digest) != 0 || n != s->s.last - s->s.first + 1 ||
	    compare(place_of(e.xact, e.id), s->place) != 0)
		ledger_findings_say(v->found, LEDGER_SEAL_CHANGED, s->s.number, s->s.first,
		                    "its list of events does not fit its digest, its numbers or its place");
}

static void check_events(struct verify *v, const struct seal *s, bool gap)
{
	char number[24];
	snprintf(number, sizeof(number), "%" PRId64, s->s.number);
	struct store_table *t =
	        ask(v,
	            "SELECT encode(u.hash, 'hex'), u.practice, u.xact, u.id, u.at, u.type FROM smsbridge.seal_list l,"
	            " unnest(l.hashes, l.practices, l.xacts, l.ids, l.times, l.types) WITH ORDINALITY"
	            " AS u(hash, practice, xact, id, at, type, place) WHERE l.seal = $1::bigint ORDER BY u.place",
	            number);
	if (t && store_table_rows(t) == 0) {
		ledger_findings_say(v->found, LEDGER_SEAL_CHANGED, s->s.number, s->s.first,
		                    "its list of events is gone");
		while (stream_row(v, &v->events) && compare(event_place(v), s->place) <= 0)
			next_event(v);
	} else if (t) {
		check_list(v, s, t, gap);
	}
	store_table_free(t);
}

static void check_chain(struct verify *v, const struct seal *s)
{
	char head[2 * SHA256_BYTES + 1];
	int64_t number = s->s.number;
	bool follows = number == v->number + 1;
	if (number == v->number + 2)
		ledger_findings_say(v->found, LEDGER_SEAL_MISSING, number, s->s.first, "seal %" PRId64 " is gone",
		                    number - 1);
	else if (!follows)
		ledger_findings_say(v->found, LEDGER_SEAL_MISSING, number, s->s.first,
		                    "seals %" PRId64 " to %" PRId64 " are gone", v->number + 1, number - 1);
	if (follows && s->s.first != v->last + 1)
		ledger_findings_say(v->found, LEDGER_SEAL_CHANGED, number, s->s.first,
		                    "it begins at event %" PRId64 "; the seal before ends at %" PRId64, s->s.first,
		                    v->last);
	if (follows && strcmp(s->s.previous, v->head) != 0)
		ledger_findings_say(v->found, LEDGER_SEAL_CHANGED, number, s->s.first,
		                    "it does not name the head of the seal before");
	hash_hex(buf_view(&v->text), head);
	if (strcmp(head, s->head) != 0)
		ledger_findings_say(v->found, LEDGER_SEAL_CHANGED, number, s->s.first,
		                    "its head is not the hash of its statement");
}

static void check_signature(struct verify *v, const struct seal *s, int signer)
{
	const char *wrong = NULL;
	if (!signer && v->signer)
		wrong = "it is unsigned, and an earlier seal is signed";
	else if (signer && signer < v->signer)
		wrong = "it is signed by a key that had been replaced before";
	else if (signer && (!s->signature || number_of(s->signer) != signer))
		wrong = "the signature is missing, or of another key";
	else if (signer && !signed_by(key_of(v, signer), buf_view(&v->text), s->signature))
		wrong = "the signature is not of this statement by this key";
	if (wrong)
		ledger_findings_say(v->found, LEDGER_BAD_SIGNATURE, s->s.number, s->s.first, "%s", wrong);
}

static struct seal seal_of(const struct stream *r)
{
	struct seal s = {
	        .s = {.number = number_of(cell(r, 0)),
	              .first = number_of(cell(r, 1)),
	              .last = number_of(cell(r, 2)),
	              .earliest = cell(r, 5),
	              .latest = cell(r, 6),
	              .digest = cell(r, 7),
	              .previous = cell(r, 8),
	              .at = cell(r, 10),
	              .key = cell(r, 11)},
	        .place = place_of(cell(r, 3), cell(r, 4)),
	        .head = cell(r, 9),
	        .signer = cell(r, 12),
	        .signature = cell(r, 13),
	};
	return s;
}

static void remember(struct verify *v, const struct seal *s, int signer)
{
	v->number = s->s.number;
	v->last = s->s.last;
	v->place = s->place;
	v->signer = signer;
	copy_str(v->head, sizeof(v->head), s->head);
}

static void check_seal(struct verify *v)
{
	struct seal s = seal_of(&v->seals);
	int signer = (int)number_of(s.s.key);
	bool gap = s.s.number != v->number + 1;
	buf_clear(&v->text);
	dispatch_ledger_seal(&s.s, &v->text);
	check_chain(v, &s);
	check_signature(v, &s, signer);
	check_events(v, &s, gap);
	remember(v, &s, signer);
	v->seal_count++;
	v->seals.at++;
}

/* --- the whole ------------------------------------------------------------------------------------------------------
 */

#define SEALS                                                                                                          \
	"SELECT s.number, s.first, s.last, s.xact, s.event_id, s.earliest, s.latest, encode(s.digest, 'hex'),"         \
	" encode(s.previous, 'hex'), encode(s.head, 'hex'), s.at, s.key, g.key, encode(g.signature, 'hex')"            \
	" FROM smsbridge.seal s LEFT JOIN smsbridge.seal_signature g ON g.seal = s.number"

/* The seal before the range: what the first one is compared with. */
static void read_before(struct verify *v)
{
	char from[24];
	struct stream before = {0};
	snprintf(from, sizeof(from), "%" PRId64, v->range->from);
	before.t = ask(v, SEALS " WHERE s.last < $1::bigint ORDER BY s.number DESC LIMIT 1", from);
	if (before.t && store_table_rows(before.t)) {
		struct seal s = seal_of(&before);
		remember(v, &s, (int)number_of(s.s.key));
	}
	store_table_free(before.t);
}

static void declare(struct verify *v)
{
	char fetch[64];
	struct buf sql = BUF(4096);
	buf_printf(&sql,
	           "DECLARE ledger_seal NO SCROLL CURSOR FOR " SEALS " WHERE s.last >= %" PRId64
	           " AND s.first <= %" PRId64 " ORDER BY s.number",
	           v->range->from, v->range->to ? v->range->to : INT64_MAX);
	store_table_free(ask(v, buf_cstr(&sql), NULL));
	buf_clear(&sql);
	buf_printf(&sql,
	           "DECLARE ledger_event NO SCROLL CURSOR FOR SELECT practice_id, xact, id, message_id, type, at, "
	           "recorded_at,"
	           " phone, patient, reason, data FROM smsbridge.event WHERE (xact, id) > ('%" PRIu64
	           "'::xid8, '%" PRId64 "'::bigint) ORDER BY xact, id, practice_id, at",
	           v->place.xact, v->place.id);
	store_table_free(ask(v, buf_cstr(&sql), NULL));
	buf_free(&sql);
	snprintf(fetch, sizeof(fetch), "FETCH %d FROM ledger_seal", LIMIT_LIST);
	v->seals.fetch = pool_copy_str(&v->pool, fetch);
	snprintf(fetch, sizeof(fetch), "FETCH %d FROM ledger_event", LIMIT_LEDGER_FETCH);
	v->events.fetch = pool_copy_str(&v->pool, fetch);
}

/* One snapshot for everything; texts as they are hashed. */
static void begin(struct verify *v)
{
	static const char *const settings[] = {"SET TimeZone = 'UTC'", "SET DateStyle = 'ISO'",
	                                       "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"};
	for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		v->failed = v->failed || !store_client_script(v->c, settings[i]);
	struct store_table *t = ask(v, "SELECT pg_snapshot_xmax(pg_current_snapshot())", NULL);
	if (t)
		v->xmax = strtoull(store_table_cell(t, 0, 0), NULL, 10);
	store_table_free(t);
	memset(v->head, '0', sizeof(v->head) - 1);
	v->place = (struct place){0, INT64_MIN};
	read_keys(v);
	read_months(v);
	check_keys(v);
	read_before(v);
	declare(v);
}

/* Behind the last seal: what waits for the next, and what claims a transaction that is still to come. */
static void check_tail(struct verify *v)
{
	while (stream_row(v, &v->events)) {
		if (event_place(v).xact >= v->xmax)
			report_event(v, LEDGER_ADDED, 0, v->last, NULL, true)->detail =
			        "the transaction that it names is still to come";
		else
			v->unsealed++;
		next_event(v);
	}
}

/* Only when everything was read. */
static void check_told(struct verify *v)
{
	for (unsigned i = 0; i < v->keys; i++) {
		const struct key *k = &v->key[i];
		struct ledger_entry at_that_time = {.at = k->k.at};
		if (!k->told && !month_of(v, &at_that_time))
			ledger_findings_say(v->found, LEDGER_BAD_KEY, 0, 0, "no event tells of key %d", k->k.id);
	}
	for (unsigned i = 0; i < v->months; i++) {
		const struct month *m = &v->month[i];
		if (m->listed != m->events)
			ledger_findings_say(v->found, LEDGER_ARCHIVE, 0, 0,
			                    "%s was moved out with %" PRId64 " events; the seals list %" PRId64,
			                    m->partition, m->events, m->listed);
		if (!m->told)
			ledger_findings_say(v->found, LEDGER_ARCHIVE, 0, 0,
			                    "%s was moved out, and no event tells of it", m->partition);
	}
}

/* --- heads that were kept elsewhere ---------------------------------------------------------------------------------
 */

static void check_head(struct verify *v, const char *number, const char *head)
{
	struct store_table *t =
	        ask(v, "SELECT encode(head, 'hex') FROM smsbridge.seal WHERE number = $1::bigint", number);
	if (!t)
		return;
	v->head_count++;
	if (store_table_rows(t) == 0)
		ledger_findings_say(v->found, LEDGER_HEAD_DIFFERS, number_of(number), 0,
		                    "its head was kept elsewhere, and there is no such seal");
	else if (strcmp(store_table_cell(t, 0, 0), head) != 0)
		ledger_findings_say(v->found, LEDGER_HEAD_DIFFERS, number_of(number), 0,
		                    "its head is not the one that was kept elsewhere");
	store_table_free(t);
}

/* Copies the first n or more characters of the set; false when there are fewer, or more than fit. */
static bool take_run(const char *at, const char *set, size_t n, char *to, size_t cap)
{
	size_t m = at ? strspn(at, set) : 0;
	return m >= n && copy_view(to, cap, view_of(at, m));
}

/* Lines of `smsbridge ledger heads`, with or without --json. False when one is neither. */
static bool take_head_line(struct verify *v, const char *line)
{
	static const char digits[] = "0123456789", hex[] = "0123456789abcdef";
	static const char json[] = "{\"number\":", json_head[] = "\"head\":\"";
	char number[20], head[65];
	bool is_json = strncmp(line, json, sizeof(json) - 1) == 0;
	if (strchr("#[]\n", line[0]))
		return true;
	const char *at = is_json ? line + sizeof(json) - 1 : line;
	if (!take_run(at, digits, 1, number, sizeof(number)))
		return false;
	at += strlen(number);
	at = is_json ? strstr(at, json_head) : strchr(at + (*at == ' '), ' ');
	at = at ? at + (is_json ? sizeof(json_head) - 1 : 1) : NULL;
	if (!take_run(at, hex, sizeof(head) - 1, head, sizeof(head)))
		return false;
	check_head(v, number, head);
	return true;
}

static int check_heads(struct verify *v)
{
	char line[512];
	int result = EXIT_OK;
	FILE *f = v->range->heads ? fopen(v->range->heads, "re") : NULL;
	if (v->range->heads && !f)
		return failure("%s: %s", v->range->heads, strerror(errno));
	for (unsigned n = 1; f && result == EXIT_OK && fgets(line, sizeof(line), f); n++)
		if (!take_head_line(v, line))
			result = failure("%s:%u: no line of `smsbridge ledger heads`", v->range->heads, n);
	if (f)
		fclose(f);
	return result;
}

static void summary(struct verify *v, uint64_t findings)
{
	if (v->range->json)
		printf("\n],\"findings_count\":%" PRIu64 ",\"seals\":%" PRIu64 ",\"events\":%" PRIu64
		       ",\"unsealed\":%" PRIu64 ",\"archived\":%" PRIu64 ",\"heads\":%" PRIu64 "}\n",
		       findings, v->seal_count, v->event_count, v->unsealed, v->archived, v->head_count);
	else
		printf("%" PRIu64 " findings; %" PRIu64 " seals, %" PRIu64 " events (%" PRIu64
		       " not sealed yet), %" PRIu64 " moved out, %" PRIu64 " heads compared\n",
		       findings, v->seal_count, v->event_count, v->unsealed, v->archived, v->head_count);
}

static int run(struct verify *v)
{
	begin(v);
	while (stream_row(v, &v->seals))
		check_seal(v);
	if (!v->range->to)
		check_tail(v);
	if (!v->range->to && !v->range->from)
		check_told(v);
	int result = check_heads(v);
	uint64_t findings = ledger_findings_end(v->found);
	summary(v, findings);
	if (v->failed)
		return failure("%s", store_client_error(v->c));
	return findings ? EXIT_FAILED : result;
}

int ledger_verify(struct store_client *c, const struct ledger_range *range)
{
	struct verify *v = mem_alloc(sizeof(*v));
	v->c = c;
	v->range = range;
	v->found = ledger_findings_new(range->json);
	v->text = BUF(1 << 26);
	v->lines = BUF(1 << 26);
	v->time = BUF(64);
	if (range->json)
		fputs("{\"findings\":[", stdout);
	int result = run(v);
	store_table_free(v->seals.t);
	store_table_free(v->events.t);
	ledger_findings_free(v->found);
	pool_free(&v->pool);
	buf_free(&v->text);
	buf_free(&v->lines);
	buf_free(&v->time);
	free(v);
	return result;
}
