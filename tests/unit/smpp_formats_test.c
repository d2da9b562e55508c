/* tests/golden/receipt_formats.tsv, row by row: every known variant of a receipt. */
#include "smpp_id.h"
#include "smpp_receipt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FOLDER TEST_SOURCE_DIR "/tests/"
#define ROWS 87 /* of the reference table */

struct row {
	char *cell[8];
};

enum { SECTION, KEY, KIND, TEXT, MORE, ID, STATE, ERROR };

static char *read_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		fail_msg("%s cannot be read", path);
	char *text = calloc(1, 1 << 20);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
	fclose(f);
	return text;
}

static struct row cut_row(char *line)
{
	struct row r;
	for (int i = 0; i < 8; i++) {
		r.cell[i] = line;
		line += strcspn(line, "\t");
		if (*line)
			*line++ = 0;
	}
	return r;
}

/* \xNN becomes its octet, and \n a line's end. */
static size_t unescape(const char *text, uint8_t *to)
{
	size_t n = 0;
	for (const char *at = text; *at; n++) {
		if (at[0] == '\\' && at[1] == 'x') {
			assert_true(hex_decode(view_of(at + 2, 2), to + n, 1));
			at += 4;
		} else if (at[0] == '\\' && at[1] == 'n') {
			to[n] = '\n';
			at += 2;
		} else {
			to[n] = (uint8_t)*at++;
		}
	}
	return n;
}

/* The word "name=value" or "name" of a blank separated list; NULL when it is not there. */
static const char *option(const char *list, const char *name, char value[80])
{
	size_t n = strlen(name);
	for (const char *at = list; *at; at += strspn(at, " ")) {
		size_t word = strcspn(at, " ");
		if (strncmp(at, name, n) == 0 && (word == n || at[n] == '=')) {
			copy_view(value, 80, view_of(at + n + (word > n), word - n - (word > n)));
			return value;
		}
		at += word;
	}
	return NULL;
}

static uint32_t number(const char *list, const char *name, uint32_t otherwise)
{
	char value[80];
	return option(list, name, value) ? (uint32_t)strtoul(value, NULL, 10) : otherwise;
}

static void set_text(const struct row *r, struct smpp_pdu *pdu, struct view text)
{
	static uint8_t wide[1024];
	char value[80];
	if (option(r->cell[MORE], "wide", value)) {
		for (size_t i = 0; i < text.n; i++) {
			wide[2 * i] = 0;
			wide[2 * i + 1] = text.p[i];
		}
		text = view_of(wide, 2 * text.n);
	}
	if (pdu->command == SMPP_data_sm || option(r->cell[MORE], "payload", value))
		smpp_pdu_add_tlv(pdu, SMPP_TAG_message_payload, text);
	else
		smpp_pdu_set_text(pdu, SMPP_F_short_message, text);
}

static void set_tlvs(const struct row *r, struct smpp_pdu *pdu)
{
	static char id[80], error[80];
	static uint8_t state, octets[40];
	char value[80];
	if (option(r->cell[MORE], "id", id))
		smpp_pdu_add_tlv(pdu, SMPP_TAG_receipted_message_id,
		                 view_of(id, strlen(id) + !option(r->cell[MORE], "bare", value)));
	if (option(r->cell[MORE], "state", value)) {
		state = (uint8_t)strtoul(value, NULL, 10);
		smpp_pdu_add_tlv(pdu, SMPP_TAG_message_state, view_of(&state, 1));
	}
	if (option(r->cell[MORE], "error", error)) {
		assert_true(hex_decode(view_str(error), octets, strlen(error) / 2));
		smpp_pdu_add_tlv(pdu, SMPP_TAG_network_error_code, view_of(octets, strlen(error) / 2));
	}
}

