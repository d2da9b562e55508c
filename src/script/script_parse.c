/* Line by line: words, then what they say. A line with an error is told and left out, the next one is read. */
#include "script_parse.h"

#include "base_check.h"
#include "base_suggest.h"
#include "script_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct token {
	struct view text;
	unsigned column; /* from 1 */
	unsigned weight; /* of "word"*3; 0: none was written */
	bool quoted;
};

struct reader {
	struct script *s;
	struct script_errors *errors;
	const char *name;
	struct token token[SCRIPT_TOKENS_MAX];
	unsigned n, at;
	unsigned line;
	unsigned end_column;
	bool numbered;
	bool bad; /* this line has an error already */
};

static void fault(struct reader *r, unsigned column, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void fault(struct reader *r, unsigned column, const char *format, ...)
{
	struct buf sentence = BUF(2048);
	char room[1024];
	va_list args;
	if (r->bad || r->errors->count >= SCRIPT_ERRORS_MAX)
		return;
	r->bad = true;
	r->errors->count++;
	va_start(args, format);
	vsnprintf(room, sizeof(room), format, args);
	va_end(args);
	for (const char *c = room; *c; c++)
		buf_add_u8(&sentence, (uint8_t)*c >= 0x20 && (uint8_t)*c < 0x7f ? (uint8_t)*c : '?');
	buf_printf(&r->errors->text, "%s:%u:%u: %s\n", r->name, r->line, column, buf_cstr(&sentence));
	buf_free(&sentence);
}

/* --- words ---------------------------------------------------------------------------------------------------------
 */

static bool blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* A quoted text from behind its quote; returns where it ends, 0 when it does not. */
static size_t quoted(struct reader *r, struct view line, size_t at, struct token *t)
{
	char *to = pool_alloc(&r->s->pool, line.n - at + 1);
	size_t n = 0;
	for (; at < line.n; at++) {
		uint8_t c = line.p[at];
		if (c == '"') {
			t->text = view_of(to, n);
			return at + 1;
		}
		if (c == '\\' && at + 1 < line.n) {
			c = line.p[++at];
			if (c == 'n')
				c = '\n';
			else if (c != '"' && c != '\\')
				fault(r, (unsigned)at, "there is no \\%c; write \\\", \\\\ or \\n", c);
		}
		to[n++] = (char)c;
	}
	fault(r, t->column, "the quotes are not closed");
	return 0;
}

/* "*3" behind a quoted text. */
static size_t weight_behind(struct reader *r, struct view line, size_t at, struct token *t)
{
	uint64_t weight;
	size_t from = at;
	if (at == line.n || blank(line.p[at]))
		return at;
	while (at < line.n && !blank(line.p[at]))
		at++;
	if (line.p[from] != '*' || !parse_u64(view_of(line.p + from + 1, at - from - 1), 1000000, &weight) || !weight)
		fault(r, (unsigned)from + 1, "behind quotes comes a blank or a weight (*3)");
	else
		t->weight = (unsigned)weight;
	return at;
}

static size_t word(struct reader *r, struct view line, size_t at, struct token *t)
{
	size_t from = at;
	t->column = (unsigned)at + 1;
	if (line.p[at] == '"') {
		t->quoted = true;
		at = quoted(r, line, at + 1, t);
		return at ? weight_behind(r, line, at, t) : line.n;
	}
	while (at < line.n && !blank(line.p[at]))
		at++;
	t->text = view_of(line.p + from, at - from);
	return at;
}

static void split(struct reader *r, struct view line)
{
	size_t at = 0;
	r->n = r->at = 0;
	r->end_column = (unsigned)line.n + 1;
	while (!r->bad) {
		while (at < line.n && blank(line.p[at]))
			at++;
		if (at == line.n || line.p[at] == '#')
			return;
		if (r->n == SCRIPT_TOKENS_MAX) {
			fault(r, (unsigned)at + 1, "a line has at most %d words", SCRIPT_TOKENS_MAX);
			return;
		}
		r->token[r->n] = (struct token){0};
		at = word(r, line, at, &r->token[r->n]);
		r->n++;
	}
}

static const struct token *peek(const struct reader *r)
{
	return r->at < r->n ? &r->token[r->at] : NULL;
}

/* The next word; NULL after telling what is missing. */
static const struct token *take(struct reader *r, const char *what)
{
	if (r->at < r->n)
		return &r->token[r->at++];
	fault(r, r->end_column, "%s is missing", what);
	return NULL;
}

static bool is(const struct token *t, const char *name)
{
	return t && !t->quoted && view_eq(t->text, view_str(name));
}

/* --- what was meant ------------------------------------------------------------------------------------------------
 */

struct guess {
	struct view word;
	const char *best;
	unsigned distance;
};

static void guess_at(struct guess *g, const char *name)
{
	unsigned distance = suggest_distance(g->word, view_str(name));
	if (distance < g->distance && suggest_near(distance, g->word.n)) {
		g->distance = distance;
		g->best = name;
	}
}

static void unknown(struct reader *r, const struct token *t, const char *kind, const struct guess *g)
{
	fault(r, t->column, "there is no %s \"%.*s\"%s%s%s", kind, (int)(t->text.n < 60 ? t->text.n : 60),
	      (const char *)t->text.p, g->best ? "; did you mean " : "", g->best ? g->best : "", g->best ? "?" : "");
}

static void unknown_event(struct reader *r, const struct token *t)
{
	struct guess g = {.word = t->text, .distance = 99};
	for (int i = 0; i < SCRIPT_ON_time; i++)
		guess_at(&g, script_event_row((enum script_event)i)->name);
	unknown(r, t, "event", &g);
}

static void unknown_fault(struct reader *r, const struct token *t, bool conditions)
{
	struct guess g = {.word = t->text, .distance = 99};
	for (int i = 0; i < SCRIPT_CONDITION_COUNT && conditions; i++)
		guess_at(&g, script_condition_row((enum script_condition)i)->name);
	for (int i = 0; i < SCRIPT_FAULT_COUNT; i++)
		guess_at(&g, script_fault_row((enum script_fault)i)->name);
	unknown(r, t, conditions ? "condition or fault" : "fault", &g);
}

/* --- values --------------------------------------------------------------------------------------------------------
 */

static bool read_choice(struct reader *r, enum script_type type, const struct token *t, struct script_choice *c_r)
{
	struct buf why = BUF(1024);
	bool good = script_value_read(type, t->text, c_r, &why);
	if (!good)
		fault(r, t->column, "%s", buf_cstr(&why));
	buf_free(&why);
	return good;
}

/* Takes *3 off the end of a bare word. */
static struct token weighed(const struct token *t)
{
	struct token w = *t;
	uint64_t weight;
	for (size_t i = t->text.n; !t->quoted && i > 1; i--)
		if (t->text.p[i - 1] == '*') {
			if (parse_u64(view_of(t->text.p + i, t->text.n - i), 1000000, &weight) && weight) {
				w.weight = (unsigned)weight;
				w.text = view_of(t->text.p, i - 1);
			}
			break;
		}
	return w;
}

/* The index of the argument whose key the word is; 0 when it is none (a key never stands first). */
static unsigned key_of(enum script_fault f, const struct token *t)
{
	const struct script_arg_row *row;
	for (unsigned i = 0; (row = script_fault_arg(f, i)); i++)
		if (row->key[0] && is(t, row->key))
			return i + 1;
	return 0;
}

static void read_values(struct reader *r, enum script_fault f, const struct script_arg_row *row, struct script_arg *arg)
{
	struct script_choice found[SCRIPT_TOKENS_MAX];
	const struct token *t;
	while (!r->bad && (t = peek(r)) && !key_of(f, t)) {
		struct token w = weighed(t);
		r->at++;
		if (!read_choice(r, row->type, &w, &found[arg->choices]))
			return;
		found[arg->choices].weight = w.weight ? w.weight : 1;
		arg->weight += found[arg->choices++].weight;
	}
	arg->choice = pool_alloc(&r->s->pool, arg->choices * sizeof(*found) + 1);
	memcpy(arg->choice, found, arg->choices * sizeof(*found));
}

/* What was not written stands as its row says. */
static void complete(struct reader *r, enum script_fault f, const struct token *name, struct script_rule *rule)
{
	const struct script_arg_row *row;
	for (unsigned i = 0; (row = script_fault_arg(f, i)); i++) {
		struct script_arg *arg = &rule->arg[i];
		if (arg->choices || strcmp(row->initial, "-") == 0)
			continue;
		if (!row->initial[0]) {
			const struct script_named_row *type = script_type_row(row->type);
			fault(r, r->end_column, "%.*s takes a %s (such as %s): %s", (int)name->text.n,
			      (const char *)name->text.p, type->name, type->form[0] ? type->form : "see --help-script",
			      row->sentence);
			return;
		}
		struct token initial = {.text = view_str(row->initial), .column = name->column};
		arg->choice = pool_alloc(&r->s->pool, sizeof(*arg->choice));
		arg->choices = arg->weight = 1;
		check(read_choice(r, row->type, &initial, arg->choice));
	}
}

static void read_args(struct reader *r, enum script_fault f, const struct token *name, struct script_rule *rule)
{
	const struct script_arg_row *first = script_fault_arg(f, 0);
	const struct token *t;
	if (first && !first->key[0])
		read_values(r, f, first, &rule->arg[0]);
	while (!r->bad && (t = peek(r))) {
		unsigned key = key_of(f, t);
		if (!key) {
			fault(r, t->column, "%s takes no \"%.*s\"", script_fault_row(f)->name,
			      (int)(t->text.n < 60 ? t->text.n : 60), (const char *)t->text.p);
			return;
		}
		r->at++;
		if (rule->arg[key - 1].choices) {
			fault(r, t->column, "%s stands here twice", script_fault_arg(f, key - 1)->key);
			return;
		}
		if (!peek(r) || key_of(f, peek(r))) {
			fault(r, peek(r) ? peek(r)->column : r->end_column, "the value of %s is missing",
			      script_fault_arg(f, key - 1)->key);
			return;
		}
		read_values(r, f, script_fault_arg(f, key - 1), &rule->arg[key - 1]);
	}
	if (!r->bad)
		complete(r, f, name, rule);
}

/* --- lines ---------------------------------------------------------------------------------------------------------
 */

static struct script_rule *add_rule(struct reader *r, const struct script_rule *rule)
{
	struct script *s = r->s;
	if (s->rules == SCRIPT_RULES_MAX) {
		fault(r, 1, "a script has at most %d rules", SCRIPT_RULES_MAX);
		return NULL;
	}
	s->rule[s->rules] = *rule;
	s->rule[s->rules].line = r->numbered ? r->line : 0;
	s->rule[s->rules].phase = s->phases;
	return &s->rule[s->rules++];
}

static void read_fault(struct reader *r, struct script_rule *rule)
{
	const struct token *t = take(r, "the fault");
	if (!t)
		return;
	int f = t->quoted ? -1 : script_fault_find(t->text);
	if (f < 0) {
		unknown_fault(r, t, rule->kind == SCRIPT_WHEN);
		return;
	}
	const struct script_fault_row *row = script_fault_row((enum script_fault)f);
	if (!(row->events & 1u << rule->event)) {
		fault(r, t->column, "%s cannot happen %s", row->name,
		      rule->event == SCRIPT_ON_time ? "at a time" : "at this event");
		return;
	}
	rule->fault = (enum script_fault)f;
	read_args(r, rule->fault, t, rule);
	if (!r->bad)
		add_rule(r, rule);
}

static bool read_condition(struct reader *r, enum script_condition c, struct script_rule *rule)
{
	const struct script_named_row *row = script_condition_row(c);
	struct script_choice value;
	const struct token *key = take(r, "the condition");
	const struct token *t = take(r, "the condition's value");
	if (!key || !t || !read_choice(r, row->type, t, &value))
		return false;
	if (rule->asked[c]) {
		fault(r, key->column, "%s stands here twice", row->name);
		return false;
	}
	rule->asked[c] = true;
	rule->number[c] = (uint64_t)value.low;
	if (row->type == SCRIPT_TYPE_PATTERN)
		rule->pattern[c] = view_of(pool_copy(&r->s->pool, value.text), value.text.n);
	return true;
}

static void read_when(struct reader *r)
{
	struct script_rule rule = {.kind = SCRIPT_WHEN};
	const struct token *t = take(r, "the event");
	int event = t && !t->quoted ? script_event_find(t->text) : -1;
	if (t && (event < 0 || event == SCRIPT_ON_time)) {
		unknown_event(r, t);
		return;
	}
	if (!t)
		return;
	rule.event = (enum script_event)event;
	while ((t = peek(r)) && !t->quoted) {
		int c = script_condition_find(t->text);
		if (c < 0)
			break;
		if (!read_condition(r, (enum script_condition)c, &rule))
			return;
	}
	read_fault(r, &rule);
}

static void read_timed(struct reader *r, enum script_kind kind)
{
	struct script_rule rule = {.kind = kind, .event = SCRIPT_ON_time};
	const struct token *t = take(r, "the time");
	if (!t || !read_choice(r, SCRIPT_TYPE_SPAN, t, &rule.when))
		return;
	if (kind == SCRIPT_EVERY && rule.when.low == 0) {
		fault(r, t->column, "every time more than 0ms passes");
		return;
	}
	read_fault(r, &rule);
}

static void read_seed(struct reader *r)
{
	const struct token *t = take(r, "the seed");
	if (!t)
		return;
	if (!parse_u64(t->text, UINT64_MAX, &r->s->seed))
		fault(r, t->column, "the seed is a whole number below 2^64");
	else if (r->s->seeded)
		fault(r, t->column, "there is a seed already");
	r->s->seeded = true;
}

static void read_phase(struct reader *r)
{
	struct script *s = r->s;
	struct script_choice length = {.low = INT64_MAX};
	const struct token *name = take(r, "the name of the phase");
	const struct token *t = peek(r);
	if (!name)
		return;
	if (s->phases && s->phase[s->phases - 1].length_ms == INT64_MAX) {
		fault(r, name->column, "the phase %s before it has no length", s->phase[s->phases - 1].name);
		return;
	}
	if (s->phases == SCRIPT_PHASES_MAX) {
		fault(r, name->column, "a script has at most %d phases", SCRIPT_PHASES_MAX);
		return;
	}
	if (t && !read_choice(r, SCRIPT_TYPE_SPAN, t, &length))
		return;
	if (t && (length.low != length.high || length.low == 0)) {
		fault(r, t->column, "the length of a phase is one time above 0ms");
		return;
	}
	r->at += t != NULL;
	s->phase[s->phases++] = (struct script_phase){pool_copy(&s->pool, name->text), length.low};
}

static void read_line(struct reader *r)
{
	static const char *const words[] = {"when", "at", "every", "phase", "seed"};
	const struct token *t = take(r, "a line");
	if (is(t, "when"))
		read_when(r);
	else if (is(t, "at"))
		read_timed(r, SCRIPT_AT);
	else if (is(t, "every"))
		read_timed(r, SCRIPT_EVERY);
	else if (is(t, "phase"))
		read_phase(r);
	else if (is(t, "seed"))
		read_seed(r);
	else {
		struct guess g = {.word = t->text, .distance = 99};
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			guess_at(&g, words[i]);
		fault(r, t->column, "a line begins with when, at, every, phase or seed%s%s%s",
		      g.best ? "; did you mean " : "", g.best ? g.best : "", g.best ? "?" : "");
	}
	if (!r->bad && peek(r))
		fault(r, peek(r)->column, "\"%.*s\" is too much here",
		      (int)(peek(r)->text.n < 60 ? peek(r)->text.n : 60), (const char *)peek(r)->text.p);
}

bool script_add(struct script *s, const char *name, struct view text, bool numbered, struct script_errors *errors)
{
	struct reader r = {.s = s, .errors = errors, .name = name, .numbered = numbered};
	unsigned before = errors->count;
	if (text.n > SCRIPT_BYTES_MAX) {
		r.line = 1;
		fault(&r, 1, "a script has at most %d octets", SCRIPT_BYTES_MAX);
		return false;
	}
	const uint8_t *kept = (const uint8_t *)pool_copy(&s->pool, text);
	for (size_t at = 0; at < text.n;) {
		const uint8_t *end = memchr(kept + at, '\n', text.n - at);
		size_t n = end ? (size_t)(end - (kept + at)) : text.n - at;
		r.line++;
		r.bad = false;
		split(&r, view_of(kept + at, n));
		if (!r.bad && r.n)
			read_line(&r);
		at += n + 1;
	}
	return errors->count == before;
}

struct script *script_new(void)
{
	struct script *s = mem_alloc(sizeof(*s));
	*s = (struct script){0};
	s->rule = pool_alloc(&s->pool, SCRIPT_RULES_MAX * sizeof(*s->rule));
	s->phase = pool_alloc(&s->pool, SCRIPT_PHASES_MAX * sizeof(*s->phase));
	return s;
}

void script_free(struct script *s)
{
	if (!s)
		return;
	pool_free(&s->pool);
	free(s);
}

static uint8_t folded(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static struct view without_plus(struct view v)
{
	return v.n && v.p[0] == '+' ? view_of(v.p + 1, v.n - 1) : v;
}

bool script_fits(struct view pattern, struct view text)
{
	pattern = without_plus(pattern);
	text = without_plus(text);
	size_t p = 0, t = 0, star = SIZE_MAX, from = 0;
	while (t < text.n) {
		if (p < pattern.n && pattern.p[p] == '*') {
			star = p++;
			from = t;
		} else if (p < pattern.n && (pattern.p[p] == '?' || folded(pattern.p[p]) == folded(text.p[t]))) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			t = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.n && pattern.p[p] == '*')
		p++;
	return p == pattern.n;
}
