#include "text_template.h"

#include "base_limits.h"
#include "base_utf8.h"
#include "text_gsm7.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct type_row {
	const char *name;
	unsigned usual, most;
};
static const struct type_row types[TEMPLATE_TYPES] = {
#define TEMPLATE_TYPE(name, usual, most, sentence) {#name, usual, most},
#include "text_template.def"
};

enum own {
#define TEMPLATE_OWN(name, most, sentence) OWN_##name,
#include "text_template.def"
	OWNS
};
static const struct {
	const char *name;
	unsigned most;
} owns[OWNS] = {
#define TEMPLATE_OWN(name, most, sentence) {#name, most},
#include "text_template.def"
};

static const struct {
	const char *code;
	const char *sentence;
} faults[TEMPLATE_FAULTS] = {
        {"", ""},
#define TEMPLATE_FAULT(code, sentence) {#code, sentence},
#include "text_template.def"
};

const char *text_template_type_name(enum template_type t)
{
	return (unsigned)t < TEMPLATE_TYPES ? types[t].name : "";
}

enum template_type text_template_type(struct view name)
{
	for (unsigned t = 0; t < TEMPLATE_TYPES; t++)
		if (view_eq(name, view_str(types[t].name)))
			return t;
	return TEMPLATE_TYPES;
}

unsigned text_template_usual(enum template_type t)
{
	return (unsigned)t < TEMPLATE_TYPES ? types[t].usual : 0;
}

const char *text_template_fault_code(enum template_fault f)
{
	return (unsigned)f < TEMPLATE_FAULTS ? faults[f].code : "";
}

const char *text_template_fault_sentence(enum template_fault f)
{
	return (unsigned)f < TEMPLATE_FAULTS ? faults[f].sentence : "";
}

/* --- pieces ---------------------------------------------------------------------------------------------------- */

/* The body is read as a row of pieces: plain text, or a variable in braces. */
struct piece {
	struct view text; /* plain text, or the variable's name */
	bool variable;
	bool bad; /* a brace that belongs to nothing */
};

static struct view until(struct view text, size_t at, const char *any)
{
	size_t n = 0;
	while (at + n < text.n && !(text.p[at + n] && strchr(any, text.p[at + n])))
		n++;
	return view_of(text.p + at, n);
}

/* The piece at *at, which moves behind it; false at the end. */
static bool next_piece(struct view body, size_t *at, struct piece *p)
{
	if (*at >= body.n)
		return false;
	*p = (struct piece){.text = until(body, *at, "{}")};
	if (p->text.n) {
		*at += p->text.n;
		return true;
	}
	p->text = until(body, *at + 1, "{}");
	size_t end = *at + 1 + p->text.n;
	p->variable = body.p[*at] == '{' && end < body.n && body.p[end] == '}' && p->text.n;
	p->bad = !p->variable;
	*at = end + 1;
	return true;
}

static unsigned own_of(struct view name)
{
	for (unsigned i = 0; i < OWNS; i++)
		if (view_eq(name, view_str(owns[i].name)))
			return i;
	return OWNS;
}

static struct view own_value(const struct template_practice *p, unsigned own)
{
	return own == OWN_practice ? p->name : p->phone;
}

static const struct template_variable *declared(const struct text_template *t, struct view name)
{
	for (unsigned i = 0; i < t->variables; i++)
		if (view_eq(name, view_str(t->variable[i].name)))
			return &t->variable[i];
	return NULL;
}

/* Septets of the text; 0 and false when the alphabet lacks a character, or at a control other than a new line. */
static bool septets(struct view text, unsigned *n_r)
{
	uint32_t c;
	*n_r = 0;
	for (size_t at = 0, n; at < text.n; at += n) {
		n = utf8_get(text, at, &c);
		unsigned one = n && (c >= ' ' || c == '\n') ? text_gsm7_septets(c) : 0;
		if (!one)
			return false;
		*n_r += one;
	}
	return true;
}

/* --- checking -------------------------------------------------------------------------------------------------- */

