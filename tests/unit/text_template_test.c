#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base_utf8.h"
#include "seeded.h"
#include "text_shape.h"
#include "text_template.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct template_practice elm = {
        .name = {(const uint8_t *)"Elm Street Clinic", 17},
        .phone = {(const uint8_t *)"212-555-0100", 12},
        .domain = {(const uint8_t *)"elm.example", 11},
};

struct value_row {
	enum template_type type;
	const char *value;
	const char *text; /* as it will stand, or the fault's code */
	enum template_fault fault;
};

#define GOOD(type, value, text)                                                                                        \
	{                                                                                                              \
		TEMPLATE_##type, value, text, TEMPLATE_FINE                                                            \
	}
#define WRONG(type, value, fault)                                                                                      \
	{                                                                                                              \
		TEMPLATE_##type, value, NULL, TEMPLATE_FAULT_##fault                                                   \
	}

static const struct value_row value_rows[] = {
        GOOD(name, "Ana", "Ana"),
        GOOD(name,
             "Jos\xc3\xa9 Mar\xc3\xad"
             "a",
             "Jos\xc3\xa9 Maria"),
        GOOD(name,
             "O\xe2\x80\x99"
             "Brien",
             "O'Brien"),
        GOOD(name, "Kova\xc4\x8d", "Kovac"),
        GOOD(name, "Jr. Ana-L.", "Jr. Ana-L."),
        GOOD(name, "\xc3\x8d\xc3\xb1igo", "I\xc3\xb1igo"),
        GOOD(name, "Mariana Abcdefg", "Mariana Abcdefg"),
        WRONG(name, "Mariana Abcdefgh", value_long),
        WRONG(name, "", value_form),
        WRONG(name, " Ana", value_form),
        WRONG(name, "bit.ly", value_characters),
        WRONG(name, "Ana1", value_characters),
        WRONG(name, "a@b", value_characters),
        WRONG(name, "https://x", value_characters),
        WRONG(name, "\xe5\x90\x8d", value_characters),
        WRONG(name, "Ana\n", value_characters),
        WRONG(name, "Stop", value_instructs),
        WRONG(name, "Reply STOP now", value_instructs),
        WRONG(name, "Ana Cancel", value_instructs),
        WRONG(name, "\xff", value_characters),
        GOOD(word, "B-12", "B-12"),
        WRONG(word, "two words", value_characters),
        WRONG(word, "a.b", value_characters),
        WRONG(word, "END", value_instructs),
        GOOD(number, "0042", "0042"),
        WRONG(number, "42a", value_characters),
        WRONG(number, "00421", value_long),
        WRONG(number, "", value_characters),
        GOOD(date, "2026-03-02", "Mon, Mar 2"),
        GOOD(date, "2026-09-30", "Wed, Sep 30"),
        GOOD(date, "2028-02-29", "Tue, Feb 29"),
        WRONG(date, "2026-02-29", value_form),
        WRONG(date, "2026-13-01", value_form),
        WRONG(date, "3/2/2026", value_form),
        WRONG(date, "2026-03-0x", value_form),
        GOOD(time, "14:30", "2:30 PM"),
        GOOD(time, "00:05", "12:05 AM"),
        GOOD(time, "12:00", "12:00 PM"),
        WRONG(time, "24:00", value_form),
        WRONG(time, "9:30", value_form),
        GOOD(phone, "+12125550100", "212-555-0100"),
        WRONG(phone, "2125550100", value_form),
        WRONG(phone, "+1212555010x", value_form),
        GOOD(place, "12 Elm St., Suite #4", "12 Elm St., Suite #4"),
        GOOD(place, "10 East End Ave", "10 East End Ave"),
        WRONG(place, "see evil.com", value_characters),
        WRONG(place, "Room 1, reply END", value_instructs),
        WRONG(place, "a/b", value_characters),
        GOOD(link, "https://elm.example/a?b=1", "https://elm.example/a?b=1"),
        WRONG(link, "http://elm.example/abc", value_form),
        WRONG(link, "https://elm.example@evil.com", value_characters),
        WRONG(link, "https://elm.example/a b", value_characters),
        WRONG(link, "https://elm.example/~a", value_characters),
        WRONG(link, "https://elm.example/aaaaaaaaaaaaaaaaaaaaa", value_long),
};

