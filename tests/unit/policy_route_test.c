/* Routes by sender, prefix and category, tiers and weights. */
#include "policy_route.h"
#include "seeded.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define ANY CATEGORY_COUNT

static enum policy_way pick(const struct policy_route *routes, unsigned count, const char *room, const char *sender,
                            const char *phone, unsigned avoid, uint32_t chance, unsigned *carrier_r)
{
	enum policy_room rooms[8] = {ROUTE_DOWN};
	for (size_t i = 0; i < strlen(room); i++)
		rooms[i] = room[i] == 'd' ? ROUTE_DOWN : room[i] == 'f' ? ROUTE_FULL : ROUTE_FREE;
	*carrier_r = 99;
	return policy_route_pick(routes, count, view_str(sender), view_str(phone), CATEGORY_appointment_reminder, rooms,
	                         avoid, chance, carrier_r);
}

static const struct policy_route house[] = {
        {0, "", "", ANY, 2, 1},                                /* the spare one, for all */
        {1, "+12125550101", "", ANY, 1, 1},                    /* a sender of its own */
        {2, "", "+1787", ANY, 1, 1},                           /* Puerto Rico */
        {3, "", "+1787", CATEGORY_opt_out_confirmation, 1, 5}, /* another category */
};

static void rows_match_by_sender_prefix_and_category(void **state)
{
	(void)state;
	static const struct {
		const char *room, *sender, *phone;
		enum policy_way way;
		unsigned carrier;
	} cases[] = {
	        {"____", "+12125550102", "+12125550150", ROUTE_TAKEN, 0},
	        {"____", "+12125550101", "+12125550150", ROUTE_TAKEN, 1},
	        {"____", "+12125550102", "+17875550150", ROUTE_TAKEN, 2},
	        {"__d_", "+12125550102", "+17875550150", ROUTE_TAKEN, 0}, /* its own is down: the spare */
	        {"__f_", "+12125550102", "+17875550150", ROUTE_WAIT, 2},  /* busy is not down */
	        {"d_d_", "+12125550102", "+17875550150", ROUTE_LOST, 99},
	        {"f___", "+12125550102", "+12125550150", ROUTE_WAIT, 0},
	        {"____", "+12125550102", "+1", ROUTE_TAKEN, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		unsigned carrier;
		enum policy_way way =
		        pick(house, 4, cases[i].room, cases[i].sender, cases[i].phone, ROUTE_NO_CARRIER, 77, &carrier);
		if (way != cases[i].way || carrier != cases[i].carrier)
			fail_msg("case %zu: way %d carrier %u", i, way, carrier);
	}
}

static void no_row_is_nowhere(void **state)
{
	(void)state;
	unsigned carrier;
	assert_int_equal(pick(house + 1, 1, "____", "+12125550102", "+12125550150", ROUTE_NO_CARRIER, 0, &carrier),
	                 ROUTE_NOWHERE);
	assert_int_equal(pick(house, 0, "", "+12125550102", "+12125550150", ROUTE_NO_CARRIER, 0, &carrier),
	                 ROUTE_NOWHERE);
}

static void weights_share_a_tier(void **state)
{
	(void)state;
	static const struct policy_route routes[] = {
	        {0, "", "", ANY, 1, 1}, {1, "", "", ANY, 1, 3}, {2, "", "", ANY, 1, 6}, {3, "", "", ANY, 2, 1000}};
	unsigned got[4] = {0};
	for (uint32_t i = 0; i < 10000; i++) {
		unsigned carrier;
		assert_int_equal(pick(routes, 4, "____", "", "", ROUTE_NO_CARRIER, i * 429496, &carrier), ROUTE_TAKEN);
		got[carrier]++;
	}
	assert_in_range(got[0], 990, 1010);
	assert_in_range(got[1], 2990, 3010);
	assert_in_range(got[2], 5980, 6020);
	assert_int_equal(got[3], 0);
}

static void who_refused_is_avoided_while_another_is_free(void **state)
{
	(void)state;
	static const struct policy_route routes[] = {{0, "", "", ANY, 1, 1000}, {1, "", "", ANY, 1, 1}};
	unsigned carrier;
	assert_int_equal(pick(routes, 2, "__", "", "", 0, 5, &carrier), ROUTE_TAKEN);
	assert_int_equal(carrier, 1);
	assert_int_equal(pick(routes, 2, "_f", "", "", 0, 5, &carrier), ROUTE_TAKEN);
	assert_int_equal(carrier, 0);
}

/* Taken is always free, of a matching row, and no lower tier had one that was up. */
static void property_of_any_rows(void **state)
{
	(void)state;
	static const char *const senders[] = {"", "+12125550101", "22622"};
	static const char *const prefixes[] = {"", "+1", "+1212", "+1787"};
	seeded_start("policy_route");
	for (int round = 0; round < 20000; round++) {
		struct policy_route routes[6];
		enum policy_room room[4];
		unsigned n = (unsigned)seeded_between(0, 6), carrier = 99;
		const char *sender = senders[seeded_between(1, 2)];
		for (unsigned i = 0; i < 4; i++)
			room[i] = (enum policy_room)seeded_between(0, 2);
		for (unsigned i = 0; i < n; i++)
			routes[i] = (struct policy_route){(unsigned)seeded_between(0, 3),
			                                  senders[seeded_between(0, 2)],
			                                  prefixes[seeded_between(0, 3)],
			                                  seeded_between(0, 1) ? ANY : CATEGORY_appointment_reminder,
			                                  (unsigned)seeded_between(1, 3),
			                                  (unsigned)seeded_between(1, 1000)};
		enum policy_way way = policy_route_pick(
		        routes, n, view_str(sender), VIEW("+12125550150"), CATEGORY_appointment_reminder, room,
		        (unsigned)seeded_between(0, 4), (uint32_t)seeded_next(), &carrier);
		unsigned best = 9, matching = 0, tier = 9;
		for (unsigned i = 0; i < n; i++) {
			bool match = (!*routes[i].sender || strcmp(routes[i].sender, sender) == 0) &&
			             strncmp("+12125550150", routes[i].prefix, strlen(routes[i].prefix)) == 0;
			matching += match;
			if (match && room[routes[i].carrier] != ROUTE_DOWN && routes[i].tier < best)
				best = routes[i].tier;
			if (match && routes[i].carrier == carrier && routes[i].tier < tier)
				tier = routes[i].tier;
		}
		assert_int_equal(way == ROUTE_NOWHERE, matching == 0);
		assert_int_equal(way == ROUTE_LOST, matching > 0 && best == 9);
		if (way == ROUTE_TAKEN)
			assert_true(room[carrier] == ROUTE_FREE && tier <= best);
		if (way == ROUTE_WAIT)
			assert_true(room[carrier] == ROUTE_FULL && tier <= best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(rows_match_by_sender_prefix_and_category),
	        cmocka_unit_test(no_row_is_nowhere),
	        cmocka_unit_test(weights_share_a_tier),
	        cmocka_unit_test(who_refused_is_avoided_while_another_is_free),
	        cmocka_unit_test(property_of_any_rows),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