static void check_read(const struct row *r, bool flagged)
{
	static uint8_t text[1024];
	char value[80];
	struct smpp_pdu pdu;
	struct smpp_receipt got;
	smpp_pdu_init(&pdu, option(r->cell[MORE], "data_sm", value) ? SMPP_data_sm : SMPP_deliver_sm, 1);
	smpp_pdu_set_number(&pdu, SMPP_F_esm_class, number(r->cell[MORE], "esm", 4));
	smpp_pdu_set_number(&pdu, SMPP_F_data_coding, number(r->cell[MORE], "coding", 0));
	set_text(r, &pdu, view_of(text, unescape(r->cell[TEXT], text)));
	set_tlvs(r, &pdu);
	assert_int_equal(smpp_receipt_parse(&pdu, &got), flagged);
	if (!flagged)
		assert_true(smpp_receipt_parse_unflagged(&pdu, &got));
	bool conflict = option(r->cell[MORE], "conflict", value) != NULL;
	if (!view_eq(got.id, view_str(r->cell[ID])) || got.conflict != conflict ||
	    strcmp(smpp_message_state_name(got.state), r->cell[STATE]) || strcmp(got.error, r->cell[ERROR]))
		fail_msg("%s %s: id \"%.*s\", %s, err \"%s\", conflict %d", r->cell[SECTION], r->cell[KEY],
		         (int)got.id.n, (const char *)got.id.p, smpp_message_state_name(got.state), got.error,
		         got.conflict);
}

static void check_text(const struct row *r)
{
	struct smpp_pdu pdu;
	struct smpp_receipt got;
	smpp_pdu_init(&pdu, SMPP_deliver_sm, 1);
	smpp_pdu_set_text(&pdu, SMPP_F_short_message, view_str(r->cell[TEXT]));
	for (uint32_t esm_class = 0; esm_class < 0x40; esm_class += 4) {
		smpp_pdu_set_number(&pdu, SMPP_F_esm_class, esm_class);
		assert_false(smpp_receipt_parse(&pdu, &got));
		assert_false(smpp_receipt_parse_unflagged(&pdu, &got));
	}
}

/* The ids are of one number, and the answer's is among the candidates of the receipt's. */
static void check_relation(const struct row *r)
{
	char ids[LIMIT_RECEIPT_CANDIDATES][66];
	struct view answer = view_str(r->cell[TEXT]);
	unsigned n = smpp_receipt_candidates(view_str(r->cell[MORE]), ids);
	bool found = false;
	assert_string_equal(smpp_id_relation_name(smpp_id_relation(view_str(r->cell[MORE]), answer)), r->cell[ID]);
	for (unsigned i = 0; i < n; i++)
		found = found || smpp_id_relation(view_str(ids[i]), answer) <= SMPP_ID_ZEROS;
	if (!found)
		fail_msg("%s: %s is no candidate of %s", r->cell[KEY], r->cell[TEXT], r->cell[MORE]);
}

static void check_shown(const struct row *r)
{
	char *tests = read_file(FOLDER "blackbox/11_receipt.test.mjs");
	if (!strstr(tests, r->cell[TEXT]))
		fail_msg("%s: there is no test \"%s\"", r->cell[KEY], r->cell[TEXT]);
	free(tests);
}

static void check_row(const struct row *r)
{
	const char *kind = r->cell[KIND];
	if (!strcmp(kind, "receipt") || !strcmp(kind, "unflagged"))
		check_read(r, !strcmp(kind, "receipt"));
	else if (!strcmp(kind, "text"))
		check_text(r);
	else if (!strcmp(kind, "relation"))
		check_relation(r);
	else if (!strcmp(kind, "shown"))
		check_shown(r);
	else
		assert_string_equal(kind, "ours");
}

static void trap_29_every_format_of_the_table(void **state)
{
	(void)state;
	char *table = read_file(FOLDER "golden/receipt_formats.tsv");
	unsigned rows = 0;
	bool header = false;
	for (char *line = table; *line;) {
		size_t n = strcspn(line, "\n");
		char *next = line + n + (line[n] == '\n');
		line[n] = 0;
		if (*line != '#' && header) {
			struct row r = cut_row(line);
			check_row(&r);
			rows++;
		}
		header = header || *line != '#';
		line = next;
	}
	assert_int_equal(rows, ROWS);
	free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(trap_29_every_format_of_the_table)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
