/* What a patient's text says, and what the database is asked to do about it: one call of inbound_act, which opts out,
 * lifts, opens tasks, marks a wrong number and takes a verification's answer in the transaction that keeps the text. */
#include "dispatch_inbound.h"

#include "smpp_status.h"
#include "text_keyword.h"

#include <stdlib.h>
#include <string.h>

#define ASCII 1 /* data_coding */

bool inbound_is_stop(enum text_intent i)
{
	return i == INTENT_STOP || i == INTENT_STOP_ALL || i == INTENT_STOP_CLASS;
}

/* --- what it says --------------------------------------------------------------------------------------------------
 */

void inbound_read(struct inbound *m)
{
	m->alone = text_intent_read(buf_view(&m->body));
	if (inbound_is_stop(m->alone.intent))
		return;
	struct text_meaning octets = text_intent_read(m->concat.text);
	if (!inbound_is_stop(octets.intent))
		return;
	m->alone = octets;
	m->clean = false;
	m->part.coding = (struct text_coding){.data_coding = ASCII};
	buf_clear(&m->body);
	text_decode_as(&m->part.coding, m->concat.text, &m->body);
}

/* Joined, with this part or without the missing ones. A part that was a STOP by itself makes the text one; what is only
 * a piece may hold back, but starts nothing and is not helped. */
static void judge_joined(struct inbound *m)
{
	static const struct text_meaning none = {.intent = INTENT_OTHER};
	inbound_part_join(m);
	m->said = text_intent_read(buf_view(&m->body));
	bool stop = inbound_is_stop(m->said.intent) || inbound_is_stop(m->alone.intent);
	bool whole = m->kind == INBOUND_PART;
	if (m->stopped)
		m->act = none;
	else if (stop)
		m->act = inbound_is_stop(m->said.intent) ? m->said : m->alone;
	else
		m->act = whole || m->said.intent == INTENT_SUSPECT ? m->said : none;
	m->keyword = m->stopped ? INTENT_STOP : m->act.intent;
}

/* A STOP is looked for in each part as it comes; the rest is for a whole text to say. */
void inbound_judge(struct inbound *m)
{
	if (m->fate == INBOUND_KEEP && m->parts) {
		judge_joined(m);
	} else if (m->fate == INBOUND_KEEP) {
		m->said = m->act = m->alone;
		m->keyword = m->alone.intent;
	} else if (m->fate == INBOUND_WAITS && inbound_is_stop(m->alone.intent) && !m->stopped) {
		m->act = m->alone;
		m->keyword = m->alone.intent;
	}
	if (uuid_is_zero(&m->practice_id)) { /* nobody to stop or to answer for; it is kept and told */
		m->act = (struct text_meaning){.intent = INTENT_OTHER};
		m->keyword = INTENT_OTHER;
	}
	m->done = m->act.intent;
}

const char *inbound_keyword(const struct inbound *m)
{
	return m->keyword == INTENT_OTHER ? "none" : text_intent_name(m->keyword);
}

const char *inbound_event(const struct inbound *m)
{
	if (uuid_is_zero(&m->practice_id))
		return "reply.unroutable";
	return m->act.intent == INTENT_HELP ? "help.received" : "";
}

/* --- what is done --------------------------------------------------------------------------------------------------
 */

/* A text that is kept is settled too: somebody's answer, or for people to read. */
bool inbound_acts(const struct inbound *m)
{
	bool settled = m->fate == INBOUND_KEEP && !uuid_is_zero(&m->practice_id);
	return settled || (m->act.intent != INTENT_OTHER && m->act.intent != INTENT_HELP);
}

bool inbound_asks(const struct inbound *m)
{
	return m->act.intent != INTENT_OTHER || m->act.answer.answer || m->act.answer.choice;
}

/* What is no stop, start or help, and turns out to be no answer to a reminder, is for people. */
static bool is_for_people(const struct inbound *m)
{
	return m->act.intent != INTENT_HELP && !inbound_is_stop(m->said.intent) && m->act.intent != INTENT_START;
}

void inbound_act_params(const struct inbound *m, struct store_params *ps)
{
	const char *category;
	store_params_clear(ps);
	store_array(ps, STORE_UUID);
	store_array(ps, STORE_UUID);
	for (unsigned i = 0; i < m->known_count; i++)
		store_add_uuid(ps, i < m->sharing ? 0 : 1, &m->known[i]);
	store_value_str(ps, text_intent_name(m->act.intent));
	store_value_str(ps, m->act.rule);
	unsigned categories = store_array(ps, STORE_TEXT);
	for (unsigned i = 0; m->act.rule && (category = text_intent_category(m->act.rule, i)); i++)
		store_add_str(ps, categories, category);
	store_value_int(ps, STORE_BOOL, m->act.visit);
	store_value_str(ps, m->phone);
	store_value_time(ps, m->at_us);
	store_value_uuid(ps, &m->id);
	store_value_str(ps, text_answer_name(m->act.answer.answer));
	store_value_int(ps, STORE_INT4, m->act.answer.choice);
	store_value_int(ps, STORE_BOOL, is_for_people(m));
	store_value_uuid(ps, &m->notice_id);
}

