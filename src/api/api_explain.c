#include "api_explain.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const char *cell(const struct explain_facts *f, enum explain_column column)
{
	return f->cell[column] ? f->cell[column] : "";
}

static bool is(const struct explain_facts *f, enum explain_column column, const char *text)
{
	return strcmp(cell(f, column), text) == 0;
}

/* "America/New_York" as "New York". */
static void add_place(const char *zone, struct buf *to)
{
	const char *slash = strrchr(zone, '/');
	for (const char *at = slash ? slash + 1 : zone; *at; at++)
		buf_add_u8(to, (uint8_t)(*at == '_' ? ' ' : *at));
}

static void add_what(const struct explain_facts *f, struct buf *to)
{
	const char *class = cell(f, EXPLAIN_CLASS);
	if (is(f, EXPLAIN_CLASS_BASIS, "NOTICE"))
		buf_printf(to, "This is an automatic answer of %s", cell(f, EXPLAIN_PRACTICE));
	else
		buf_printf(to, "%s asked for this text", cell(f, EXPLAIN_PRACTICE));
	buf_printf(to, " to the phone that ends in %s on %s (", cell(f, EXPLAIN_LAST_FOUR), cell(f, EXPLAIN_ACCEPTED));
	add_place(cell(f, EXPLAIN_ZONE), to);
	buf_add_str(to, " time). ");
	if (*class)
		buf_printf(to, "It %c%s ", tolower((unsigned char)class[0]), class + 1);
}

static void add_visit(const struct explain_facts *f, struct buf *to)
{
	if (*cell(f, EXPLAIN_STEP))
		buf_printf(to, "It is the reminder \"%s\" of the visit %s on %s. ", cell(f, EXPLAIN_STEP),
		           cell(f, EXPLAIN_VISIT), cell(f, EXPLAIN_VISIT_AT));
}

static bool waits(const struct explain_facts *f)
{
	return is(f, EXPLAIN_STATUS, "scheduled") || is(f, EXPLAIN_STATUS, "queued") || is(f, EXPLAIN_STATUS, "held");
}

static void add_status(const struct explain_facts *f, struct buf *to)
{
	const char *when = *cell(f, EXPLAIN_ENDED) ? cell(f, EXPLAIN_ENDED) : cell(f, EXPLAIN_SENT);
	if (waits(f))
		buf_add_str(to, "It has not gone yet.");
	else
		buf_add_str(to, cell(f, EXPLAIN_STATUS_SENTENCE));
	if (!waits(f) && *when)
		buf_printf(to, " That was on %s.", when);
	if (*cell(f, EXPLAIN_REASON_SENTENCE))
		buf_printf(to, " The reason: %s", cell(f, EXPLAIN_REASON_SENTENCE));
}

static void add_next(const struct explain_facts *f, struct buf *to)
{
	if (!waits(f))
		return;
	if (*cell(f, EXPLAIN_DUE))
		buf_printf(to, " It is looked at again on %s, and goes then if every rule allows it.",
		           cell(f, EXPLAIN_DUE));
	if (*cell(f, EXPLAIN_EXPIRES))
		buf_printf(to, " If it cannot go before %s, it is dropped, because it would be of no use any more.",
		           cell(f, EXPLAIN_EXPIRES));
}

static void add_consent(const struct explain_facts *f, struct buf *to)
{
	if (is(f, EXPLAIN_CLASS_BASIS, "NONE") || is(f, EXPLAIN_CLASS_BASIS, "NOTICE"))
		buf_add_str(to, " A text of this kind needs no consent on record.");
	else if (is(f, EXPLAIN_ATTESTED, "true"))
		buf_add_str(to,
		            " It rests on the practice's word that its patients gave it their numbers for texts about "
		            "their care.");
	else if (*cell(f, EXPLAIN_BASIS) && !is(f, EXPLAIN_BASIS, "none")) {
		buf_printf(to, " It rests on the patient's %s consent", cell(f, EXPLAIN_BASIS));
		if (*cell(f, EXPLAIN_CAPTURED))
			buf_printf(to, " of %s", cell(f, EXPLAIN_CAPTURED));
		if (*cell(f, EXPLAIN_METHOD))
			buf_printf(to, " (%s)", cell(f, EXPLAIN_METHOD));
		buf_add_u8(to, '.');
	} else if (waits(f) && !*cell(f, EXPLAIN_PACK))
		buf_add_str(to, " The patient's consent is looked at when the text is about to go.");
}

static void add_rule(const struct explain_facts *f, struct buf *to)
{
	if (*cell(f, EXPLAIN_CITATION))
		buf_printf(to, " The rule: %s.", cell(f, EXPLAIN_CITATION));
	if (*cell(f, EXPLAIN_PACK))
		buf_printf(to, " It was judged by the rules named \"%s\" (%s).", cell(f, EXPLAIN_PACK),
		           cell(f, EXPLAIN_PACK_CITATION));
}

void explain_paragraph(const struct explain_facts *f, struct buf *to)
{
	add_what(f, to);
	add_visit(f, to);
	add_status(f, to);
	add_next(f, to);
	add_consent(f, to);
	add_rule(f, to);
}

const char *explain_citation(const struct explain_facts *f)
{
	return *cell(f, EXPLAIN_CITATION) ? cell(f, EXPLAIN_CITATION) : cell(f, EXPLAIN_PACK_CITATION);
}

static void add_member(struct buf *to, const char *name, const char *value)
{
	buf_printf(to, "%s\"%s\":", to->n > 1 ? "," : "", name);
	if (!*value) {
		buf_add_str(to, "null");
		return;
	}
	buf_add_u8(to, '"');
	buf_add_json_text(to, view_str(value));
	buf_add_u8(to, '"');
}

void explain_json(const struct explain_facts *f, struct buf *to)
{
	struct buf paragraph = BUF(8192);
	explain_paragraph(f, &paragraph);
	buf_add_u8(to, '{');
	add_member(to, "id", cell(f, EXPLAIN_ID));
	add_member(to, "status", cell(f, EXPLAIN_STATUS));
	add_member(to, "reason", cell(f, EXPLAIN_REASON));
	add_member(to, "explanation", buf_cstr(&paragraph));
	add_member(to, "citation", explain_citation(f));
	add_member(to, "rule_pack", cell(f, EXPLAIN_PACK));
	add_member(to, "next_at", waits(f) ? cell(f, EXPLAIN_NEXT) : "");
	buf_free(&paragraph);
}
