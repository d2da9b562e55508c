/* What a script can say, as rows: proto/script_event.def, script_fault.def, script_word.def. */
#ifndef SCRIPT_ROW_H
#define SCRIPT_ROW_H

#include "base_bytes.h"

enum script_event {
#define SCRIPT_EVENT(name, sentence) SCRIPT_ON_##name,
#define SCRIPT_CONDITION(name, type, sentence)
#define SCRIPT_TYPE(name, form, sentence)
#include "script_event.def"
#undef SCRIPT_EVENT
#undef SCRIPT_CONDITION
#undef SCRIPT_TYPE
	SCRIPT_EVENT_COUNT
};

enum script_condition {
#define SCRIPT_EVENT(name, sentence)
#define SCRIPT_CONDITION(name, type, sentence) SCRIPT_IF_##name,
#define SCRIPT_TYPE(name, form, sentence)
#include "script_event.def"
#undef SCRIPT_EVENT
#undef SCRIPT_CONDITION
#undef SCRIPT_TYPE
	SCRIPT_CONDITION_COUNT
};

enum script_type {
#define SCRIPT_EVENT(name, sentence)
#define SCRIPT_CONDITION(name, type, sentence)
#define SCRIPT_TYPE(name, form, sentence) SCRIPT_TYPE_##name,
#include "script_event.def"
#undef SCRIPT_EVENT
#undef SCRIPT_CONDITION
#undef SCRIPT_TYPE
	SCRIPT_TYPES
};

enum script_fault {
#define SCRIPT_FAULT(name, events, group, sentence) SCRIPT_##name,
#define SCRIPT_ARG(fault, key, type, initial, sentence)
#include "script_fault.def"
#undef SCRIPT_FAULT
#undef SCRIPT_ARG
	SCRIPT_FAULT_COUNT
};

enum script_word {
#define SCRIPT_WORD(type, name, sentence) SCRIPT_##type##_##name,
#define SCRIPT_RECEIPT(name, shape, template, sentence)
#include "script_word.def"
#undef SCRIPT_WORD
#undef SCRIPT_RECEIPT
	SCRIPT_WORD_COUNT
};

enum script_format {
#define SCRIPT_WORD(type, name, sentence)
#define SCRIPT_RECEIPT(name, shape, template, sentence) SCRIPT_FORMAT_##name,
#include "script_word.def"
#undef SCRIPT_WORD
#undef SCRIPT_RECEIPT
	SCRIPT_FORMAT_COUNT
};

/* How a receipt's text travels. */
enum script_shape {
	SCRIPT_SHAPE_PLAIN,
	SCRIPT_SHAPE_PAYLOAD,
	SCRIPT_SHAPE_UCS2,
	SCRIPT_SHAPE_NUL_END,
	SCRIPT_SHAPE_NUL_START,
	SCRIPT_SHAPE_BARE
};

/* Of the faults of one group only one happens. */
enum script_group { SCRIPT_GROUP_NONE, SCRIPT_GROUP_FATE, SCRIPT_GROUP_END, SCRIPT_GROUP_SEGMENTS };

#define SCRIPT_ARGS_MAX 3 /* values of one fault */

struct script_arg_row {
	const char *key; /* "" for the value right behind the fault's name */
	enum script_type type;
	const char *initial; /* "": must be given; "-": may be absent */
	const char *sentence;
};

struct script_fault_row {
	const char *name;
	unsigned events; /* bits of 1 << enum script_event */
	enum script_group group;
	const char *sentence;
};

struct script_named_row {
	const char *name;
	enum script_type type;
	const char *form; /* types: how values look; receipts: their template */
	const char *sentence;
	enum script_shape shape; /* receipts */
};

/* The rows. The ith value that a fault takes, or NULL. */
const struct script_fault_row *script_fault_row(enum script_fault f);
const struct script_arg_row *script_fault_arg(enum script_fault f, unsigned i);
const struct script_named_row *script_event_row(enum script_event e);
const struct script_named_row *script_condition_row(enum script_condition c);
const struct script_named_row *script_type_row(enum script_type t);
const struct script_named_row *script_word_row(enum script_word w);
const struct script_named_row *script_format_row(enum script_format f);

/* The index of a name, or -1. */
int script_fault_find(struct view name);
int script_event_find(struct view name);
int script_condition_find(struct view name);
/* The enum script_word or, for SCRIPT_TYPE_FORMAT, enum script_format of a word; -1 when the type has no such word. */
int script_word_find(enum script_type type, struct view name);

/* Calls each(ctx, name) for every word of a type that is a list; false when the type is none. */
bool script_words(enum script_type type, void (*each)(void *ctx, const char *name), void *ctx);

#endif
