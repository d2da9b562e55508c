/* How each carrier spells its message ids, learned from the receipts that matched (trap 27): counted here, written to
 * PostgreSQL at most once a second in one statement, read from there at the start, so that it outlives the process.
 * What is learned only decides which spelling of an id is tried first: where a carrier answers in hexadecimal and
 * reports in decimal, "10" is the message "a" and not the message "10". */
#include "dispatch_outcome.h"

#include "smpp_id.h"

#include <stdlib.h>
#include <string.h>

#define FLUSH_MS 1000
#define READ_MS 20    /* until what is known has been read */
#define SURE_AFTER 10 /* matches by id, of which three in four are spelled one way */

/* Beyond the relations of smpp_id.h. */
enum { HOW_ADDRESS = SMPP_ID_RELATIONS, HOW_REFERENCE, HOWS };

struct cell {
	uint64_t seen;    /* since the last write */
	uint64_t written; /* as PostgreSQL has it, by this process's knowledge */
	int64_t first_us, last_us;
};

struct learned {
	struct cell cell[HOWS][SMPP_ID_FORMS][SMPP_ID_FORMS]; /* how, form in the answer, form in the receipt */
};

struct learn {
	struct dispatch *d;
	struct learned *carrier; /* by place in the configuration */
	struct store_params params;
	struct net_timer *timer;
	bool dirty;
	bool busy;
	bool read;
};

static void timer_cb(void *ctx);

struct learn *learn_new(struct dispatch *d)
{
	struct learn *l = mem_alloc(sizeof(*l));
	l->d = d;
	l->carrier = mem_alloc(sizeof(*l->carrier) * (d->config.carrier_count + 1));
	l->timer = net_timer_new(d->config.loop, timer_cb, l);
	net_timer_start(l->timer, 0);
	return l;
}

static const char *how_name(int how)
{
	return how == HOW_ADDRESS ? "address" : how == HOW_REFERENCE ? "reference" : smpp_id_relation_name(how);
}

/* --- counting ----------------------------------------------------------------------------------------------------- */

static int how_of(const struct item_receipt *r, struct view answered)
{
	if (strcmp(r->how, "address") == 0)
		return HOW_ADDRESS;
	if (strcmp(r->how, "reference") == 0)
		return HOW_REFERENCE;
	return (int)smpp_id_relation(view_str(r->id), answered);
}

void learn_match(struct learn *l, const struct item_receipt *r, struct view answered)
{
	if (!r->carrier || strcmp(r->how, "query") == 0)
		return; /* an answer to our question has the id that we asked with */
	int how = how_of(r, answered);
	struct cell *c = &l->carrier[r->carrier - l->d->carriers]
	                          .cell[how][smpp_id_form(answered)][smpp_id_form(view_str(r->id))];
	c->first_us = c->seen ? c->first_us : r->at_us;
	c->last_us = r->at_us;
	c->seen++;
	l->dirty = true;
	metric_add(METRIC_receipt_matches_total, 1, LABELS(r->carrier->name, how_name(how)));
}

static uint64_t count_of(const struct learned *k, int how)
{
	uint64_t n = 0;
	for (int a = 0; a < SMPP_ID_FORMS; a++)
		for (int b = 0; b < SMPP_ID_FORMS; b++)
			n += k->cell[how][a][b].seen + k->cell[how][a][b].written;
	return n;
}

bool learn_spell(const struct learn *l, const struct dispatch_carrier *carrier, struct view id, char to[24])
{
	const struct learned *k = &l->carrier[carrier - l->d->carriers];
	uint64_t all = 0;
	for (int how = 0; how < SMPP_ID_RELATIONS; how++)
		all += count_of(k, how);
	if (all < SURE_AFTER)
		return false;
	for (int how = SMPP_ID_DEC_HEX; how <= SMPP_ID_HEX_DEC; how++)
		if (count_of(k, how) * 4 >= all * 3)
			return smpp_id_spell((enum smpp_id_relation)how, id, to);
	return false;
}

