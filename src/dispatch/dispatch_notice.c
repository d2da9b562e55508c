/* The one answer to a keyword (47 CFR 64.1200(a)(12)): who texts, and how to stop or to begin again. */
#include "dispatch_inbound.h"

#include "text_shape.h"

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

static void notice_text(const struct inbound *m, enum category category, struct buf *to)
{
	struct text_changes changes;
	struct buf raw = BUF(LIMIT_BODY_BYTES);
	if (category == CATEGORY_opt_out_confirmation)
		buf_printf(
		        &raw,
		        "%s: You will get no more texts %sfrom us. Questions? Call %s. Reply START to get texts again.",
		        m->practice_name, m->done == INTENT_STOP_CLASS ? "of this kind " : "", m->practice_phone);
	else if (category == CATEGORY_resume_confirmation)
		buf_printf(&raw, "%s: You will get our texts again. Questions? Call %s. Reply STOP to end.",
		           m->practice_name, m->practice_phone);
	else
		buf_printf(&raw, "%s: For help call %s. Reply STOP to get no more texts.", m->practice_name,
		           m->practice_phone);
	text_normalise(buf_view(&raw), to, &changes);
	buf_free(&raw);
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
