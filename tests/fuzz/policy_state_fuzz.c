/* Any octets as candidate states, a ZIP code, a state's code, a class, a basis, a pack, a reason. What is read is
 * written back the same, and what is not known is none. */
#include "base_check.h"
#include "policy_pack.h"
#include "policy_state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct view text = view_of(data, size);
	const policy_states every = (UINT64_C(1) << (STATE_COUNT - 1)) * 2 - 1;
	char codes[POLICY_STATES_TEXT_BYTES];
	policy_states states;
	policy_states again;
	if (policy_states_parse(text, &states)) {
		check((states & ~every) == 0);
		check(policy_states_parse(view_str(policy_states_format(states, codes)), &again) && again == states);
		check(policy_zones_of_states(states).count <= LIMIT_ZONES);
	} else {
		check(states == 0);
	}
	states = policy_states_of_code(text);
	check((states & (states - 1)) == 0 || states == 0); /* one at most */
	check(size == 2 || states == 0);
	states = policy_states_of_zip(text);
	check(states == 0 || size == 5 || size == 10);
	check((states & ~every) == 0);
	check(policy_category_parse(text) <= CATEGORY_COUNT && policy_pack_parse(text) <= PACK_COUNT);
	check(policy_basis_parse(text) <= BASIS_WRITTEN && policy_reason_parse(text) < REASON_COUNT);
	return 0;
}
