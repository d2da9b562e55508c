#include "script_row.h"

#include "base_check.h"

#include <string.h>

/* The events of a fault's row. */
enum {
#define SCRIPT_EVENT(name, sentence) on_##name = 1 << SCRIPT_ON_##name,
#define SCRIPT_CONDITION(name, type, sentence)
#define SCRIPT_TYPE(name, form, sentence)
#include "script_event.def"
#undef SCRIPT_EVENT
#undef SCRIPT_CONDITION
#undef SCRIPT_TYPE
};

static const struct script_named_row events[] = {
#define SCRIPT_EVENT(name, sentence) {#name, SCRIPT_TYPE_NONE, "", sentence, 0},
#define SCRIPT_CONDITION(name, type, sentence)
#define SCRIPT_TYPE(name, form, sentence)
#include "script_event.def"
#undef SCRIPT_EVENT
#undef SCRIPT_CONDITION
#undef SCRIPT_TYPE
};

static const struct script_named_row conditions[] = {
#define SCRIPT_EVENT(name, sentence)
#define SCRIPT_CONDITION(name, type, sentence) {#name, SCRIPT_TYPE_##type, "", sentence, 0},
#define SCRIPT_TYPE(name, form, sentence)
#include "script_event.def"
#undef SCRIPT_EVENT
#undef SCRIPT_CONDITION
#undef SCRIPT_TYPE
};

static const struct script_named_row types[] = {
#define SCRIPT_EVENT(name, sentence)
#define SCRIPT_CONDITION(name, type, sentence)
#define SCRIPT_TYPE(name, form, sentence) {#name, SCRIPT_TYPE_##name, form, sentence, 0},
#include "script_event.def"
#undef SCRIPT_EVENT
#undef SCRIPT_CONDITION
#undef SCRIPT_TYPE
};

static const struct script_named_row words[] = {
#define SCRIPT_WORD(type, name, sentence) {#name, SCRIPT_TYPE_##type, "", sentence, 0},
#define SCRIPT_RECEIPT(name, shape, template, sentence)
#include "script_word.def"
#undef SCRIPT_WORD
#undef SCRIPT_RECEIPT
};

static const struct script_named_row formats[] = {
#define SCRIPT_WORD(type, name, sentence)
#define SCRIPT_RECEIPT(name, shape, template, sentence)                                                                \
	{#name, SCRIPT_TYPE_FORMAT, template, sentence, SCRIPT_SHAPE_##shape},
#include "script_word.def"
#undef SCRIPT_WORD
#undef SCRIPT_RECEIPT
};

static const struct script_fault_row faults[] = {
#define SCRIPT_FAULT(name, events, in_group, sentence) {#name, events, SCRIPT_GROUP_##in_group, sentence},
#define SCRIPT_ARG(fault, key, type, initial, sentence)
#include "script_fault.def"
#undef SCRIPT_FAULT
#undef SCRIPT_ARG
};

static const struct {
	enum script_fault fault;
	struct script_arg_row row;
} args[] = {
#define SCRIPT_FAULT(name, events, in_group, sentence)
#define SCRIPT_ARG(fault, key, type, initial, sentence) {SCRIPT_##fault, {key, SCRIPT_TYPE_##type, initial, sentence}},
#include "script_fault.def"
#undef SCRIPT_FAULT
#undef SCRIPT_ARG
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct script_fault_row *script_fault_row(enum script_fault f)
{
	check(f < SCRIPT_FAULT_COUNT);
	return &faults[f];
}

const struct script_arg_row *script_fault_arg(enum script_fault f, unsigned i)
{
	for (size_t at = 0; at < COUNT(args); at++)
		if (args[at].fault == f && i-- == 0)
			return &args[at].row;
	return NULL;
}

const struct script_named_row *script_event_row(enum script_event e)
{
	check(e < SCRIPT_EVENT_COUNT);
	return &events[e];
}

const struct script_named_row *script_condition_row(enum script_condition c)
{
	check(c < SCRIPT_CONDITION_COUNT);
	return &conditions[c];
}

const struct script_named_row *script_type_row(enum script_type t)
{
	check(t < SCRIPT_TYPES);
	return &types[t];
}

const struct script_named_row *script_word_row(enum script_word w)
{
	check(w < SCRIPT_WORD_COUNT);
	return &words[w];
}

const struct script_named_row *script_format_row(enum script_format f)
{
	check(f < SCRIPT_FORMAT_COUNT);
	return &formats[f];
}

static int find(const struct script_named_row *rows, size_t n, struct view name)
{
	for (size_t i = 0; i < n; i++)
		if (view_eq(view_str(rows[i].name), name))
			return (int)i;
	return -1;
}

int script_fault_find(struct view name)
{
	for (size_t i = 0; i < COUNT(faults); i++)
		if (view_eq(view_str(faults[i].name), name))
			return (int)i;
	return -1;
}

int script_event_find(struct view name)
{
	return find(events, COUNT(events), name);
}

int script_condition_find(struct view name)
{
	return find(conditions, COUNT(conditions), name);
}

int script_word_find(enum script_type type, struct view name)
{
	if (type == SCRIPT_TYPE_FORMAT)
		return find(formats, COUNT(formats), name);
	for (size_t i = 0; i < COUNT(words); i++)
		if (words[i].type == type && view_eq(view_str(words[i].name), name))
			return (int)i;
	return -1;
}

bool script_words(enum script_type type, void (*each)(void *ctx, const char *name), void *ctx)
{
	bool any = false;
	for (size_t i = 0; i < COUNT(formats) && type == SCRIPT_TYPE_FORMAT; i++, any = true)
		each(ctx, formats[i].name);
	for (size_t i = 0; i < COUNT(words); i++)
		if (words[i].type == type) {
			each(ctx, words[i].name);
			any = true;
		}
	return any;
}
