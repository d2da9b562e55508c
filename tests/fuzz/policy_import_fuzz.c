/* Any octets as a file of numbers, in pieces whose size is the first octet: each line is told once, in order, as a
 * number that is one with a day that is one, or as a fault; and the same in one piece. */
#include "base_check.h"
#include "base_time.h"
#include "policy_import.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	uint64_t last;
	uint64_t sum;
};

static void row_cb(void *ctx, const struct import_row *row)
{
	struct seen *s = ctx;
	check(row->line > s->last);
	s->last = row->line;
	s->sum = s->sum * 31 + view_hash(view_str(row->phone)) + view_hash(view_str(row->day)) + (uint64_t)row->answer +
	         (uint64_t)row->fault;
	if (row->fault)
		return;
	enum phone_check phone = policy_phone_check(view_str(row->phone));
	check(phone == PHONE_OK || phone == PHONE_FICTIONAL);
	check(strlen(row->day) == 0 || strlen(row->day) == 10);
}

static struct seen read_in(enum import_kind kind, struct view text, size_t piece)
{
	struct import_reader r;
	struct seen s = {0};
	policy_import_begin(&r, kind, row_cb, &s);
	for (size_t at = 0; at < text.n; at += piece)
		policy_import_feed(&r, view_of(text.p + at, text.n - at < piece ? text.n - at : piece));
	policy_import_end(&r);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	struct view text = view_of(data + 1, size - 1);
	for (int kind = IMPORT_DEACTIVATED; kind <= IMPORT_REASSIGNED; kind++) {
		struct seen whole = read_in(kind, text, text.n + 1);
		struct seen pieces = read_in(kind, text, 1 + data[0]);
		check(whole.last == pieces.last && whole.sum == pieces.sum);
	}
	return 0;
}
