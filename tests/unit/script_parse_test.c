/* Scripts read, scripts refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_utf8.h"
#include "script_help.h"
#include "script_parse.h"
#include "script_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct script *add(const char *text, struct script_errors *errors)
{
	struct script *s = script_new();
	*errors = (struct script_errors){.text = BUF(65536)};
	script_add(s, "f", view_str(text), true, errors);
	return s;
}

static struct script *good(const char *text)
{
	struct script_errors errors;
	struct script *s = add(text, &errors);
	assert_string_equal(buf_cstr(&errors.text), "");
	buf_free(&errors.text);
	return s;
}

static const struct {
	const char *text;
	const char *error;
} bad[] = {
        {"wehn submit drop", "f:1:1: a line begins with when, at, every, phase or seed; did you mean when?"},
        {"\"when\" submit drop", "f:1:1: a line begins with when, at, every, phase or seed; did you mean when?"},
        {"when", "f:1:5: the event is missing"},
        {"when time drop", "f:1:6: there is no event \"time\""},
        {"when sumbit drop", "f:1:6: there is no event \"sumbit\"; did you mean submit?"},
        {"when submit", "f:1:12: the fault is missing"},
        {"when submit dorp", "f:1:13: there is no condition or fault \"dorp\"; did you mean drop?"},
        {"when submit \"drop\"", "f:1:13: there is no condition or fault \"drop\"; did you mean drop?"},
        {"when submit evry 7 drop", "f:1:13: there is no condition or fault \"evry\"; did you mean every?"},
        {"when submit rate 5 drop", "f:1:18: \"5\" is no PERCENT (such as 5%, 0.25%)"},
        {"when submit rate 0% drop", "f:1:18: \"0%\" is no PERCENT (such as 5%, 0.25%)"},
        {"when submit rate 101% drop", "f:1:18: \"101%\" is no PERCENT (such as 5%, 0.25%)"},
        {"when submit rate 0.00001% drop", "f:1:18: \"0.00001%\" is no PERCENT (such as 5%, 0.25%)"},
        {"when submit rate", "f:1:17: the condition's value is missing"},
        {"when submit every 0 drop", "f:1:19: \"0\" is no NUMBER (such as 7)"},
        {"when submit to 1* to 2* drop", "f:1:19: to stands here twice"},
        {"when submit drop now", "f:1:18: drop takes no \"now\""},
        {"when probe status 0", "f:1:12: status cannot happen at this event"},
        {"at 5s drop", "f:1:7: drop cannot happen at a time"},
        {"when submit status", "f:1:19: status takes a STATUS (such as RTHROTTLED, 0x58, 1024): the command_status"},
        {"when submit status RTHROTLED",
         "f:1:20: \"RTHROTLED\" is no STATUS (such as RTHROTTLED, 0x58, 1024); did you mean RTHROTTLED?"},
        {"when submit status 0x1ffffffff", "f:1:20: \"0x1ffffffff\" is no STATUS (such as RTHROTTLED, 0x58, 1024)"},
        {"when submit delay 5", "f:1:19: \"5\" is no SPAN (such as 200ms, 1s..5s, ~2s)"},
        {"when submit delay 5s..1s", "f:1:19: \"5s..1s\" is no SPAN (such as 200ms, 1s..5s, ~2s)"},
        {"when submit delay 25h", "f:1:19: \"25h\" is no SPAN (such as 200ms, 1s..5s, ~2s)"},
        {"when submit id hexx", "f:1:16: \"hexx\" is no ID (such as hex); did you mean hex?"},
        {"when submit id hex receipt", "f:1:27: the value of receipt is missing"},
        {"when submit id hex receipt dec receipt hex", "f:1:32: receipt stands here twice"},
        {"when receipt twice after", "f:1:25: the value of after is missing"},
        {"when receipt format clasic", "f:1:21: \"clasic\" is no FORMAT (such as classic); did you mean classic?"},
        {"when receipt state ABCDEFGHIJKLMNOPQ", "f:1:20: \"ABCDEFGHIJKLMNOPQ\" is no STATE (such as DELIVRD)"},
        {"every 0ms close", "f:1:7: every time more than 0ms passes"},
        {"at soon close", "f:1:4: \"soon\" is no SPAN (such as 200ms, 1s..5s, ~2s)"},
        {"at 5s mo \"STOP", "f:1:10: the quotes are not closed"},
        {"at 5s mo \"STOP\\t\"", "f:1:15: there is no \\t; write \\\", \\\\ or \\n"},
        {"at 5s mo \"STOP\"x", "f:1:16: behind quotes comes a blank or a weight (*3)"},
        {"at 5s mo \"STOP\"*0", "f:1:16: behind quotes comes a blank or a weight (*3)"},
        {"at 5s mo \"\"", "f:1:10: \"\" is no TEXT (such as \"Yes, I will\")"},
        {"at 5s mo \xff", "f:1:10: \"?\" is no TEXT (such as \"Yes, I will\")"},
        {"seed x", "f:1:6: the seed is a whole number below 2^64"},
        {"seed 1\nseed 2", "f:2:6: there is a seed already"},
        {"seed 1 2", "f:1:8: \"2\" is too much here"},
        {"phase", "f:1:6: the name of the phase is missing"},
        {"phase a 1s..2s", "f:1:9: the length of a phase is one time above 0ms"},
        {"phase a\nphase b", "f:2:7: the phase a before it has no length"},
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct script_errors errors;
		struct script *s = add(bad[i].text, &errors);
		char *line = strdup(buf_cstr(&errors.text));
		line[strcspn(line, "\n")] = 0;
		assert_string_equal(line, bad[i].error);
		free(line);
		assert_int_equal(errors.count, 1);
		buf_free(&errors.text);
		script_free(s);
	}
}

static void test_lines_go_on(void **state)
{
	struct script_errors errors;
	(void)state;
	struct script *s = add("wehn\n\n# nothing\nwhen submit drop # why\r\n  at 5s unbnd\n", &errors);
	assert_string_equal(buf_cstr(&errors.text),
	                    "f:1:1: a line begins with when, at, every, phase or seed; did you mean when?\n"
	                    "f:5:9: there is no fault \"unbnd\"; did you mean unbind?\n");
	assert_int_equal(s->rules, 1);
	assert_int_equal(s->rule[0].line, 4);
	buf_free(&errors.text);
	script_free(s);
}

static void test_values(void **state)
{
	(void)state;
	struct script *s = good("when submit to +1212* every 7 rate 0.25% after 3 delay 10ms*9 1s..5s ~2s*4\n"
	                        "at 5s mo \"a \\\"b\\\\\\n\"*3 STOP*2 x*y from 12125550###\n"
	                        "phase a 2m\n"
	                        "when receipt twice after 5ms\n");
	const struct script_rule *r = &s->rule[0];
	assert_int_equal(r->number[SCRIPT_IF_rate], 2500);
	assert_int_equal(r->number[SCRIPT_IF_every], 7);
	assert_int_equal(r->number[SCRIPT_IF_after], 3);
	assert_true(view_eq(r->pattern[SCRIPT_IF_to], VIEW("+1212*")) && !r->asked[SCRIPT_IF_from]);
	assert_int_equal(r->arg[0].choices, 3);
	assert_int_equal(r->arg[0].weight, 14);
	assert_int_equal(r->arg[0].choice[1].low, 1000);
	assert_int_equal(r->arg[0].choice[1].high, 5000);
	assert_true(r->arg[0].choice[2].mean && r->arg[0].choice[2].low == 2000);
	assert_true(view_eq(s->rule[1].arg[0].choice[0].text, VIEW("a \"b\\\n")));
	assert_true(view_eq(s->rule[1].arg[0].choice[1].text, VIEW("STOP")));
	assert_true(view_eq(s->rule[1].arg[0].choice[2].text, VIEW("x*y")));
	assert_int_equal(s->rule[1].arg[0].weight, 6);
	assert_true(view_eq(s->rule[1].arg[1].choice[0].text, VIEW("12125550###")));
	assert_int_equal(s->rule[1].arg[2].choices, 0);
	assert_int_equal(s->phase[0].length_ms, 120000);
	assert_int_equal(s->rule[2].phase, 1);
	assert_int_equal(s->rule[2].arg[0].choice[0].low, 1); /* what the row says */
	script_free(s);
}

