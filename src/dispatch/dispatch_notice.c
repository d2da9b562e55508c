/* The one answer to a keyword (47 CFR 64.1200(a)(12)): who texts, and how to stop or to begin again. */
#include "dispatch_inbound.h"

#include "text_language.h"
#include "text_shape.h"
#include "text_starter.h"

enum category inbound_notice_category(const struct inbound *m)
{
	if (!m->practice_name)
		return CATEGORY_COUNT;
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

/* The row of proto/starter.def: named as the category, but for a stop of one class only. */
static const char *starter_name(const struct inbound *m, enum category category)
{
	return category == CATEGORY_opt_out_confirmation && m->done == INTENT_STOP_CLASS
	               ? "opt_out_class_confirmation"
	               : policy_category_code(category);
}

/* In the language that the patient wrote. */
static void notice_text(const struct inbound *m, enum category category, struct buf *to)
{
	struct template_practice practice = {.name = view_str(m->practice_name), .phone = view_str(m->practice_phone)};
	struct view language = view_str(text_language(buf_view(&m->body)));
	const struct text_starter *s = text_starter_find(view_str(starter_name(m, category)), language);
	struct template_report report;
	struct text_template t;
	check(s != NULL);
	text_starter_template(s, &t);
	if (!text_template_render(&t, &practice, NULL, 0, to, &report)) {
		/* a name from before there were limits: better longer than no answer at all */
		text_template_sample(&t, &practice, to);
	}
}

void inbound_notice_params(const struct inbound *m, enum category category, struct store_params *ps)
{
	struct buf text = BUF(LIMIT_BODY_BYTES);
	notice_text(m, category, &text);
	struct text_shape shape = text_measure(buf_view(&text));
	store_params_clear(ps);
	store_value_uuid(ps, &m->practice_id);
	store_value_uuid(ps, &m->notice_id);
	store_value_str(ps, m->phone);
	store_value_str(ps, m->practice_sender);
	store_value_text(ps, buf_view(&text));
	store_value_str(ps, text_encoding_name(shape.encoding));
	store_value_int(ps, STORE_INT4, shape.characters);
	store_value_str(ps, policy_category_code(category));
	store_value_time(ps, m->at_us);
	store_value_uuid(ps, &m->id);
	buf_free(&text);
}
