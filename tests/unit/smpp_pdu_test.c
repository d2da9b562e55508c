#include "smpp_pdu.h"
#include "smpp_status.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct buf octets = BUF(1 << 20);

static void add_hex(const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t *to = buf_room(&octets, n);
	assert_non_null(to);
	assert_true(hex_decode(view_of(hex, 2 * n), to, n));
	octets.n += n;
}

static void add_repeated(uint8_t c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_add_u8(&octets, c);
}

/* A PDU around a body in hexadecimal; fill octets of 'x' stand where the body says "..". The whole is copied to memory
 * of its exact size, so that the sanitizer sees a read past it. */
static uint8_t *build(uint32_t id, uint32_t status, const char *before, size_t fill, const char *after, size_t *n_r)
{
	buf_clear(&octets);
	buf_add_u32(&octets, 0);
	buf_add_u32(&octets, id);
	buf_add_u32(&octets, status);
	buf_add_u32(&octets, 42);
	add_hex(before);
	add_repeated('x', fill);
	add_hex(after);
	uint8_t *exact = malloc(octets.n);
	assert_non_null(exact);
	memcpy(exact, octets.p, octets.n);
	for (unsigned i = 0; i < 4; i++)
		exact[i] = (uint8_t)(octets.n >> (24 - 8 * i));
	*n_r = octets.n;
	return exact;
}

#define ADDR "0101313200" /* ton, npi, "12" */
#define TO_TEXT                                                                                                        \
	"00" ADDR ADDR "000000"                                                                                        \
	"0000"                                                                                                         \
	"00000000" /* submit_sm up to sm_length */
#define TO_TIME "00" ADDR ADDR "000000"

struct decode_case {
	const char *what;
	uint32_t id;
	uint32_t command_status;
	const char *before;
	size_t fill;
	const char *after;
	const char *field; /* NULL: it decodes */
	uint32_t offset;
	uint32_t status;
};

