#include "app_ledger.h"

#include "base_pool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Findings wait here until there are LIMIT_LEDGER_FINDINGS, so that an event that is gone from one place and an
 * unsealed one at another can be told to be the same; then they are printed. */
struct ledger_findings {
	struct ledger_finding one[LIMIT_LEDGER_FINDINGS];
	unsigned count;
	struct pool pool;
	bool json;
	uint64_t printed;
};

static const char *const words[] = {
        [LEDGER_CHANGED] = "changed",
        [LEDGER_REMOVED] = "removed",
        [LEDGER_ADDED] = "added",
        [LEDGER_REORDERED] = "reordered",
        [LEDGER_SEAL_MISSING] = "seal missing",
        [LEDGER_SEAL_CHANGED] = "seal changed",
        [LEDGER_BAD_SIGNATURE] = "bad signature",
        [LEDGER_BAD_KEY] = "bad key",
        [LEDGER_ARCHIVE] = "archive",
        [LEDGER_HEAD_DIFFERS] = "head differs",
};

struct ledger_findings *ledger_findings_new(bool json)
{
	struct ledger_findings *f = mem_alloc(sizeof(*f));
	f->json = json;
	return f;
}

/* --- printing ------------------------------------------------------------------------------------------------------
 */

/* What an event is known by: as sealed, else as it stands. */
struct where {
	const char *practice, *xact, *id, *type;
	struct buf at;
};

static struct where where_of(const struct ledger_finding *o)
{
	struct where w = {.at = BUF(64)};
	if (!o->listed && !o->present)
		return w;
	w.practice = o->listed ? o->entry.practice : o->row[LEDGER_PRACTICE];
	w.xact = o->listed ? o->entry.xact : o->row[LEDGER_XACT];
	w.id = o->listed ? o->entry.id : o->row[LEDGER_ID];
	w.type = o->listed ? o->entry.type : o->row[LEDGER_TYPE];
	dispatch_ledger_time(o->listed ? o->entry.at : o->row[LEDGER_AT], &w.at);
	return w;
}

static void add_json(struct buf *to, const char *name, const char *text)
{
	buf_printf(to, ",\"%s\":\"", name);
	buf_add_json_text(to, view_str(text));
	buf_add_u8(to, '"');
}

static void print_json(const struct ledger_finding *o, struct where *w, bool first)
{
	struct buf line = BUF(65536);
	buf_printf(&line, "%s\n{\"what\":\"%s\"", first ? "" : ",", words[o->what]);
	if (o->number)
		buf_printf(&line, ",\"number\":%" PRId64, o->number);
	if (o->seal)
		buf_printf(&line, ",\"seal\":%" PRId64, o->seal);
	if (w->id) {
		add_json(&line, "practice_id", w->practice);
		add_json(&line, "xact", w->xact);
		buf_printf(&line, ",\"event_id\":%s", w->id);
		add_json(&line, "type", w->type);
		add_json(&line, "at", buf_cstr(&w->at));
	}
	add_json(&line, "detail", o->detail);
	buf_add_u8(&line, '}');
	fputs(buf_cstr(&line), stdout);
	buf_free(&line);
}

static void print_line(const struct ledger_finding *o, struct where *w)
{
	printf("%s: ", words[o->what]);
	if (w->id)
		printf("event %s%" PRId64 " (id %s, %s, %s)", o->what == LEDGER_ADDED ? "behind " : "", o->number,
		       w->id, w->type, buf_cstr(&w->at));
	if (o->seal)
		printf("%sseal %" PRId64, w->id ? " in " : "", o->seal);
	printf("%s%s\n", w->id || o->seal ? ": " : "", o->detail);
}

static void print_one(struct ledger_findings *f, const struct ledger_finding *o)
{
	struct where w = where_of(o);
	if (f->json)
		print_json(o, &w, f->printed == 0);
	else
		print_line(o, &w);
	f->printed++;
	buf_free(&w.at);
}

/* --- what it means --------------------------------------------------------------------------------------------------
 */

/* Whether the row is the sealed event, but for its place. */
static bool is_moved(const struct ledger_finding *sealed, const struct ledger_finding *there, struct buf *text)
{
	const char *row[LEDGER_COLUMNS];
	uint8_t hash[SHA256_BYTES];
	const struct ledger_entry *e = &sealed->entry;
	if (strcmp(there->row[LEDGER_PRACTICE], e->practice) != 0 || strcmp(there->row[LEDGER_AT], e->at) != 0 ||
	    strcmp(there->row[LEDGER_TYPE], e->type) != 0)
		return false;
	memcpy(row, there->row, sizeof(row));
	row[LEDGER_XACT] = e->xact;
	row[LEDGER_ID] = e->id;
	buf_clear(text);
	dispatch_ledger_event(row, text);
	net_sha256(buf_view(text), hash);
	return memcmp(hash, e->hash, sizeof(hash)) == 0;
}