static bool refuse(struct template_report *r, enum template_fault fault, struct view name)
{
	r->fault = fault;
	copy_view(r->name, sizeof(r->name), name.n < sizeof(r->name) ? name : (struct view){0});
	return false;
}

static bool name_ok(struct view name)
{
	return name.n > 0 && name.n < TEMPLATE_NAME_BYTES &&
	       strspn((const char *)name.p, "abcdefghijklmnopqrstuvwxyz0123456789_") >= name.n;
}

static bool is_used(const struct text_template *t, struct view name)
{
	struct piece p;
	for (size_t at = 0; next_piece(t->body, &at, &p);)
		if (p.variable && view_eq(p.text, name))
			return true;
	return false;
}

static bool check_variable(const struct text_template *t, unsigned i, struct template_report *r)
{
	const struct template_variable *v = &t->variable[i];
	struct view name = view_str(v->name);
	if (!name_ok(name))
		return refuse(r, TEMPLATE_FAULT_variable_name, name);
	if (own_of(name) != OWNS || declared(t, name) != v)
		return refuse(r, TEMPLATE_FAULT_variable_twice, name);
	if ((unsigned)v->type >= TEMPLATE_TYPES)
		return refuse(r, TEMPLATE_FAULT_variable_type, name);
	const struct type_row *row = &types[v->type];
	bool fixed = row->usual == row->most;
	if (v->max < (fixed ? row->most : 1) || v->max > row->most)
		return refuse(r, TEMPLATE_FAULT_variable_max, name);
	return is_used(t, name) || refuse(r, TEMPLATE_FAULT_variable_unused, name);
}

/* Adds the most that the piece can be. */
static bool measure(const struct text_template *t, const struct template_practice *p, const struct piece *piece,
                    struct template_report *r)
{
	unsigned n = 0;
	unsigned own = own_of(piece->text);
	const struct template_variable *v = declared(t, piece->text);
	if (piece->bad)
		return refuse(r, TEMPLATE_FAULT_brace, (struct view){0});
	if (!piece->variable && !septets(piece->text, &n))
		return refuse(r, TEMPLATE_FAULT_body_characters, (struct view){0});
	if (piece->variable && own == OWNS && !v)
		return refuse(r, TEMPLATE_FAULT_variable_unknown, name_ok(piece->text) ? piece->text : VIEW(""));
	if (piece->variable && own != OWNS && (!own_value(p, own).n || !septets(own_value(p, own), &n)))
		n = owns[own].most;
	if (piece->variable && own == OWNS)
		n = v->max;
	r->septets += n;
	return true;
}

bool text_template_language(struct view language)
{
	static const char *const languages[] = {
#define TEMPLATE_LANGUAGE(code, days, months) code,
#include "text_template.def"
	};
	for (size_t i = 0; i < COUNT(languages); i++)
		if (view_eq(language, view_str(languages[i])))
			return true;
	return false;
}

bool text_template_check(const struct text_template *t, const struct template_practice *p, struct template_report *r)
{
	struct piece piece;
	*r = (struct template_report){0};
	if (!text_template_language(t->language))
		return refuse(r, TEMPLATE_FAULT_language, (struct view){0});
	if (view_trim(t->body).n == 0)
		return refuse(r, TEMPLATE_FAULT_body_empty, (struct view){0});
	if (t->variables > TEMPLATE_VARIABLES_MAX)
		return refuse(r, TEMPLATE_FAULT_variables_many, (struct view){0});
	for (size_t at = 0; next_piece(t->body, &at, &piece);)
		if (!measure(t, p, &piece, r))
			return false;
	for (unsigned i = 0; i < t->variables; i++)
		if (!check_variable(t, i, r))
			return false;
	return r->septets <= LIMIT_GSM7_SEPTETS || refuse(r, TEMPLATE_FAULT_too_long, (struct view){0});
}

/* --- filling in ------------------------------------------------------------------------------------------------ */

static const struct template_value *value_of(const struct template_value *values, unsigned count, struct view name)
{
	for (unsigned i = 0; i < count; i++)
		if (view_eq(values[i].name, name))
			return &values[i];
	return NULL;
}