static const struct decode_case decode_cases[] = {
        {"whole", 4, 0, TO_TEXT "02", 2, "", NULL, 0, 0},
        {"sm_length one more than there is", 4, 0, TO_TEXT "03", 2, "", "short_message", 37, ESME_RINVMSGLEN},
        {"sm_length 255 of 255", 4, 0, TO_TEXT "ff", 255, "", NULL, 0, 0},
        {"sm_length 255 of 254", 4, 0, TO_TEXT "ff", 254, "", "short_message", 37, ESME_RINVMSGLEN},
        {"sm_length missing", 4, 0, TO_TEXT, 0, "", "sm_length", 36, ESME_RINVCMDLEN},
        {"no body", 4, 0, "", 0, "", "service_type", 16, ESME_RINVCMDLEN},
        {"service_type without NUL at the end", 4, 0, "", 5, "", "service_type", 16, ESME_RINVCMDLEN},
        {"message_id of query_sm of 64", 3, 0, "", 64, "00" ADDR, NULL, 0, 0},
        {"service_type of 5", 4, 0, "", 5,
         "00" ADDR ADDR "000000"
         "0000"
         "00000000"
         "00",
         NULL, 0, 0},
        {"service_type of 6", 4, 0, "", 6, "00", "service_type", 16, ESME_RINVSERTYP},
        {"source_addr of 20", 3, 0, "000101", 20, "00", NULL, 0, 0},
        {"source_addr of 21", 3, 0, "000101", 21, "00", "source_addr", 19, ESME_RINVSRCADR},
        {"source_addr of data_sm of 64", 0x103, 0, "000101", 64, "00" ADDR "000000", NULL, 0, 0},
        {"source_addr of data_sm of 65", 0x103, 0, "000101", 65, "00" ADDR "000000", "source_addr", 19,
         ESME_RINVSRCADR},
        {"npi missing", 3, 0, "0001", 0, "", "source_addr_npi", 18, ESME_RINVCMDLEN},
        {"message_id of 64", 0x80000004, 0, "", 64, "00", NULL, 0, 0},
        {"message_id of 65", 0x80000004, 0, "", 65, "00", "message_id", 16, ESME_RINVMSGID},
        {"message_id without NUL", 0x80000004, 0, "", 3, "", "message_id", 16, ESME_RINVCMDLEN},
        {"message_id of 65 behind an error", 0x80000004, 8, "", 65, "00", NULL, 0, 0},
        {"answer without body", 0x80000004, 0, "", 0, "", NULL, 0, 0},
        {"time of 16", 4, 0, TO_TIME, 16,
         "0000"
         "00000000"
         "00",
         NULL, 0, 0},
        {"time of 15", 4, 0, TO_TIME, 15,
         "0000"
         "00000000"
         "00",
         "schedule_delivery_time", 30, ESME_RINVSCHED},
        {"time of 17", 4, 0, TO_TIME, 17,
         "0000"
         "00000000"
         "00",
         "schedule_delivery_time", 30, ESME_RINVSCHED},
        {"validity of 1", 4, 0, TO_TIME "00", 1,
         "00"
         "00000000"
         "00",
         "validity_period", 31, ESME_RINVEXPIRY},
        {"time of 5 to an ESME", 5, 0, TO_TIME, 5,
         "0000"
         "00000000"
         "00",
         NULL, 0, 0},
        {"system_id of 64", 0x0b, 0, "", 64,
         "00"
         "00",
         NULL, 0, 0},
        {"system_id of 65", 0x0b, 0, "", 65,
         "00"
         "00",
         "system_id", 16, ESME_RINVSYSID},
        {"password of 65", 0x0b, 0, "00", 65, "00", "password", 17, ESME_RINVPASWD},
        {"a destination", 0x21, 0,
         "00" ADDR "01"
         "01" ADDR "000000"
         "0000"
         "00000000"
         "00",
         0, "", NULL, 0, 0},
        {"a list", 0x21, 0,
         "00" ADDR "01"
         "02",
         20,
         "00"
         "000000"
         "0000"
         "00000000"
         "00",
         NULL, 0, 0},
        {"a list name of 21", 0x21, 0,
         "00" ADDR "01"
         "02",
         21, "00", "dest_address", 23, ESME_RINVDLNAME},
        {"a destination of 21", 0x21, 0,
         "00" ADDR "01"
         "010101",
         21, "00", "dest_address", 23, ESME_RINVDSTADR},
        {"dest_flag 0", 0x21, 0,
         "00" ADDR "01"
         "00" ADDR,
         0, "", "dest_address", 23, ESME_RINVDESTFLAG},
        {"two told, one there", 0x21, 0,
         "00" ADDR "02"
         "01" ADDR,
         0, "", "dest_address", 29, ESME_RINVNUMDESTS},
        {"255 told, none there", 0x21, 0, "00" ADDR "ff", 0, "", "dest_address", 23, ESME_RINVNUMDESTS},
        {"unsuccess whole", 0x80000021, 0,
         "00"
         "01" ADDR "0000000b",
         0, "", NULL, 0, 0},
        {"unsuccess cut in its status", 0x80000021, 0,
         "00"
         "01" ADDR "00000b",
         0, "", "unsuccess_sme", 18, ESME_RINVNUMDESTS},
        {"unsuccess cut behind an error", 0x80000021, 8,
         "00"
         "01" ADDR "00000b",
         0, "", NULL, 0, 0},
        {"unknown command", 0x99, 0, "7800", 0, "", "command_id", 4, ESME_RINVCMDID},
        {"unknown answer", 0x80000025, 0, "7800", 0, "", "command_id", 4, ESME_RINVCMDID},
        {"probe", 0x15, 0, "", 0, "", NULL, 0, 0},
};

