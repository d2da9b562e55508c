/* Any octets are a text: the lint reads no further than they go, every finding lies in them, and whether something
 * refuses agrees with what was found. The first octet is the facts. */
#include "base_check.h"
#include "policy_lint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lint_findings r;
	uint8_t bits = size ? data[0] : 0;
	struct view text = view_of(size ? data + 1 : data, size ? size - 1 : 0);
	struct policy_lint_facts f = {.category = bits & 8 ? CATEGORY_payment : CATEGORY_appointment_reminder,
	                              .name = VIEW("Elm Street Clinic"),
	                              .display_name = VIEW("Elm"),
	                              .phone = VIEW("(212) 555-0100"),
	                              .url = VIEW("https://elm.example/"),
	                              .link_domains = VIEW("elm.example portal.example"),
	                              .sensitive = bits & 1,
	                              .require_identity = bits & 2,
	                              .phi_warns = bits & 4};
	bool ok = policy_lint(&f, text, &r);
	check(ok == (r.refusals == 0));
	check(r.count <= LINT_FINDINGS_MAX && r.count <= r.refusals + r.warnings);
	for (unsigned i = 0; i < r.count; i++) {
		check(r.finding[i].at <= text.n && r.finding[i].bytes <= text.n - r.finding[i].at);
		check(r.finding[i].characters <= r.finding[i].bytes && r.finding[i].character <= r.finding[i].at);
	}
	f.name = text; /* nor does a name */
	policy_lint(&f, text, &r);
	return 0;
}
