/* Golden pages: tests/golden/smpp holds octets and the page that is printed of them, side by side. The octets of the
 * command pages were written by another implementation. */
#include "smpp_page.h"
#include "text_alphabet.h"

#include <dirent.h>
#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FOLDER TEST_SOURCE_DIR "/tests/golden/smpp"

struct example {
	const char *file;
	char title[200];
	char flags[40]; /* behind "hex" */
	struct buf octets;
	struct buf page;
};

static unsigned examples;
static bool seen_command[SMPP_COMMAND_COUNT];
static bool seen_tag[0x10000];

static void fail_at(const struct example *e, const char *what)
{
	fail_msg("%s, \"%s\": %s\n%s", e->file, e->title, what, buf_cstr((struct buf *)&e->page));
}

static void add_hex_line(struct example *e, const char *line)
{
	size_t n = strcspn(line, "\n") / 2;
	uint8_t *to = buf_room(&e->octets, n);
	assert_non_null(to);
	assert_true(hex_decode(view_of(line, 2 * n), to, n));
	e->octets.n += n;
}

static void note_seen(const struct smpp_pdu *pdu)
{
	seen_command[pdu->command] = true;
	for (unsigned i = 0; i < pdu->tlvs; i++)
		seen_tag[pdu->tlv[i].tag] = true;
}

static void check_same_octets(const struct example *e, const struct smpp_pdu *pdu)
{
	struct buf again = BUF(LIMIT_PDU_BYTES);
	struct smpp_fault fault;
	bool same = smpp_pdu_encode(pdu, &again, &fault) && view_eq(buf_view(&again), buf_view(&e->octets));
	if (same == (strstr(e->flags, "lenient") != NULL))
		fail_at(e, same ? "marked lenient, yet written back the same" : "written back differently");
	buf_free(&again);
}

static void check_example(const struct example *e)
{
	struct buf page = BUF(1 << 20);
	struct smpp_page_options options = {.masked = strstr(e->flags, "masked"), .text_cb = text_decode};
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

enum part { PROSE, HEX, PAGE };

/* Returns the part that the next line is in. */
static enum part take_line(struct example *e, enum part in, const char *line)
{
	bool fence = strncmp(line, "```", 3) == 0;
	if (in == PROSE && strncmp(line, "## ", 3) == 0)
		copy_view(e->title, sizeof e->title, view_of(line + 3, strcspn(line + 3, "\n")));
	if (in == PROSE && strncmp(line, "```hex", 6) == 0) {
		copy_str(e->flags, sizeof e->flags, line + 6);
		buf_clear(&e->octets);
		return HEX;
	}
	if (in == PROSE && strncmp(line, "```page", 7) == 0) {
		buf_clear(&e->page);
		return PAGE;
	}
	if (in == PAGE && fence)
		check_example(e);
	if (fence)
		return PROSE;
	if (in == HEX)
		add_hex_line(e, line);
	if (in == PAGE)
		buf_add_str(&e->page, line);
	return in;
}

static void check_file(const char *name)
{
	char path[512];
	char line[4096];
	struct example e = {.file = name, .octets = BUF(LIMIT_PDU_BYTES), .page = BUF(1 << 20)};
	snprintf(path, sizeof path, "%s/%s", FOLDER, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	enum part in = PROSE;
	while (fgets(line, sizeof line, file))
		in = take_line(&e, in, line);
	assert_int_equal(in, PROSE);
	fclose(file);
	buf_free(&e.octets);
	buf_free(&e.page);
}

static void pages_print_and_encode_as_written(void **state)
{
	(void)state;
	DIR *folder = opendir(FOLDER);
	assert_non_null(folder);
	for (struct dirent *entry = readdir(folder); entry; entry = readdir(folder))
		if (strstr(entry->d_name, ".md"))
			check_file(entry->d_name);
	closedir(folder);
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