static void decode_finds_the_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof decode_cases / sizeof decode_cases[0]; i++) {
		const struct decode_case *c = &decode_cases[i];
		struct smpp_pdu pdu;
		struct smpp_fault fault;
		size_t n;
		uint8_t *p = build(c->id, c->command_status, c->before, c->fill, c->after, &n);
		bool decoded = smpp_pdu_decode(view_of(p, n), &pdu, &fault);
		if (decoded != !c->field)
			fail_msg("%s: %s %s", c->what, decoded ? "decodes" : fault.field,
			         decoded ? "" : fault.sentence);
		assert_int_equal(pdu.command_id, c->id);
		assert_int_equal(pdu.sequence_number, 42);
		assert_int_equal(pdu.command_status, c->command_status);
		if (c->field &&
		    (strcmp(fault.field, c->field) || fault.offset != c->offset || fault.status != c->status))
			fail_msg("%s: %s at %u: %x", c->what, fault.field, fault.offset, fault.status);
		free(p);
	}
}

/* Every shorter cut of a PDU, with the length field telling the truth or lying, is refused or read in bounds. */
static void decode_survives_every_cut(void **state)
{
	(void)state;
	size_t whole;
	uint8_t *p = build(4, 0, TO_TEXT "10", 16,
	                   "0427000102"
	                   "001e0003376100",
	                   &whole);
	for (size_t n = 0; n <= whole; n++) {
		for (int truth = 0; truth < 2; truth++) {
			uint8_t *cut = malloc(n ? n : 1);
			assert_non_null(cut);
			memcpy(cut, p, n);
			if (truth && n >= 4)
				cut[3] = (uint8_t)n;
			struct smpp_pdu pdu;
			struct smpp_fault fault;
			bool decoded = smpp_pdu_decode(view_of(cut, n), &pdu, &fault);
			bool text_is_whole = n >= whole - 12;
			assert_int_equal(decoded, n == whole || (truth && text_is_whole));
			if (!decoded)
				assert_non_null(fault.sentence);
			free(cut);
		}
	}
	free(p);
}

struct tail_case {
	const char *what;
	const char *tail;
	unsigned tlvs;
	unsigned dropped;
};

static const struct tail_case tail_cases[] = {
        {"nothing", "", 0, 0},
        {"one", "0427000102", 1, 0},
        {"empty value", "130c0000", 1, 0},
        {"1 NUL", "00", 0, 0},
        {"3 NULs", "000000", 0, 0},
        {"3 NULs behind one", "0427000102000000", 1, 0},
        {"4 NULs are TLV 0", "00000000", 1, 0},
        {"an octet that is no NUL", "34", 0, 1},
        {"3 octets, the last no NUL", "000001", 0, 1},
        {"length past the end",
         "04270002"
         "02",
         0, 1},
        {"length far past the end",
         "0424ffff"
         "02",
         0, 1},
        {"one, then past the end",
         "0427000102"
         "04270002"
         "02",
         1, 1},
        {"the same tag twice",
         "0427000102"
         "0427000105",
         2, 0},
};

static void decode_keeps_the_body_before_a_broken_tail(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tail_cases / sizeof tail_cases[0]; i++) {
		const struct tail_case *c = &tail_cases[i];
		struct smpp_pdu pdu;
		struct smpp_fault fault;
		size_t n;
		uint8_t *p = build(5, 0, TO_TEXT "0453544f50", 0, c->tail, &n);
		assert_true(smpp_pdu_decode(view_of(p, n), &pdu, &fault));
		assert_true(view_eq(pdu.field[SMPP_F_short_message].text, VIEW("STOP")));
		if (pdu.tlvs != c->tlvs || pdu.tlvs_dropped != c->dropped)
			fail_msg("%s: %u kept, %u dropped", c->what, pdu.tlvs, pdu.tlvs_dropped);
		free(p);
	}
}

