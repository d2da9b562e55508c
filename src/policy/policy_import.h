/* Files of numbers, read as they come in pieces of any size: carriers' deactivation files (a number a line, or a CSV
 * with more columns) and answers of the Reassigned Numbers Database (number, date of consent, yes, no or no data).
 * Pure. A header is known by having no number; its words say which column is which, else number, date, answer stand in
 * this order. Fields are parted by comma, semicolon, tab or bar and may be quoted; empty lines are passed over. */
#ifndef POLICY_IMPORT_H
#define POLICY_IMPORT_H

#include "policy_phone.h"

enum import_kind { IMPORT_DEACTIVATED, IMPORT_REASSIGNED };

/* 47 CFR 64.1200(m): yes, the number was disconnected after that date. */
enum import_answer { IMPORT_NONE, IMPORT_YES, IMPORT_NO, IMPORT_NO_DATA };
const char *policy_import_answer(enum import_answer a); /* "", "yes", "no", "no_data" */

enum import_fault {
	IMPORT_FINE,
	IMPORT_BAD_NUMBER, /* not a number that a patient of the United States may have */
	IMPORT_BAD_DATE,   /* no day, where the file has one or must have one */
	IMPORT_BAD_ANSWER, /* not yes, no or no data, where the file must have one */
	IMPORT_BAD_LINE,   /* longer than LIMIT_IMPORT_LINE_BYTES, or a quote that does not end */
};
const char *policy_import_sentence(enum import_fault f);

struct import_row {
	uint64_t line; /* from 1 */
	enum import_fault fault;
	char phone[PHONE_BYTES];
	char day[11]; /* "2026-03-02", "" when the file has none */
	enum import_answer answer;
};
typedef void (*import_row_cb)(void *ctx, const struct import_row *row);

struct import_reader {
	enum import_kind kind;
	import_row_cb cb;
	void *ctx;
	uint64_t line;
	bool begun; /* a line with something in it was seen */
	bool skips; /* the line is too long: up to its end */
	bool after_cr;
	int number, date, answer; /* columns, -1: none */
	char text[LIMIT_IMPORT_LINE_BYTES + 1];
	size_t n;
};

void policy_import_begin(struct import_reader *r, enum import_kind kind, import_row_cb cb, void *ctx);
/* Calls cb for each line that ends in the octets and has something in it. */
void policy_import_feed(struct import_reader *r, struct view octets);
/* The last line may lack its end. */
void policy_import_end(struct import_reader *r);

#endif
