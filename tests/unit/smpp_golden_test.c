/* Golden pages: tests/golden/smpp holds octets and the page that is printed of them, side by side. The octets of the
 * command pages were written by another implementation. */
#include "smpp_golden.h"
#include "smpp_page.h"
#include "text_alphabet.h"

static unsigned examples;
static bool seen_command[SMPP_COMMAND_COUNT];
static bool seen_tag[0x10000];

static void fail_at(const struct golden *e, const char *what)
{
	fail_msg("%s, \"%s\": %s\n%s", e->file, e->title, what, buf_cstr((struct buf *)&e->page));
}

static void note_seen(const struct smpp_pdu *pdu)
{
	seen_command[pdu->command] = true;
	for (unsigned i = 0; i < pdu->tlvs; i++)
		seen_tag[pdu->tlv[i].tag] = true;
}

static void check_same_octets(const struct golden *e, const struct smpp_pdu *pdu)
{
	struct buf again = BUF(LIMIT_PDU_BYTES);
	struct smpp_fault fault;
	bool same = smpp_pdu_encode(pdu, &again, &fault) && view_eq(buf_view(&again), buf_view(&e->octets));
	if (same == (strstr(e->flags, "lenient") != NULL))
		fail_at(e, same ? "marked lenient, yet written back the same" : "written back differently");
	buf_free(&again);
}

/* As the command does on a link of the default alphabet. */
static bool decode_text(const void *context, const struct smpp_page_text *text, struct buf *utf8)
{
	(void)context;
	struct text_coding coding = {
	        .data_coding = text->data_coding,
	        .alphabet = ALPHABET_GSM7,
	        .shift = {.locking = text->locking, .single = text->single},
	        .header_octets = text->header_octets,
	};
	return text_decode_as(&coding, text->octets, utf8);
}

static void check_example(const struct golden *e)
{
	struct buf page = BUF(1 << 20);
	struct smpp_page_options options = {.masked = strstr(e->flags, "masked"), .text_cb = decode_text};
	smpp_page_print(buf_view(&e->octets), &options, &page);
	if (!view_eq(buf_view(&page), buf_view(&e->page)))
		fail_at(e, buf_cstr(&page));
	buf_free(&page);
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	bool decoded = smpp_pdu_decode(buf_view(&e->octets), &pdu, &fault);
	if (decoded == (strstr(e->flags, "fault") != NULL))
		fail_at(e, decoded ? "marked fault, yet it decodes" : "it does not decode");
	if (decoded) {
		note_seen(&pdu);
		check_same_octets(e, &pdu);
	}
	examples++;
}

static void pages_print_and_encode_as_written(void **state)
{
	(void)state;
	golden_each(check_example);
	print_message("%u examples\n", examples);
	assert_true(examples >= 90);
}

static void every_command_and_tlv_is_on_a_page(void **state)
{
	(void)state;
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++)
		if (!seen_command[c])
			fail_msg("no page decodes %s", smpp_command_name((enum smpp_command)c));
#define SMPP_TLV(name, tag, type, min, max, note)                                                                      \
	if (!seen_tag[tag])                                                                                            \
		fail_msg("no page has TLV %s", #name);
#include "smpp_tlv.def"
#undef SMPP_TLV
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(pages_print_and_encode_as_written),
	        cmocka_unit_test(every_command_and_tlv_is_on_a_page),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