static void tlvs_past_the_limit_are_counted(void **state)
{
	(void)state;
	struct smpp_pdu pdu, read;
	struct smpp_fault fault;
	smpp_pdu_init(&pdu, SMPP_deliver_sm, 1);
	for (unsigned i = 0; i < LIMIT_PDU_TLVS; i++)
		assert_true(smpp_pdu_add_tlv(&pdu, SMPP_TAG_callback_num_pres_ind, VIEW("1")));
	assert_false(smpp_pdu_add_tlv(&pdu, SMPP_TAG_callback_num_pres_ind, VIEW("1")));
	buf_clear(&octets);
	assert_true(smpp_pdu_encode(&pdu, &octets, &fault));
	add_hex("03020001ff"
	        "03020001ff");
	octets.p[2] = (uint8_t)(octets.n >> 8);
	octets.p[3] = (uint8_t)octets.n;
	assert_true(smpp_pdu_decode(buf_view(&octets), &read, &fault));
	assert_int_equal(read.tlvs, LIMIT_PDU_TLVS);
	assert_int_equal(read.tlvs_dropped, 2);
}

struct frame_case {
	const char *octets;
	uint32_t length;
};

static void frames_have_sane_lengths(void **state)
{
	(void)state;
	static const struct frame_case cases[] = {
	        {"", 0},
	        {"000000", 0},
	        {"00000000", UINT32_MAX},
	        {"0000000f", UINT32_MAX},
	        {"00000010", 16},
	        {"00011170", 70000},
	        {"00011171", UINT32_MAX},
	        {"16030101", UINT32_MAX}, /* TLS */
	        {"47455420", UINT32_MAX}, /* GET */
	        {"ffffffff", UINT32_MAX},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		buf_clear(&octets);
		add_hex(cases[i].octets);
		assert_int_equal(smpp_frame_length(buf_view(&octets)), cases[i].length);
	}
}

static char long_text[70000];

struct encode_case {
	const char *what;
	enum smpp_command command;
	enum smpp_field field;
	size_t text;     /* that many 'x', */
	uint32_t number; /* or a number */
	bool fits;
	uint32_t status;
};

static const struct encode_case encode_cases[] = {
        {"source_addr of 20", SMPP_submit_sm, SMPP_F_source_addr, 20, 0, true, 0},
        {"source_addr of 21", SMPP_submit_sm, SMPP_F_source_addr, 21, 0, false, ESME_RINVSRCADR},
        {"destination_addr of 21", SMPP_submit_sm, SMPP_F_destination_addr, 21, 0, false, ESME_RINVDSTADR},
        {"service_type of 6", SMPP_submit_sm, SMPP_F_service_type, 6, 0, false, ESME_RINVSERTYP},
        {"short_message of 255", SMPP_submit_sm, SMPP_F_short_message, 255, 0, true, 0},
        {"short_message of 256", SMPP_submit_sm, SMPP_F_short_message, 256, 0, false, ESME_RINVMSGLEN},
        {"time of 16", SMPP_submit_sm, SMPP_F_validity_period, 16, 0, true, 0},
        {"time of 15", SMPP_submit_sm, SMPP_F_validity_period, 15, 0, false, ESME_RINVEXPIRY},
        {"time of 17", SMPP_submit_sm, SMPP_F_schedule_delivery_time, 17, 0, false, ESME_RINVSCHED},
        {"number 255", SMPP_submit_sm, SMPP_F_esm_class, 0, 255, true, 0},
        {"number 256", SMPP_submit_sm, SMPP_F_esm_class, 0, 256, false, ESME_RINVESMCLASS},
        {"data_coding 256", SMPP_data_sm, SMPP_F_data_coding, 0, 256, false, ESME_RINVDCS},
        {"message_id of 64", SMPP_submit_sm_resp, SMPP_F_message_id, 64, 0, true, 0},
        {"message_id of 65", SMPP_submit_sm_resp, SMPP_F_message_id, 65, 0, false, ESME_RINVMSGID},
        {"password of 65", SMPP_bind_transceiver, SMPP_F_password, 65, 0, false, ESME_RINVPASWD},
        {"entries that are none", SMPP_submit_multi, SMPP_F_dest_address, 9, 0, false, ESME_RINVNUMDESTS},
};