static void each_value_by_its_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(value_rows); i++) {
		const struct value_row *row = &value_rows[i];
		struct template_variable v = {"v", row->type, text_template_usual(row->type)};
		struct buf text = BUF(1000);
		buf_add_str(&text, "before ");
		enum template_fault fault = text_template_value(&v, VIEW("en"), view_str(row->value), &text);
		if (fault != row->fault)
			fail_msg("%s \"%s\": %s", text_template_type_name(row->type), row->value,
			         text_template_fault_code(fault));
		assert_string_equal(buf_cstr(&text) + 7, row->text ? row->text : "");
		buf_free(&text);
	}
}

static void spanish_dates(void **state)
{
	(void)state;
	struct template_variable v = {"v", TEMPLATE_date, 11};
	struct buf text = BUF(100);
	assert_int_equal(text_template_value(&v, VIEW("es"), VIEW("2026-09-30"), &text), TEMPLATE_FINE);
	assert_string_equal(buf_cstr(&text), "mie 30 sep");
	buf_free(&text);
}

struct check_row {
	const char *body;
	enum template_fault fault;
	const char *name;
	struct template_variable variable[3];
};

#define A                                                                                                              \
	{                                                                                                              \
		"a", TEMPLATE_name, 15                                                                                 \
	}
#define B                                                                                                              \
	{                                                                                                              \
		"b", TEMPLATE_date, 11                                                                                 \
	}

#define NONE                                                                                                           \
	{                                                                                                              \
		"", TEMPLATE_name, 0                                                                                   \
	}

static const struct check_row check_rows[] = {
        {"Hello {a}", TEMPLATE_FINE, "", {A}},
        {"{practice} {practice_phone}", TEMPLATE_FINE, "", {NONE}},
        {"Hello {a", TEMPLATE_FAULT_brace, "", {A}},
        {"Hello a}", TEMPLATE_FAULT_brace, "", {A}},
        {"Hello {} {a}", TEMPLATE_FAULT_brace, "", {A}},
        {"Hello {{a}}", TEMPLATE_FAULT_brace, "", {A}},
        {"Hello {b}", TEMPLATE_FAULT_variable_unknown, "b", {A}},
        {"Hello {b}", TEMPLATE_FAULT_variable_unused, "a", {A, B}},
        {"Hello {a}", TEMPLATE_FAULT_variable_twice, "a", {A, {"a", TEMPLATE_date, 11}}},
        {"Hello {practice}", TEMPLATE_FAULT_variable_twice, "practice", {{"practice", TEMPLATE_name, 15}}},
        {"Hello {A}", TEMPLATE_FAULT_variable_name, "A", {{"A", TEMPLATE_name, 15}}},
        {"Hello {a}", TEMPLATE_FAULT_variable_type, "a", {{"a", TEMPLATE_TYPES, 15}}},
        {"Hello {a}", TEMPLATE_FAULT_variable_max, "a", {{"a", TEMPLATE_name, 41}}},
        {"Hello {a}", TEMPLATE_FAULT_variable_max, "a", {{"a", TEMPLATE_name, 0}}},
        {"Hello {b}", TEMPLATE_FAULT_variable_max, "b", {{"b", TEMPLATE_date, 10}}},
        {"Hello \xe5\x90\x8d", TEMPLATE_FAULT_body_characters, "", {NONE}},
        {"Hello\t", TEMPLATE_FAULT_body_characters, "", {NONE}},
        {" ", TEMPLATE_FAULT_body_empty, "", {NONE}},
};

