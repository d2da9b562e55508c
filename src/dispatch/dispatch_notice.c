/* The one answer to a keyword (47 CFR 64.1200(a)(12)): who texts, and how to stop or to begin again; and the one to an
 * answer to a reminder: which visit is meant, or, where the practice wants that, that it was heard. */
#include "dispatch_inbound.h"

#include "text_language.h"
#include "text_shape.h"
#include "text_starter.h"

#include <stdio.h>
#include <string.h>

#define TOLD_CHARS 16 /* "2026-03-02 14:30" */

enum category inbound_notice_category(const struct inbound *m)
{
	if (!m->practice_name)
		return CATEGORY_COUNT;
	if (m->told.tell)
		return CATEGORY_conversational_reply;
	switch (m->done) {
	case INTENT_STOP:
	case INTENT_STOP_ALL:
	case INTENT_STOP_CLASS:
		return m->changed ? CATEGORY_opt_out_confirmation : CATEGORY_COUNT;
	case INTENT_START:
		return m->changed ? CATEGORY_resume_confirmation : CATEGORY_COUNT;
	case INTENT_HELP:
		return CATEGORY_help_reply;
	default:
		return CATEGORY_COUNT; /* who has somebody else's phone is told nothing, and a person answers the rest
		                        */
	}
}

static bool is_question(const struct inbound *m)
{
	return m->told.tell && strcmp(m->told.as, "question") == 0;
}

/* The row of proto/starter.def: named as the category, but for a stop of one class only and for answers. */
static void starter_name(const struct inbound *m, enum category category, char to[48])
{
	if (is_question(m))
		snprintf(to, 48, "which_visit%s", strlen(m->told.times) > 2 * TOLD_CHARS + 1 ? "_of_three" : "");
	else if (m->told.tell)
		snprintf(to, 48, "answer_%s", m->told.as);
	else if (category == CATEGORY_opt_out_confirmation && m->done == INTENT_STOP_CLASS)
		copy_str(to, 48, "opt_out_class_confirmation");
	else
		copy_str(to, 48, policy_category_code(category));
}

/* day1, time1, day2, ... of "2026-03-02 14:30,2026-03-04 09:00"; how many. */
static unsigned time_values(const char *times, struct template_value *values, char names[][8])
{
	unsigned n = 0;
	for (const char *at = times; strlen(at) >= TOLD_CHARS && n < 2 * TEXT_CHOICE_MOST; n += 2) {
		snprintf(names[n], 8, "day%u", n / 2 + 1);
		snprintf(names[n + 1], 8, "time%u", n / 2 + 1);
		values[n] = (struct template_value){view_str(names[n]), view_of(at, 10)};
		values[n + 1] = (struct template_value){view_str(names[n + 1]), view_of(at + 11, 5)};
		at += TOLD_CHARS + (at[TOLD_CHARS] == ',');
	}
	return n;
}

/* In the language that the patient wrote; a C says none, then in the visit's. */
static struct view notice_language(const struct inbound *m)
{
	struct view written = view_str(text_language(buf_view(&m->body)));
	return m->told.tell && view_eq(written, VIEW("en")) ? view_str(m->told.language) : written;
}

/* Fills in a row; false when what it would say does not fit: a name from before there were limits. */
static bool fill(const struct inbound *m, const char *name, bool sample, struct buf *to)
{
	const struct inbound_told *told = &m->told;
	struct template_practice practice = {.name = view_str(told->tell ? told->name : m->practice_name),
	                                     .phone = view_str(told->tell ? told->phone : m->practice_phone)};
	struct template_value values[2 * TEXT_CHOICE_MOST];
	char names[2 * TEXT_CHOICE_MOST][8];
	struct template_report report;
	struct text_template t;
	const struct text_starter *s = text_starter_find(view_str(name), notice_language(m));
	check(s != NULL);
	text_starter_template(s, &t);
	unsigned count = time_values(told->times, values, names);
	if (sample)
		text_template_sample(&t, &practice, to);
	return sample || text_template_render(&t, &practice, values, t.variables ? count : 0, to, &report);
}

/* Better longer than no answer at all; but a sample's times would be nobody's. */
static void notice_text(const struct inbound *m, enum category category, struct buf *to)
{
	char name[48];
	starter_name(m, category, name);
	if (!fill(m, name, false, to))
		fill(m, is_question(m) ? "help_reply" : name, true, to);
}

void inbound_notice_params(const struct inbound *m, enum category category, struct store_params *ps)
{
	const struct inbound_told *told = &m->told;
	struct buf text = BUF(LIMIT_BODY_BYTES);
	notice_text(m, category, &text);
	struct text_shape shape = text_measure(buf_view(&text));
	store_params_clear(ps);
	store_value_uuid(ps, told->tell ? &told->practice_id : &m->practice_id);
	store_value_uuid(ps, &m->notice_id);
	store_value_str(ps, m->phone);
	store_value_str(ps, told->tell ? told->sender : m->practice_sender);
	store_value_text(ps, buf_view(&text));
	store_value_str(ps, text_encoding_name(shape.encoding));
	store_value_int(ps, STORE_INT4, shape.characters);
	store_value_str(ps, policy_category_code(category));
	store_value_time(ps, m->at_us);
	store_value_uuid(ps, &m->id);
	buf_free(&text);
}