static bool put_variable(const struct text_template *t, const struct template_value *values, unsigned count,
                         struct view name, struct buf *to, struct template_report *r)
{
	const struct template_variable *v = declared(t, name);
	const struct template_value *value = value_of(values, count, name);
	if (!v)
		return refuse(r, TEMPLATE_FAULT_variable_unknown, name);
	if (!value)
		return refuse(r, TEMPLATE_FAULT_value_missing, name);
	enum template_fault fault = text_template_value(v, t->language, value->value, to);
	return fault == TEMPLATE_FINE || refuse(r, fault, name);
}

static bool put_piece(const struct text_template *t, const struct template_practice *p,
                      const struct template_value *values, unsigned count, const struct piece *piece, struct buf *to,
                      struct template_report *r)
{
	unsigned own = piece->variable ? own_of(piece->text) : OWNS;
	if (piece->bad)
		return refuse(r, TEMPLATE_FAULT_brace, (struct view){0});
	if (own != OWNS)
		return buf_add_view(to, own_value(p, own));
	if (!piece->variable)
		return buf_add_view(to, piece->text);
	return put_variable(t, values, count, piece->text, to, r);
}

static bool values_known(const struct text_template *t, const struct template_value *values, unsigned count,
                         struct template_report *r)
{
	for (unsigned i = 0; i < count; i++)
		if (!declared(t, values[i].name))
			return refuse(r, TEMPLATE_FAULT_value_unknown,
			              name_ok(values[i].name) ? values[i].name : VIEW(""));
	return true;
}

bool text_template_render(const struct text_template *t, const struct template_practice *p,
                          const struct template_value *values, unsigned count, struct buf *to,
                          struct template_report *r)
{
	const size_t start = to->n;
	struct piece piece;
	*r = (struct template_report){0};
	bool ok = values_known(t, values, count, r);
	for (size_t at = 0; ok && next_piece(t->body, &at, &piece);)
		ok = put_piece(t, p, values, count, &piece, to, r);
	struct view made = to->n > start ? view_of(to->p + start, to->n - start) : (struct view){0};
	if (ok && (!septets(made, &r->septets) || r->septets > LIMIT_GSM7_SEPTETS))
		ok = refuse(r, TEMPLATE_FAULT_too_long, (struct view){0});
	if (!ok)
		to->n = start;
	return ok;
}

/* --- the longest ----------------------------------------------------------------------------------------------- */

static void put_repeated(struct buf *to, char c, unsigned n)
{
	while (n--)
		buf_add_u8(to, (uint8_t)c);
}

static void put_link(const struct template_practice *p, unsigned max, struct buf *to)
{
	size_t start = to->n;
	buf_add_str(to, "https://");
	buf_add_view(to, p->domain.n ? p->domain : VIEW("link.example"));
	buf_add_u8(to, '/');
	if (to->n - start < max)
		put_repeated(to, 'w', max - (unsigned)(to->n - start));
}

static void put_longest(const struct template_variable *v, const struct template_practice *p, struct buf *to)
{
	switch (v->type) {
	case TEMPLATE_date:
		buf_add_str(to, "Wed, Sep 30");
		break;
	case TEMPLATE_time:
		buf_add_str(to, "12:30 PM");
		break;
	case TEMPLATE_phone:
		buf_add_str(to, "212-555-0100");
		break;
	case TEMPLATE_link:
		put_link(p, v->max, to);
		break;
	case TEMPLATE_number:
		put_repeated(to, '9', v->max);
		break;
	default:
		put_repeated(to, 'W', 1);
		put_repeated(to, 'w', v->max - 1);
	}
}

void text_template_sample(const struct text_template *t, const struct template_practice *p, struct buf *to)
{
	struct piece piece;
	for (size_t at = 0; next_piece(t->body, &at, &piece);) {
		unsigned own = piece.variable ? own_of(piece.text) : OWNS;
		const struct template_variable *v = declared(t, piece.text);
		if (own != OWNS)
			buf_add_view(to, own_value(p, own));
		else if (!piece.variable)
			buf_add_view(to, piece.text);
		else if (v)
			put_longest(v, p, to);
	}
}