static struct text_template made(const char *body, const struct template_variable *variable, unsigned count)
{
	struct text_template t = {.body = view_str(body), .language = VIEW("en"), .variables = count};
	for (unsigned i = 0; i < count; i++)
		t.variable[i] = variable[i];
	return t;
}

static void each_fault_of_a_template(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(check_rows); i++) {
		const struct check_row *row = &check_rows[i];
		unsigned n = 0;
		while (n < 3 && *row->variable[n].name)
			n++;
		struct text_template t = made(row->body, row->variable, n);
		struct template_report r;
		assert_int_equal(text_template_check(&t, &elm, &r), row->fault == TEMPLATE_FINE);
		if (r.fault != row->fault)
			fail_msg("%s: %s", row->body, text_template_fault_code(r.fault));
		assert_string_equal(r.name, row->name);
	}
	struct text_template t = made("Hello", NULL, 0);
	struct template_report r;
	t.language = VIEW("fr");
	assert_false(text_template_check(&t, &elm, &r));
	assert_int_equal(r.fault, TEMPLATE_FAULT_language);
	t = made("Hello {a}", NULL, 0);
	t.variables = TEMPLATE_VARIABLES_MAX + 1;
	assert_false(text_template_check(&t, &elm, &r));
	assert_int_equal(r.fault, TEMPLATE_FAULT_variables_many);
}

/* 160 septets fit, 161 do not; a character of the extension table counts two; an unknown setting its ceiling.
 * covers: rule template */
static void the_longest_decides(void **state)
{
	(void)state;
	char body[300];
	struct template_report r;
	struct template_variable v = {"a", TEMPLATE_name, 20};
	memset(body, 'x', sizeof(body));
	memcpy(body, "{a}", 3);
	for (unsigned plain = 139; plain <= 141; plain++) {
		body[3 + plain] = 0;
		struct text_template t = made(body, &v, 1);
		assert_int_equal(text_template_check(&t, &elm, &r), plain <= 140);
		assert_int_equal(r.septets, plain + 20);
		body[3 + plain] = 'x';
	}
	body[3 + 139] = 0;
	memcpy(body + 3, "\xe2\x82\xac", 3); /* the euro sign: two septets in three octets */
	struct text_template t = made(body, &v, 1);
	assert_true(text_template_check(&t, &elm, &r));
	assert_int_equal(r.septets, 136 + 2 + 20);
	t = made("{practice} {practice_phone}", NULL, 0);
	assert_true(text_template_check(&t, &(struct template_practice){0}, &r));
	assert_int_equal(r.septets, 61);
	assert_true(text_template_check(&t, &elm, &r));
	assert_int_equal(r.septets, 30);
}

static void values_and_variables_fit(void **state)
{
	(void)state;
	static const struct template_variable variables[] = {A, B};
	struct text_template t = made("{practice}: {a}, see you {b}. {a}! {practice_phone}", variables, 2);
	struct template_value v[] = {{VIEW("b"), VIEW("2026-03-02")}, {VIEW("a"), VIEW("Ana")}, {VIEW("c"), VIEW("x")}};
	struct template_report r;
	struct buf text = BUF(1000);
	assert_true(text_template_render(&t, &elm, v, 2, &text, &r));
	assert_string_equal(buf_cstr(&text), "Elm Street Clinic: Ana, see you Mon, Mar 2. Ana! 212-555-0100");
	assert_int_equal(r.septets, text.n);
	buf_clear(&text);
	assert_false(text_template_render(&t, &elm, v, 1, &text, &r));
	assert_int_equal(r.fault, TEMPLATE_FAULT_value_missing);
	assert_string_equal(r.name, "a");
	assert_int_equal(text.n, 0);
	assert_false(text_template_render(&t, &elm, v, 3, &text, &r));
	assert_int_equal(r.fault, TEMPLATE_FAULT_value_unknown);
	v[1].value = VIEW("{b}");
	assert_false(text_template_render(&t, &elm, v, 2, &text, &r));
	assert_int_equal(r.fault, TEMPLATE_FAULT_value_characters);
	buf_free(&text);
}

