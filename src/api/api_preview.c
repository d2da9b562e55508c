#include "api_preview.h"

#include "api_creation.h"
#include "policy_cap.h"

#include <string.h>

/* --- a judgement ---------------------------------------------------------------------------------------------------
 */

int64_t preview_next_us(const struct dispatch_judged *j)
{
	if (j->verdict.verdict == VERDICT_SEND)
		return j->now_us;
	bool allowed = j->verdict.verdict == VERDICT_WAIT && j->verdict.until_us < j->facts.expires_at_us;
	return allowed ? j->verdict.until_us : 0; /* what waits for a person waits until it expires */
}

static void add_time(struct buf *to, const char *name, int64_t at_us)
{
	char text[TIME_TEXT_BYTES];
	if (at_us)
		buf_printf(to, "\"%s\":\"%s\"", name, time_format(at_us, text));
	else
		buf_printf(to, "\"%s\":null", name);
}

void preview_write_verdict(const struct dispatch_judged *j, struct buf *to)
{
	enum reason reason = j->verdict.reason;
	buf_printf(to, "\"verdict\":{\"verdict\":\"%s\",\"reason\":", policy_verdict_name(j->verdict.verdict));
	if (reason) {
		buf_printf(to, "{\"code\":\"%s\",\"sentence\":\"", policy_reason_code(reason));
		buf_add_json_text(to, view_str(policy_reason_sentence(reason)));
		buf_add_str(to, "\",\"citation\":\"");
		buf_add_json_text(to, view_str(policy_reason_citation(reason)));
		buf_add_str(to, "\"}");
	} else {
		buf_add_str(to, "null");
	}
	buf_add_u8(to, ',');
	add_time(to, "at", j->now_us);
	buf_printf(to, ",\"pack\":\"%s\"},", j->rules ? j->rules->pack : "");
	add_time(to, "next_at", preview_next_us(j));
}

static void add_sends(struct buf *to, const char *name, const struct policy_sends *s)
{
	char text[TIME_TEXT_BYTES];
	buf_printf(to, ",\"%s\":[", name);
	for (unsigned i = 0; i < s->count; i++)
		buf_printf(to, "%s\"%s\"", i ? "," : "", time_format(s->at_us[i], text));
	buf_add_u8(to, ']');
}

void preview_write_caps(const struct dispatch_judged *j, struct buf *to)
{
	struct policy_cap_use u = policy_cap_use(j->rules, &j->facts, j->now_us);
	bool capped = policy_category_flags(j->facts.category) & CATEGORY_CAPPED;
	buf_printf(to,
	           "\"caps\":{\"hold\":%s,\"day\":{\"used\":%d,\"max\":%d},\"week\":{\"used\":%d,\"max\":%d},"
	           "\"household\":%s",
	           capped ? "true" : "false", u.day_used, u.day_max, u.week_used, u.week_max,
	           j->facts.household ? "true" : "false");
	add_sends(to, "patient_counted", &j->facts.patient);
	add_sends(to, "phone_counted", &j->facts.phone);
	buf_add_u8(to, '}');
}

void preview_write_consent(const struct dispatch_judged *j, struct buf *to)
{
	const struct policy_consent *c = &j->facts.consent;
	char id[UUID_TEXT_BYTES];
	buf_printf(to, "\"consent\":{\"needed\":\"%s\",\"basis\":\"%s\",\"id\":",
	           policy_basis_name(policy_category_basis(j->facts.category)), policy_basis_name(c->basis));
	if (uuid_is_zero(&c->id))
		buf_add_str(to, "null");
	else
		buf_printf(to, "\"%s\"", uuid_format(&c->id, id));
	buf_add_u8(to, ',');
	add_time(to, "captured_at", c->captured_us);
	buf_printf(to, ",\"attested\":%s,\"stale\":%s}", c->attested ? "true" : "false", c->stale ? "true" : "false");
}

/* --- the answer ----------------------------------------------------------------------------------------------------
 */

static void add_words(struct buf *to, const char *name, struct view words)
{
	buf_printf(to, "\"%s\":[", name);
	for (size_t at = 0, n; at < words.n; at += n + 1) {
		const char *word = (const char *)words.p + at;
		n = strcspn(word, " ");
		buf_printf(to, "%s\"%.*s\"", at ? "," : "", (int)n, word);
	}
	buf_add_str(to, "],");
}

static void add_errors(const struct creation *c, struct buf *to)
{
	buf_add_str(to, ",\"errors\":[");
	for (unsigned i = 0; i < c->errors; i++) {
		buf_printf(to, "%s{\"pointer\":\"", i ? "," : "");
		buf_add_json_text(to, view_str(c->error[i].pointer));
		buf_printf(to, "\",\"code\":\"%s\",\"detail\":\"", c->error[i].code);
		buf_add_json_text(to, view_str(c->error[i].detail));
		buf_add_str(to, "\"}");
	}
	buf_add_str(to, "],");
}

static void write_message(const struct creation *c, struct buf *to)
{
	const struct draft *m = &c->draft;
	char at[TIME_TEXT_BYTES];
	buf_printf(to, "{\"accepted\":%s,\"text\":\"", c->errors ? "false" : "true");
	buf_add_json_text(to, m->body);
	buf_printf(to, "\",\"encoding\":\"%s\",\"characters\":%u,\"segments\":%u,\"replaced\":", m->encoding,
	           m->characters, m->segments);
	creation_write_text(c, to);
	add_errors(c, to);
	add_words(to, "zones", m->zones);
	add_words(to, "states", m->states);
	buf_printf(to, "\"category\":\"%s\",\"expires_at\":\"%s\",", m->category, time_format(m->expires_at_us, at));
}

static void reply(struct creation *c, struct buf *b)
{
	struct http_exchange *x = c->x;
	creation_end(c);
	if (b->full)
		api_read_failed(x);
	else
		link_http_reply(x, 200, "application/json", "", buf_view(b));
	buf_free(b);
}

static void judged_cb(void *ctx, const struct dispatch_judged *j, unsigned count)
{
	struct creation *c = ctx;
	struct buf b = BUF(LIMIT_HTTP_BODY_BYTES);
	(void)count;
	if (!j) {
		creation_end(c);
		api_read_failed(c->x);
		return;
	}
	write_message(c, &b);
	preview_write_verdict(j, &b);
	buf_add_u8(&b, ',');
	preview_write_caps(j, &b);
	buf_add_u8(&b, ',');
	preview_write_consent(j, &b);
	buf_add_u8(&b, '}');
	reply(c, &b);
}

/* What is wrong with the text is what a preview is for; all else is answered as POST /v1/messages answers it. */
static bool only_text_faults(const struct creation *c)
{
	bool only = c->draft.body.p && c->draft.category;
	for (unsigned i = 0; i < c->errors; i++)
		only = only && strcmp(c->error[i].pointer, "/body") == 0;
	return only;
}

void preview_answer(struct creation *c)
{
	if (c->errors && !only_text_faults(c)) {
		creation_answer_errors(c);
		return;
	}
	c->draft.practice_id = c->who.practice_id;
	c->draft.sender = view_str(c->who.sender);
	if (c->errors) {
		struct buf b = BUF(LIMIT_HTTP_BODY_BYTES);
		write_message(c, &b);
		buf_add_str(&b, "\"verdict\":null,\"next_at\":null,\"caps\":null,\"consent\":null}");
		reply(c, &b);
		return;
	}
	if (dispatch_judge(c->api->config.dispatch, &c->draft, 1, judged_cb, c))
		return;
	creation_end(c);
	api_unavailable(c->x, "busy", "Too many requests wait; try again.");
}
