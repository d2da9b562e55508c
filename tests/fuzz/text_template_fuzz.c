/* Any octets are a template's body and a value: what passes the check renders within what it told, in one segment of
 * the GSM alphabet, or a value is refused and nothing is left behind. The first octet is the type, the second cuts. */
#include "base_check.h"
#include "text_shape.h"
#include "text_template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > 1000)
		return 0;
	size_t cut = data[1] % (size - 1);
	struct view body = view_of(data + 2, cut > size - 2 ? size - 2 : cut);
	struct view value = view_of(body.p + body.n, size - 2 - body.n);
	enum template_type type = (enum template_type)(data[0] % TEMPLATE_TYPES);
	struct template_practice elm = {VIEW("Elm Street Clinic"), VIEW("212-555-0100"), VIEW("elm.example")};
	struct text_template t = {.body = body, .language = data[0] & 128 ? VIEW("es") : VIEW("en"), .variables = 1};
	struct template_report told, report;
	struct template_value values = {VIEW("a"), value};
	struct buf text = BUF(8192);
	t.variable[0] = (struct template_variable){"a", type, text_template_usual(type)};
	bool saved = text_template_check(&t, &elm, &told);
	bool rendered = text_template_render(&t, &elm, &values, 1, &text, &report);
	check(rendered || text.n == 0);
	if (saved && rendered) {
		struct text_shape shape = text_measure(buf_view(&text));
		check(shape.encoding == TEXT_GSM7 && shape.segments == 1);
		check(shape.units == report.septets && shape.units <= told.septets);
	}
	buf_clear(&text);
	text_template_sample(&t, &elm, &text);
	check(!saved || text_measure(buf_view(&text)).units <= told.septets);
	buf_free(&text);
	return 0;
}