/* --- properties ------------------------------------------------------------------------------------------------ */

static const char *const letters[] = {"a", "B", "\xc3\xa9", "\xc3\xad", "\xc5\xa1",     "-",           "'",
                                      " ", ".", "1",        "/",        "\xe5\x90\x8d", "\xe2\x82\xac"};

#define VALUE_BYTES 200

static void add_piece(char *to, const char *piece)
{
	snprintf(to + strlen(to), VALUE_BYTES - strlen(to), "%s", piece);
}

static void random_value(enum template_type type, char *to)
{
	int month = (int)seeded_between(1, 12), day = (int)seeded_between(1, 28);
	*to = 0;
	if (type == TEMPLATE_date)
		snprintf(to, VALUE_BYTES, "%d-%02d-%02d", (int)seeded_between(1970, 2100), month, day);
	else if (type == TEMPLATE_time)
		snprintf(to, VALUE_BYTES, "%02d:%02d", (int)seeded_between(0, 23), (int)seeded_between(0, 59));
	else if (type == TEMPLATE_phone)
		snprintf(to, VALUE_BYTES, "+1212555%04d", (int)seeded_between(100, 199));
	else
		for (int64_t n = seeded_between(1, 14); n > 0; n--)
			add_piece(to, type == TEMPLATE_number
			                      ? "7"
			                      : letters[seeded_between(0, (int64_t)COUNT(letters) - 1)]);
	if (type == TEMPLATE_link)
		snprintf(to, VALUE_BYTES, "https://elm.example/%d", (int)seeded_between(0, 1 << 30));
}

/* Whatever is filled in, the text is in the GSM alphabet, one segment, and not longer than was told at saving. */
static void no_rendering_is_longer_than_was_told(void **state)
{
	(void)state;
	unsigned rendered = 0;
	seeded_start("no_rendering_is_longer_than_was_told");
	for (unsigned n = 0; n < 20000; n++) {
		enum template_type types[2] = {(enum template_type)seeded_between(0, TEMPLATE_TYPES - 1),
		                               (enum template_type)seeded_between(0, TEMPLATE_TYPES - 1)};
		struct template_variable v[2] = {{"a", types[0], text_template_usual(types[0])},
		                                 {"b", types[1], text_template_usual(types[1])}};
		struct text_template t = made("{practice}: [{a}] {b} {practice_phone}", v, 2);
		struct template_report told, r;
		char values[2][VALUE_BYTES];
		struct buf text = BUF(2000), sample = BUF(2000);
		t.language = seeded_between(0, 1) ? VIEW("en") : VIEW("es");
		assert_true(text_template_check(&t, &elm, &told));
		random_value(types[0], values[0]);
		random_value(types[1], values[1]);
		struct template_value value[2] = {{VIEW("a"), view_str(values[0])}, {VIEW("b"), view_str(values[1])}};
		if (text_template_render(&t, &elm, value, 2, &text, &r)) {
			struct text_shape shape = text_measure(buf_view(&text));
			assert_int_equal(shape.encoding, TEXT_GSM7);
			assert_int_equal(shape.segments, 1);
			assert_true(shape.units <= told.septets && shape.units == r.septets);
			rendered++;
		}
		text_template_sample(&t, &elm, &sample);
		assert_int_equal(text_measure(buf_view(&sample)).units, told.septets);
		buf_free(&text);
		buf_free(&sample);
	}
	assert_true(rendered > 1000);
	print_message("%u of 20000 rendered\n", rendered);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_value_by_its_type),   cmocka_unit_test(spanish_dates),
	        cmocka_unit_test(each_fault_of_a_template), cmocka_unit_test(the_longest_decides),
	        cmocka_unit_test(values_and_variables_fit), cmocka_unit_test(no_rendering_is_longer_than_was_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