void inbound_told_free(struct inbound_told *t)
{
	free(t->name);
	free(t->phone);
	free(t->sender);
	*t = (struct inbound_told){.tell = false};
}

static void take_told(struct inbound_told *t, const struct store_rows *rows)
{
	enum { AS = 2, TELL, TIMES, LANGUAGE, PRACTICE, NAME, PHONE, SENDER };
	copy_view(t->as, sizeof(t->as), store_rows_text(rows, 0, AS));
	if (!store_rows_bool(rows, 0, TELL))
		return;
	t->tell = true;
	copy_view(t->times, sizeof(t->times), store_rows_text(rows, 0, TIMES));
	copy_view(t->language, sizeof(t->language), store_rows_text(rows, 0, LANGUAGE));
	t->practice_id = store_rows_uuid(rows, 0, PRACTICE);
	t->name = inbound_copy_text(store_rows_text(rows, 0, NAME));
	t->phone = inbound_copy_text(store_rows_text(rows, 0, PHONE));
	t->sender = inbound_copy_text(store_rows_text(rows, 0, SENDER));
}

void inbound_act_rows(struct inbound *m, const struct store_rows *rows)
{
	if (store_rows_count(rows))
		take_told(&m->told, rows);
	m->changed = store_rows_count(rows) && store_rows_bool(rows, 0, 0);
	for (int i = 0; i <= INTENT_CANCEL_VISIT; i++)
		if (view_eq(store_rows_text(rows, 0, 1), view_str(text_intent_name((enum text_intent)i))))
			m->done = (enum text_intent)i;
}

/* --- whom it is for ------------------------------------------------------------------------------------------------
 */

char *inbound_copy_text(struct view v)
{
	struct buf b = BUF(4096);
	buf_add_view(&b, v);
	char *copy = mem_copy_str(buf_cstr(&b));
	buf_free(&b);
	return copy;
}

static void take_practice(struct inbound *m, const struct store_rows *rows, unsigned row)
{
	m->practice_id = store_rows_uuid(rows, row, 0);
	m->practice_name = inbound_copy_text(store_rows_text(rows, row, 1));
	m->practice_phone = inbound_copy_text(store_rows_text(rows, row, 2));
	m->practice_sender = inbound_copy_text(store_rows_text(rows, row, 3));
}

/* The parts of an EXPIRED text are under the practice that had the number when they came. */
static unsigned choose(const struct inbound *m, const struct store_rows *rows)
{
	unsigned row = 0;
	for (; m->kind == INBOUND_EXPIRED && row < store_rows_count(rows); row++) {
		struct uuid id = store_rows_uuid(rows, row, 0);
		if (memcmp(&id, &m->practice_id, sizeof(id)) == 0)
			break;
	}
	return row;
}

/* The chosen one comes first: row is put before those that share its number. */
void inbound_practice_rows(struct inbound *m, const struct store_rows *rows)
{
	unsigned n = store_rows_count(rows);
	unsigned chosen = choose(m, rows);
	if (chosen >= n || !store_rows_bool(rows, chosen, 4))
		return; /* nobody has the number (any more); without one, others are not asked either */
	take_practice(m, rows, chosen);
	m->known = mem_alloc(n * sizeof(*m->known));
	m->known[m->known_count++] = m->practice_id;
	for (unsigned i = 0; i < n; i++)
		if (i != chosen)
			m->known[m->known_count++] = store_rows_uuid(rows, i, 0);
	for (unsigned i = 0; i < n; i++)
		m->sharing += store_rows_bool(rows, i, 4);
}

void inbound_lock_params(const struct inbound *m, struct store_params *ps)
{
	unsigned n = m->known_count ? m->known_count : 1;
	int64_t *keys = mem_alloc(n * sizeof(*keys));
	for (unsigned i = 0; i < n; i++)
		keys[i] = claimer_lock_key(m->known ? &m->known[i] : &m->practice_id, 'p', view_str(m->phone));
	claimer_lock_params(ps, keys, n);
	free(keys);
}

/* What ends every kind of text withdraws; what may, or ends some, has them judged again: for all we know they may go.
 */
void inbound_withdraw(struct dispatch *d, const struct inbound *m, enum text_intent intent)
{
	bool all = intent == INTENT_STOP || intent == INTENT_STOP_ALL || intent == INTENT_WRONG_NUMBER;
	if (!text_intent_stops(intent) && intent != INTENT_NO) /* to a verification it is a wrong number */
		return;
	for (unsigned i = 0; i < m->known_count; i++)
		(all ? claimer_withdraw : claimer_recheck)(d->claimer, &m->known[i], view_str(m->phone));
}