static const struct {
	const char *pattern, *text;
	bool fits;
} patterns[] = {
        {"", "", true},          {"*", "", true},         {"*", "abc", true},        {"a*", "ABC", true},
        {"*c", "abc", true},     {"a*c", "abbbc", true},  {"a*c", "abbb", false},    {"?", "a", true},
        {"?", "", false},        {"a?c", "abc", true},    {"ab", "abc", false},      {"*b*b*", "abcb", true},
        {"*b*b*", "abc", false}, {"+1212*", "12", false}, {"+1212*", "1212", true},  {"1212*", "+12125", true},
        {"**a", "bba", true},    {"stop", "STOP", true},  {"*aab", "aaaaaab", true},
};

static void test_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(patterns); i++)
		assert_int_equal(script_fits(view_str(patterns[i].pattern), view_str(patterns[i].text)),
		                 patterns[i].fits);
}

/* A fault with every word of every list, at each event of its row; what a row says is left out must read. */
static void test_every_row_reads(void **state)
{
	(void)state;
	for (int f = 0; f < SCRIPT_FAULT_COUNT; f++)
		for (int e = 0; e < SCRIPT_EVENT_COUNT; e++) {
			const struct script_fault_row *row = script_fault_row((enum script_fault)f);
			const struct script_arg_row *arg;
			struct buf line = BUF(4096);
			if (!(row->events >> e & 1))
				continue;
			buf_printf(&line, e == SCRIPT_ON_time ? "at 1s %s%s" : "when %s %s",
			           e == SCRIPT_ON_time ? "" : script_event_row((enum script_event)e)->name, row->name);
			for (unsigned i = 0; (arg = script_fault_arg((enum script_fault)f, i)); i++) {
				const char *form = script_type_row(arg->type)->form;
				size_t n = form[0] == '"' ? strlen(form) : strcspn(form, ",");
				buf_printf(&line, " %s %.*s", arg->key, (int)n, form);
				assert_true(i < SCRIPT_ARGS_MAX && (i == 0 || arg->key[0]));
			}
			script_free(good(buf_cstr(&line)));
			buf_free(&line);
		}
}