static void encode_refuses_what_does_not_fit(void **state)
{
	(void)state;
	memset(long_text, 'x', sizeof long_text);
	for (size_t i = 0; i < sizeof encode_cases / sizeof encode_cases[0]; i++) {
		const struct encode_case *c = &encode_cases[i];
		struct smpp_pdu pdu;
		struct smpp_fault fault;
		smpp_pdu_init(&pdu, c->command, 1);
		if (c->text)
			smpp_pdu_set_text(&pdu, c->field, view_of(long_text, c->text));
		else
			smpp_pdu_set_number(&pdu, c->field, c->number);
		buf_clear(&octets);
		buf_add_str(&octets, "before");
		bool fits = smpp_pdu_encode(&pdu, &octets, &fault);
		if (fits != c->fits || (!fits && fault.status != c->status))
			fail_msg("%s: %s", c->what, fits ? "fits" : fault.sentence);
		assert_true(fits || (octets.n == 6 && !octets.full));
	}
}

static void encode_refuses_a_nul_inside_a_text(void **state)
{
	(void)state;
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	smpp_pdu_init(&pdu, SMPP_submit_sm, 1);
	smpp_pdu_set_text(&pdu, SMPP_F_source_addr,
	                  VIEW("12\0"
	                       "34"));
	buf_clear(&octets);
	assert_false(smpp_pdu_encode(&pdu, &octets, &fault));
	assert_string_equal(fault.field, "source_addr");
	assert_int_equal(octets.n, 0);
}

struct tlv_case {
	uint16_t tag;
	size_t n;
	bool fits;
};

static void encode_holds_tlvs_to_their_rows(void **state)
{
	(void)state;
	static const struct tlv_case cases[] = {
	        {SMPP_TAG_message_state, 0, false},
	        {SMPP_TAG_message_state, 1, true},
	        {SMPP_TAG_message_state, 2, false},
	        {SMPP_TAG_receipted_message_id, 65, true},
	        {SMPP_TAG_receipted_message_id, 66, false},
	        {SMPP_TAG_message_payload, 65535, true},
	        {SMPP_TAG_message_payload, 65536, false},
	        {0x1401, 65535, true},
	        {0x1401, 65536, false},
	        {0x1401, 0, true},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct smpp_pdu pdu;
		struct smpp_fault fault;
		smpp_pdu_init(&pdu, SMPP_deliver_sm, 1);
		smpp_pdu_add_tlv(&pdu, cases[i].tag, view_of(long_text, cases[i].n));
		buf_clear(&octets);
		bool fits = smpp_pdu_encode(&pdu, &octets, &fault);
		if (fits != cases[i].fits || (!fits && fault.status != ESME_RINVTLVLEN))
			fail_msg("%04x of %zu", cases[i].tag, cases[i].n);
	}
}

static void encode_keeps_to_the_pdu_limit_and_the_ceiling(void **state)
{
	(void)state;
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	smpp_pdu_init(&pdu, SMPP_deliver_sm, 1);
	smpp_pdu_add_tlv(&pdu, SMPP_TAG_message_payload, view_of(long_text, 65535));
	smpp_pdu_add_tlv(&pdu, 0x1401, view_of(long_text, 65535));
	buf_clear(&octets);
	assert_false(smpp_pdu_encode(&pdu, &octets, &fault));
	assert_string_equal(fault.field, "command_length");
	struct buf small = BUF(15);
	smpp_pdu_init(&pdu, SMPP_enquire_link, 1);
	assert_false(smpp_pdu_encode(&pdu, &small, &fault));
	assert_int_equal(small.n, 0);
	assert_false(small.full);
	small.max = 16;
	assert_true(smpp_pdu_encode(&pdu, &small, &fault));
	buf_free(&small);
	pdu.command = SMPP_UNKNOWN;
	assert_false(smpp_pdu_encode(&pdu, &octets, &fault));
	assert_int_equal(fault.status, ESME_RINVCMDID);
}

