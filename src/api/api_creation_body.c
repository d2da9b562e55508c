/* The text of a message: normalised, measured, linted. */
#include "api_creation.h"

#define UCS2_UNITS_OF_MANY 67 /* of one segment, when there are several */

static bool has_controls(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if ((v.p[i] < 0x20 && v.p[i] != '\n') || v.p[i] == 0x7f ||
		    (v.p[i] == 0xc2 && i + 1 < v.n && v.p[i + 1] < 0xa0)) /* the C1 controls in UTF-8 */
			return true;
	return v.n == 0;
}

static void check_shape(struct creation *c, struct view body, const struct text_shape *shape)
{
	struct buf detail = BUF(1024);
	if (shape->characters > LIMIT_MESSAGE_CHARACTERS) {
		buf_printf(&detail, "The text has %u characters; at most %d may be sent.", shape->characters,
		           LIMIT_MESSAGE_CHARACTERS);
		creation_error(c, "/body", "body_too_long", pool_copy(creation_pool(c), buf_view(&detail)));
	} else if (shape->encoding == TEXT_UCS2 && shape->segments > c->who.max_segments) {
		buf_printf(&detail, "These characters need an alphabet of which %s %d: ",
		           c->who.max_segments > 1 ? "the texts allowed for one message hold" : "one text holds",
		           c->who.max_segments > 1 ? (int)c->who.max_segments * UCS2_UNITS_OF_MANY : LIMIT_UCS2_UNITS);
		text_not_gsm7(body, 16, &detail);
		creation_error(c, "/body", "body_characters", pool_copy(creation_pool(c), buf_view(&detail)));
	} else if (shape->encoding == TEXT_GSM7 && shape->segments > 1) {
		buf_printf(&detail, "The text takes %u of the %d places of one text (some characters take two).",
		           shape->units, LIMIT_GSM7_SEPTETS);
		creation_error(c, "/body", "body_too_long", pool_copy(creation_pool(c), buf_view(&detail)));
	}
	buf_free(&detail);
}

/* What the text must not have in it, or must (proto/lint_rule.def): the same is judged again when it is about to go. */
static void lint_body(struct creation *c, struct view body)
{
	enum category category =
	        c->draft.category ? policy_category_parse(view_str(c->draft.category)) : CATEGORY_appointment_reminder;
	struct policy_lint_facts facts = lint_facts(&c->who.lint, category);
	struct faults f = {.pool = creation_pool(c)};
	policy_lint(&facts, body, &c->findings);
	fault_add_findings(&f, &c->findings);
	for (unsigned i = 0; i < f.count; i++)
		creation_error(c, f.error[i].pointer, f.error[i].code, f.error[i].detail);
}

/* The text as it was given, or as its template made it. */
static struct view given_body(struct creation *c)
{
	struct view v = creation_text(c, F_BODY);
	if (v.p && c->used)
		creation_error(c, "/template", "template_and_body", "Give a body or a template, not both.");
	for (unsigned i = 0; c->used && i < c->used->faults.count; i++)
		creation_error(c, c->used->faults.error[i].pointer, c->used->faults.error[i].code,
		               c->used->faults.error[i].detail);
	if (!c->used)
		(void)creation_text(c, F_TEMPLATE); /* of the right type all the same */
	const json_t *given = json_object_get(c->json, "body");
	if (!c->used && (!given || json_is_null(given)))
		creation_error(c, "/body", "required", "This field is required.");
	return c->used ? c->used->body : v;
}

void creation_take_body(struct creation *c)
{
	struct view v = given_body(c);
	struct buf text = BUF(LIMIT_BODY_BYTES * 2);
	if (!v.p)
		return;
	if (v.n > LIMIT_BODY_BYTES) {
		creation_error(c, "/body", "body_too_long", "The text is far longer than one text message.");
		return;
	}
	text_normalise(v, &text, &c->changes);
	struct view body = view_str(pool_copy(creation_pool(c), buf_view(&text)));
	buf_free(&text);
	if (has_controls(body)) {
		creation_error(c, "/body", "body_empty_or_controls", "Give a text without control characters.");
		return;
	}
	struct text_shape shape = text_measure(body);
	check_shape(c, body, &shape);
	lint_body(c, body);
	c->draft.body = body;
	c->draft.encoding = text_encoding_name(shape.encoding);
	c->draft.characters = shape.characters;
	c->draft.segments = shape.segments;
}