/* --- keeping ------------------------------------------------------------------------------------------------------ */

typedef void (*cell_fn)(struct learn *l, unsigned carrier, int how, int answer, int receipt, struct cell *c);

static void each_cell(struct learn *l, cell_fn fn)
{
	for (unsigned i = 0; i < l->d->config.carrier_count; i++)
		for (int how = 0; how < HOWS; how++)
			for (int a = 0; a < SMPP_ID_FORMS; a++)
				for (int b = 0; b < SMPP_ID_FORMS; b++)
					fn(l, i, how, a, b, &l->carrier[i].cell[how][a][b]);
}

static void add_cell(struct learn *l, unsigned carrier, int how, int answer, int receipt, struct cell *c)
{
	struct store_params *ps = &l->params;
	if (!c->seen)
		return;
	store_add_str(ps, 0, l->d->carriers[carrier].name);
	store_add_str(ps, 1, how_name(how));
	store_add_str(ps, 2, smpp_id_form_name((enum smpp_id_form)answer));
	store_add_str(ps, 3, smpp_id_form_name((enum smpp_id_form)receipt));
	store_add_int(ps, 4, (int64_t)c->seen);
	store_add_time(ps, 5, c->first_us);
	store_add_time(ps, 6, c->last_us);
	c->written += c->seen; /* a write that fails loses a second's counts, no more */
	c->seen = 0;
}

static void done_cb(void *ctx, enum store_result result, const char *sqlstate)
{
	struct learn *l = ctx;
	(void)sqlstate;
	l->busy = false;
	l->read = l->read || result == STORE_OK;
}

static void write_cells(struct learn *l)
{
	static const enum store_type types[] = {STORE_TEXT, STORE_TEXT, STORE_TEXT, STORE_TEXT,
	                                        STORE_INT8, STORE_TIME, STORE_TIME};
	store_params_clear(&l->params);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		store_array(&l->params, types[i]);
	each_cell(l, add_cell);
	struct store_step step = {"format_add", &l->params, NULL};
	l->dirty = false;
	l->busy = true;
	store_lane_run(l->d->house_lane, &step, 1, done_cb, l);
}

static int find(const char *(*name)(int), int count, struct view text)
{
	int i = 0;
	while (i < count && !view_eq(text, view_str(name(i))))
		i++;
	return i;
}

static const char *form_name(int form)
{
	return smpp_id_form_name((enum smpp_id_form)form);
}

static void known_cb(void *ctx, const struct store_rows *rows)
{
	struct learn *l = ctx;
	for (unsigned i = 0; i < store_rows_count(rows); i++) {
		const struct dispatch_carrier *carrier = dispatch_carrier_named(l->d, store_rows_text(rows, i, 0));
		int how = find(how_name, HOWS, store_rows_text(rows, i, 1));
		int answer = find(form_name, SMPP_ID_FORMS, store_rows_text(rows, i, 2));
		int receipt = find(form_name, SMPP_ID_FORMS, store_rows_text(rows, i, 3));
		if (carrier && how < HOWS && answer < SMPP_ID_FORMS && receipt < SMPP_ID_FORMS)
			l->carrier[carrier - l->d->carriers].cell[how][answer][receipt].written =
			        (uint64_t)store_rows_int(rows, i, 4);
	}
}

static void timer_cb(void *ctx)
{
	struct learn *l = ctx;
	struct store_step known = {"format_get", NULL, known_cb};
	net_timer_start(l->timer, l->read ? FLUSH_MS : READ_MS);
	if (l->busy || !store_lane_up(l->d->house_lane))
		return;
	if (!l->read) {
		l->busy = true;
		store_lane_run(l->d->house_lane, &known, 1, done_cb, l);
	} else if (l->dirty) {
		write_cells(l);
	}
}

void learn_free(struct learn *l)
{
	net_timer_free(l->timer);
	store_params_free(&l->params);
	free(l->carrier);
	free(l);
}
