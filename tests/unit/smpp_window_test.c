/* The window against a plain model, with sequence numbers that collide in its table. */
#include "smpp_window.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#define SLOTS 50
#define SPACE 4096 /* sequences of the model; each is multiplied to collide */

enum fate { NEVER, WAITING, WRITTEN, LATE };

static enum fate fates[SPACE];
static uint64_t dice;

static uint32_t roll(uint32_t below)
{
	dice = dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((dice >> 33) % below);
}

/* The table multiplies by the golden ratio; with its inverse we choose the buckets: runs of neighbours in all of the
 * table, over its end too, and four or more that want the same. */
static uint32_t sequence_of(uint32_t i)
{
	return ((i / 4) << 22 | (i % 4 + 1)) * 0x0e8b2f51u;
}

static void check_all(const struct smpp_window *w)
{
	unsigned used = 0;
	for (uint32_t i = 0; i < SPACE; i++) {
		used += fates[i] == WAITING || fates[i] == WRITTEN;
		assert_int_equal(smpp_window_has(w, sequence_of(i)), fates[i] != NEVER);
	}
	assert_int_equal(smpp_window_used(w), used);
	assert_int_equal(smpp_window_free_slots(w), SLOTS - used);
}

static void close_some(struct smpp_window *w, uint32_t i)
{
	struct smpp_slot slot;
	bool nack = roll(2);
	enum smpp_command answer = nack ? SMPP_generic_nack : SMPP_submit_sm_resp;
	assert_false(smpp_window_close(w, sequence_of(i), SMPP_data_sm_resp, &slot));
	assert_false(smpp_window_close_late(w, sequence_of(i), SMPP_data_sm_resp, &slot));
	assert_int_equal(smpp_window_close(w, sequence_of(i), answer, &slot), fates[i] == WRITTEN);
	if (fates[i] == WRITTEN)
		fates[i] = NEVER;
	assert_int_equal(smpp_window_close_late(w, sequence_of(i), answer, &slot), fates[i] == LATE);
	if (fates[i] == LATE)
		fates[i] = NEVER;
}

static void write_all(struct smpp_window *w, int64_t now_ms)
{
	smpp_window_written(w, now_ms);
	for (uint32_t i = 0; i < SPACE; i++)
		if (fates[i] == WAITING)
			fates[i] = WRITTEN;
}

static void expire_one(struct smpp_window *w)
{
	struct smpp_slot slot;
	int64_t oldest = smpp_window_oldest_ms(w);
	if (oldest == INT64_MAX)
		return;
	smpp_window_expire(w, &slot);
	assert_int_equal(slot.written_ms, oldest);
	assert_int_equal(fates[slot.ref], WRITTEN);
	assert_int_equal(slot.sequence, sequence_of((uint32_t)slot.ref));
	fates[slot.ref] = LATE;
}

static void the_window_is_its_model(void **state)
{
	(void)state;
	struct smpp_window *w = smpp_window_new(SLOTS);
	unsigned late = 0;
	for (unsigned round = 0; round < 20000; round++) {
		uint32_t i = roll(SPACE);
		switch (roll(4)) {
		case 0:
			if (fates[i] == NEVER && smpp_window_free_slots(w)) {
				smpp_window_open(w, i, sequence_of(i), SMPP_submit_sm_resp);
				fates[i] = WAITING;
			}
			break;
		case 1:
			write_all(w, round);
			break;
		case 2:
			close_some(w, i);
			break;
		default:
			if (late < LIMIT_LATE && smpp_window_oldest_ms(w) != INT64_MAX) {
				expire_one(w);
				late++;
			}
			break;
		}
		if (round % 200 == 0)
			check_all(w);
	}
	assert_int_equal(late, LIMIT_LATE);
	smpp_window_free(w);
}

static void popping_hands_back_the_unwritten_first(void **state)
{
	(void)state;
	struct smpp_slot slot;
	bool written;
	struct smpp_window *w = smpp_window_new(3);
	smpp_window_open(w, 1, 10, SMPP_submit_sm_resp);
	smpp_window_written(w, 5);
	smpp_window_open(w, 2, 11, SMPP_submit_sm_resp);
	smpp_window_open(w, 3, 12, SMPP_submit_sm_resp);
	static const uint64_t order[] = {2, 3, 1};
	for (unsigned i = 0; i < 3; i++) {
		assert_true(smpp_window_pop(w, &slot, &written));
		assert_int_equal(slot.ref, order[i]);
		assert_int_equal(written, i == 2);
	}
	assert_false(smpp_window_pop(w, &slot, &written));
	assert_int_equal(smpp_window_free_slots(w), 3);
	smpp_window_open(w, 4, 13, SMPP_submit_sm_resp);
	smpp_window_clear(w);
	assert_int_equal(smpp_window_used(w), 0);
	assert_false(smpp_window_has(w, 13));
	smpp_window_free(w);
}

int main(void)
{
	const char *given = getenv("SEED");
	dice = given ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
	print_message("SEED=%llu\n", (unsigned long long)dice);
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_window_is_its_model),
	        cmocka_unit_test(popping_hands_back_the_unwritten_first),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