static void lengths_and_counts_come_from_what_is_there(void **state)
{
	(void)state;
	struct smpp_pdu pdu, read;
	struct smpp_fault fault;
	smpp_pdu_init(&pdu, SMPP_submit_multi, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_sm_length, 99);
	smpp_pdu_set_number(&pdu, SMPP_F_number_of_dests, 99);
	smpp_pdu_set_text(&pdu, SMPP_F_short_message, VIEW("abc"));
	smpp_pdu_set_text(&pdu, SMPP_F_dest_address,
	                  VIEW("\1\1\1"
	                       "12\0"
	                       "\2list\0"));
	buf_clear(&octets);
	assert_true(smpp_pdu_encode(&pdu, &octets, &fault));
	assert_true(smpp_pdu_decode(buf_view(&octets), &read, &fault));
	assert_int_equal(read.field[SMPP_F_sm_length].number, 3);
	assert_int_equal(read.field[SMPP_F_number_of_dests].number, 2);
	size_t at = 0;
	struct smpp_dest dest;
	assert_true(smpp_list_next(SMPP_DESTS, read.field[SMPP_F_dest_address].text, &at, &dest));
	assert_int_equal(dest.dest_flag, 1);
	assert_true(view_eq(dest.address, VIEW("12")));
	assert_true(smpp_list_next(SMPP_DESTS, read.field[SMPP_F_dest_address].text, &at, &dest));
	assert_int_equal(dest.dest_flag, 2);
	assert_true(view_eq(dest.address, VIEW("list")));
	assert_false(smpp_list_next(SMPP_DESTS, read.field[SMPP_F_dest_address].text, &at, &dest));
}

static void integer_tlvs_have_1_2_or_4_octets(void **state)
{
	(void)state;
	static const bool legal[] = {false, true, true, false, true, false};
	for (size_t n = 0; n < 6; n++) {
		uint32_t number = 0;
		struct smpp_tlv tlv = {1, view_of("\1\2\3\4\5", n)};
		assert_int_equal(smpp_tlv_number(&tlv, &number), legal[n]);
		assert_int_equal(number, n == 1 ? 1 : n == 2 ? 0x102 : n == 4 ? 0x1020304 : 0);
	}
	struct smpp_tlv nul = {1, VIEW("ab\0c")};
	assert_true(view_eq(smpp_tlv_text(&nul), VIEW("ab")));
	nul.value = VIEW("ab");
	assert_true(view_eq(smpp_tlv_text(&nul), VIEW("ab")));
	nul.value = VIEW("");
	assert_int_equal(smpp_tlv_text(&nul).n, 0);
}

/* Ids are unique, an answer is its request with the high bit, and only requests have one. */
static void command_rows_agree(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SMPP_COMMAND_COUNT; i++) {
		enum smpp_command c = (enum smpp_command)i;
		enum smpp_command answer = smpp_command_answer(c);
		assert_int_equal(smpp_command_of(smpp_command_id(c)), c);
		if (answer == SMPP_UNKNOWN)
			continue;
		assert_false(smpp_command_is_answer(c));
		assert_true(smpp_command_is_answer(answer));
		assert_int_equal(smpp_command_id(answer), smpp_command_id(c) | 0x80000000u);
	}
	assert_int_equal(smpp_command_of(0x25), SMPP_UNKNOWN);
	assert_string_equal(smpp_command_name(SMPP_UNKNOWN), "unknown");
	assert_int_equal(smpp_command_answer(SMPP_alert_notification), SMPP_UNKNOWN);
	assert_string_equal(smpp_tlv_name(0x0427), "message_state");
	assert_null(smpp_tlv_name(0x1400));
}