/* A word is a condition or a fault, and no key is either, so that a line reads one way. */
static void test_names_differ(void **state)
{
	(void)state;
	for (int c = 0; c < SCRIPT_CONDITION_COUNT; c++)
		assert_int_equal(script_fault_find(view_str(script_condition_row((enum script_condition)c)->name)), -1);
}

static void test_ceilings(void **state)
{
	(void)state;
	struct script_errors errors;
	struct buf text = BUF(1 << 20);
	for (int i = 0; i <= SCRIPT_RULES_MAX; i++)
		buf_add_str(&text, "when submit drop\n");
	struct script *s = add(buf_cstr(&text), &errors);
	assert_string_equal(buf_cstr(&errors.text), "f:1001:1: a script has at most 1000 rules\n");
	buf_free(&errors.text);
	script_free(s);
	buf_clear(&text);
	for (int i = 0; i < 2 * SCRIPT_ERRORS_MAX; i++)
		buf_add_str(&text, "wrong\n");
	s = add(buf_cstr(&text), &errors);
	assert_int_equal(errors.count, SCRIPT_ERRORS_MAX);
	buf_free(&errors.text);
	script_free(s);
	buf_clear(&text);
	for (int i = 0; i <= SCRIPT_TOKENS_MAX; i++)
		buf_add_str(&text, "a ");
	s = add(buf_cstr(&text), &errors);
	assert_string_equal(buf_cstr(&errors.text), "f:1:257: a line has at most 128 words\n");
	buf_free(&errors.text);
	script_free(s);
	buf_free(&text);
}

static void test_help_names_every_row(void **state)
{
	(void)state;
	struct buf help = BUF(SCRIPT_HELP_BYTES);
	char name[64];
	script_help(&help);
	assert_false(help.full);
	for (int f = 0; f < SCRIPT_FAULT_COUNT; f++) {
		snprintf(name, sizeof(name), "\n- `%s` at ", script_fault_row((enum script_fault)f)->name);
		assert_non_null(strstr(buf_cstr(&help), name));
	}
	buf_free(&help);
}

/* The example of the help reads. */
static void test_help_example(void **state)
{
	(void)state;
	struct buf help = BUF(SCRIPT_HELP_BYTES);
	script_help(&help);
	char *from = strstr((char *)buf_cstr(&help), "```\n") + 4;
	*strstr(from, "```") = 0;
	struct script *s = good(from);
	assert_int_equal(s->seed, 42);
	assert_int_equal(s->phases, 2);
	assert_int_equal(s->rules, 7);
	script_free(s);
	buf_free(&help);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_bad),
	        cmocka_unit_test(test_lines_go_on),
	        cmocka_unit_test(test_values),
	        cmocka_unit_test(test_patterns),
	        cmocka_unit_test(test_every_row_reads),
	        cmocka_unit_test(test_names_differ),
	        cmocka_unit_test(test_ceilings),
	        cmocka_unit_test(test_help_names_every_row),
	        cmocka_unit_test(test_help_example),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
