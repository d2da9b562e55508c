#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "text_language.h"

static const struct {
	const char *text;
	const char *language;
} rows[] = {
        {"STOP", "en"},
        {"Stop please, thank you", "en"},
        {"ALTO", "es"},
        {"\xc2\xa1"
         "Alto!",
         "es"},
        {"no m\xc3\xa1s", "es"},
        {"STOP por favor", "es"},
        {"AYUDA", "es"},
        {"help", "en"},
        {"START", "en"},
        {"altogether", "en"},
        {"", "en"},
        {"\xff\xff", "en"},
};

static void each_text_has_its_language(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_string_equal(text_language(view_str(rows[i].text)), rows[i].language);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_text_has_its_language)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
