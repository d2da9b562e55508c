/* The texts that come with the program keep to the rules that everybody's must, whoever the practice is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "policy_lint.h"
#include "text_keyword.h"
#include "text_shape.h"
#include "text_starter.h"

#include <string.h>

static const struct template_practice longest; /* no settings known: the longest that may be added */
static const struct template_practice elm = {
        .name = {(const uint8_t *)"Elm Street Clinic", 17},
        .phone = {(const uint8_t *)"(212) 555-0100", 14},
        .domain = {(const uint8_t *)"elm.example", 11},
};

static void each_fits_into_one_segment(void **state)
{
	(void)state;
	unsigned i = 0;
	for (const struct text_starter *s; (s = text_starter_at(i)); i++) {
		struct text_template t;
		struct template_report r;
		text_starter_template(s, &t);
		if (!text_template_check(&t, &longest, &r))
			fail_msg("%s %s: %s %s, %u septets", s->name, s->language, text_template_fault_code(r.fault),
			         r.name, r.septets);
		print_message("%s %s: at most %u septets\n", s->name, s->language, r.septets);
		assert_true(r.septets <= 160);
	}
	assert_int_equal(i, 30);
}

static void each_passes_the_lint(void **state)
{
	(void)state;
	for (unsigned i = 0; text_starter_at(i); i++) {
		const struct text_starter *s = text_starter_at(i);
		struct text_template t;
		struct lint_findings r;
		struct buf text = BUF(1000);
		struct policy_lint_facts f = {.category = policy_category_parse(view_str(s->category)),
		                              .name = elm.name,
		                              .phone = elm.phone,
		                              .link_domains = elm.domain,
		                              .require_identity = true};
		assert_true(f.category != CATEGORY_COUNT);
		if (strcmp(s->category, "help_reply") == 0 || strcmp(s->category, "resume_confirmation") == 0)
			f.category = CATEGORY_appointment_reminder; /* these name the practice and STOP too */
		text_starter_template(s, &t);
		text_template_sample(&t, &elm, &text);
		if (!policy_lint(&f, buf_view(&text), &r) || r.count)
			fail_msg("%s %s: %s", s->name, s->language, policy_lint_code(r.finding[0].rule));
		struct text_shape shape = text_measure(buf_view(&text));
		assert_int_equal(shape.encoding, TEXT_GSM7);
		assert_int_equal(shape.segments, 1);
		buf_free(&text);
	}
}

static void each_is_there_in_both_languages(void **state)
{
	(void)state;
	for (unsigned i = 0; text_starter_at(i); i++) {
		const struct text_starter *s = text_starter_at(i);
		const struct text_starter *es = text_starter_find(view_str(s->name), VIEW("es"));
		assert_string_equal(es->language, "es");
		assert_string_equal(es->category, s->category);
		assert_string_equal(es->variables, s->variables);
		assert_ptr_equal(text_starter_find(view_str(s->name), VIEW("fr")),
		                 text_starter_find(view_str(s->name), VIEW("en")));
	}
	assert_null(text_starter_find(VIEW("no_such"), VIEW("en")));
}

/* The words that a text asks for are not read as anything but what it says. */
static void no_answer_that_is_asked_for_opts_out(void **state)
{
	(void)state;
	static const char *const asked[] = {"C", "R", "YES", "NO", "SI"};
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		assert_memory_not_equal(text_keyword_name(text_keyword_match(view_str(asked[i]), NULL)), "st", 2);
	assert_int_equal(text_keyword_match(VIEW("AYUDA"), NULL), KEYWORD_HELP);
	assert_int_equal(text_keyword_match(VIEW("START"), NULL), KEYWORD_START);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_fits_into_one_segment),
	        cmocka_unit_test(each_passes_the_lint),
	        cmocka_unit_test(each_is_there_in_both_languages),
	        cmocka_unit_test(no_answer_that_is_asked_for_opts_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