static const char *words_of(struct ledger_findings *f, const char *format, ...) __attribute__((format(printf, 2, 3)));
static const char *words_of(struct ledger_findings *f, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return pool_copy_str(&f->pool, text);
}

/* moved[i]: the row of finding i is a sealed event of another finding. */
static void find_moved(struct ledger_findings *f, bool *moved)
{
	struct buf text = BUF(1 << 24);
	for (unsigned i = 0; i < f->count; i++) {
		struct ledger_finding *sealed = &f->one[i];
		for (unsigned k = 0; k < f->count && sealed->listed; k++) {
			struct ledger_finding *there = &f->one[k];
			if (!there->present || !is_moved(sealed, there, &text))
				continue;
			moved[k] = true;
			sealed->what = LEDGER_REORDERED;
			sealed->detail = words_of(f, "it now stands at transaction %s, id %s", there->row[LEDGER_XACT],
			                          there->row[LEDGER_ID]);
			break;
		}
	}
	buf_free(&text);
}

static const char *changed_columns(struct ledger_findings *f, const struct ledger_finding *o)
{
	bool practice = strcmp(o->row[LEDGER_PRACTICE], o->entry.practice) != 0;
	bool type = strcmp(o->row[LEDGER_TYPE], o->entry.type) != 0;
	bool at = strcmp(o->row[LEDGER_AT], o->entry.at) != 0;
	if (!practice && !type && !at)
		return "other than sealed: one of message_id, recorded_at, phone, patient, reason, data";
	return words_of(f, "other than sealed: %s%s%s%s%s", practice ? "practice_id" : "", practice && type ? ", " : "",
	                type ? "type" : "", (practice || type) && at ? ", " : "", at ? "at" : "");
}

static void explain(struct ledger_findings *f, struct ledger_finding *o, bool moved)
{
	if (o->what == LEDGER_CHANGED && moved)
		o->what = LEDGER_REMOVED;
	else if (o->what == LEDGER_ADDED && moved)
		o->what = LEDGER_DROPPED;
	if (o->detail)
		return;
	if (o->what == LEDGER_CHANGED)
		o->detail = changed_columns(f, o);
	else if (o->what == LEDGER_ADDED)
		o->detail = "it stands behind this number and was never sealed";
	else
		o->detail = "it is sealed and not there";
}

/* What stands in the place of an event that moved, and is no sealed event. */
static void print_instead(struct ledger_findings *f, struct ledger_finding o)
{
	o.what = LEDGER_ADDED;
	o.listed = false;
	o.detail = "it stands in the place of a sealed event";
	print_one(f, &o);
}

static void settle(struct ledger_findings *f)
{
	bool moved[LIMIT_LEDGER_FINDINGS] = {false};
	find_moved(f, moved);
	for (unsigned i = 0; i < f->count; i++) {
		explain(f, &f->one[i], moved[i]);
		if (f->one[i].what != LEDGER_DROPPED)
			print_one(f, &f->one[i]);
		if (f->one[i].what == LEDGER_REORDERED && f->one[i].present && !moved[i])
			print_instead(f, f->one[i]);
	}
	f->count = 0;
	pool_free(&f->pool);
}

/* --- adding ---------------------------------------------------------------------------------------------------------
 */

static const char *keep(struct ledger_findings *f, const char *text)
{
	return text ? pool_copy_str(&f->pool, text) : NULL;
}

struct ledger_finding *ledger_findings_add(struct ledger_findings *f, const struct ledger_finding *one)
{
	if (f->count == LIMIT_LEDGER_FINDINGS)
		settle(f);
	struct ledger_finding *o = &f->one[f->count++];
	*o = *one;
	o->detail = keep(f, one->detail);
	o->entry.practice = keep(f, one->entry.practice);
	o->entry.xact = keep(f, one->entry.xact);
	o->entry.id = keep(f, one->entry.id);
	o->entry.at = keep(f, one->entry.at);
	o->entry.type = keep(f, one->entry.type);
	for (unsigned i = 0; i < LEDGER_COLUMNS; i++)
		o->row[i] = keep(f, one->row[i]);
	return o;
}

void ledger_findings_say(struct ledger_findings *f, enum ledger_what what, int64_t seal, int64_t number,
                         const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	ledger_findings_add(f, &(struct ledger_finding){.what = what, .seal = seal, .number = number, .detail = text});
}

uint64_t ledger_findings_end(struct ledger_findings *f)
{
	settle(f);
	return f->printed;
}

void ledger_findings_free(struct ledger_findings *f)
{
	pool_free(&f->pool);
	free(f);
}