/* Each row by its tag, and no other tag of the 65536. */
static void every_tlv_row_is_found(void **state)
{
	(void)state;
	static const struct {
		uint16_t tag;
		const char *name;
	} rows[] = {
#define SMPP_TLV(name, tag, type, min, max, note) {tag, #name},
#include "smpp_tlv.def"
#undef SMPP_TLV
	};
	size_t count = sizeof rows / sizeof rows[0], found = 0;
	for (size_t i = 0; i < count; i++)
		assert_string_equal(smpp_tlv_name(rows[i].tag), rows[i].name);
	for (unsigned tag = 0; tag <= UINT16_MAX; tag++)
		found += smpp_tlv_name((uint16_t)tag) != NULL;
	assert_int_equal(found, count);
}

struct status_case {
	uint32_t status;
	const char *name;
	enum smpp_class class;
};

static void statuses_have_a_class(void **state)
{
	(void)state;
	static const struct status_case cases[] = {
	        {0, "ESME_ROK", SMPP_CLASS_OK},
	        {0x58, "ESME_RTHROTTLED", SMPP_CLASS_THROTTLE},
	        {0x14, "ESME_RMSGQFUL", SMPP_CLASS_THROTTLE},
	        {0x08, "ESME_RSYSERR", SMPP_CLASS_TRANSIENT},
	        {0x0b, "ESME_RINVDSTADR", SMPP_CLASS_PERMANENT},
	        {0x04, "ESME_RINVBNDSTS", SMPP_CLASS_SESSION},
	        {0x112, "ESME_RINVBCASTCHANIND", SMPP_CLASS_PERMANENT},
	        {0x3ff, "unknown", SMPP_CLASS_TRANSIENT},
	        {0x400, "vendor", SMPP_CLASS_TRANSIENT},
	        {0x4ff, "vendor", SMPP_CLASS_TRANSIENT},
	        {0x500, "unknown", SMPP_CLASS_TRANSIENT},
	        {0x22, "unknown", SMPP_CLASS_TRANSIENT},
	        {0xffffffff, "unknown", SMPP_CLASS_TRANSIENT},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_string_equal(smpp_status_name(cases[i].status), cases[i].name);
		assert_int_equal(smpp_status_class(cases[i].status), cases[i].class);
		assert_true(strlen(smpp_status_sentence(cases[i].status)) > 3);
	}
	assert_string_equal(smpp_class_name(SMPP_CLASS_THROTTLE), "throttle");
	assert_string_equal(smpp_class_name(SMPP_CLASS_PERMANENT), "permanent");
}

static int free_octets(void **state)
{
	(void)state;
	buf_free(&octets);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(decode_finds_the_fault),
	        cmocka_unit_test(decode_survives_every_cut),
	        cmocka_unit_test(decode_keeps_the_body_before_a_broken_tail),
	        cmocka_unit_test(tlvs_past_the_limit_are_counted),
	        cmocka_unit_test(frames_have_sane_lengths),
	        cmocka_unit_test(encode_refuses_what_does_not_fit),
	        cmocka_unit_test(encode_refuses_a_nul_inside_a_text),
	        cmocka_unit_test(encode_holds_tlvs_to_their_rows),
	        cmocka_unit_test(encode_keeps_to_the_pdu_limit_and_the_ceiling),
	        cmocka_unit_test(lengths_and_counts_come_from_what_is_there),
	        cmocka_unit_test(integer_tlvs_have_1_2_or_4_octets),
	        cmocka_unit_test(command_rows_agree),
	        cmocka_unit_test(every_tlv_row_is_found),
	        cmocka_unit_test(statuses_have_a_class),
	};
	return cmocka_run_group_tests(tests, NULL, free_octets);
}
