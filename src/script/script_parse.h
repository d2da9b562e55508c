/* A script of the simulated carrier, read: lines become rules. The grammar is told by script_help. */
#ifndef SCRIPT_PARSE_H
#define SCRIPT_PARSE_H

#include "base_pool.h"
#include "script_row.h"

#define SCRIPT_BYTES_MAX (256 << 10) /* octets of a script: ten times the longest that anyone would read */
#define SCRIPT_RULES_MAX 1000
#define SCRIPT_PHASES_MAX 64
#define SCRIPT_TOKENS_MAX 128 /* words of a line */
#define SCRIPT_ERRORS_MAX 50  /* told in one pass */

/* One way that a value can come out. */
struct script_choice {
	int64_t low, high; /* a drawn number lies between; for words and states the index or number itself */
	bool mean;         /* exponential, low is the mean */
	struct view text;  /* TEXT, STATE, ADDRESS */
	unsigned weight;
};

struct script_arg {
	struct script_choice *choice;
	unsigned choices; /* 0: absent */
	uint64_t weight;  /* of all */
};

enum script_kind { SCRIPT_WHEN, SCRIPT_AT, SCRIPT_EVERY };

struct script_rule {
	enum script_kind kind;
	enum script_event event;
	enum script_fault fault;
	unsigned line;             /* from 1; 0: not from a file */
	unsigned phase;            /* 0: always; else the phase's number from 1 */
	struct script_choice when; /* AT, EVERY: ms */
	bool asked[SCRIPT_CONDITION_COUNT];
	uint64_t number[SCRIPT_CONDITION_COUNT]; /* NUMBER; PERCENT in millionths */
	struct view pattern[SCRIPT_CONDITION_COUNT];
	struct script_arg arg[SCRIPT_ARGS_MAX];
};

struct script_phase {
	const char *name;
	int64_t length_ms; /* INT64_MAX: to the end */
};

struct script {
	struct pool pool;
	uint64_t seed;
	bool seeded; /* the script says so */
	struct script_rule *rule;
	unsigned rules;
	struct script_phase *phase;
	unsigned phases;
};

struct script_errors {
	struct buf text; /* a line each: FILE:LINE:COLUMN: sentence */
	unsigned count;
};

/* An empty script. */
struct script *script_new(void);
void script_free(struct script *s);
/* Adds the rules of a text behind those that are there; earlier rules win. name is what errors call the text; with
 * numbered the rules know their lines. False when there were errors; then the script must not be used. */
bool script_add(struct script *s, const char *name, struct view text, bool numbered, struct script_errors *errors);

/* * any characters, ? one; ASCII letters are folded; a plus sign in front of either is left out. */
bool script_fits(struct view pattern, struct view text);

#endif
