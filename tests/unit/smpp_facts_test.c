/* The rows of proto/smpp_*.def are those of the specifications: tests/facts was written apart from them. What differs
 * on purpose stands here with its reason. */
#include "smpp_row.h"
#include "smpp_status.h"

#include <stdarg.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define FACTS TEST_SOURCE_DIR "/tests/facts/"
#define COLUMNS 8

/* command, field, reason: wider than any version says. NULL for any command. */
static const struct {
	const char *command;
	const char *field;
	const char *reason;
} wider[] = {
        {NULL, "system_id", "providers issue longer ones (trap 9)"},
        {NULL, "password", "providers issue longer ones (trap 9)"},
        {"query_msg_details", "message_id", "ids have up to 64 characters in later versions"},
        {"query_msg_details_resp", "message_id", "the same"},
};

/* TLVs whose length may be another than the specifications say. */
static const struct {
	const char *name;
	const char *reason;
} tlv_lengths[] = {
        {"source_telematics_id", "npm smpp writes two octets"},
        {"additional_status_info_text", "often without its NUL, so it may be empty"},
        {"receipted_message_id", "often without its NUL, so it may be empty"},
        {"network_error_code", "also written as digits"},
        {"source_network_id", "shorter ones do no harm"},
        {"dest_network_id", "shorter ones do no harm"},
};

/* As written: TLVs of several octets that are no number. */
static const char *const type_names[] = {
        [SMPP_TLV_U8] = "u8",     [SMPP_TLV_U16] = "u16",       [SMPP_TLV_U32] = "u32",
        [SMPP_TLV_CSTR] = "cstr", [SMPP_TLV_OCTETS] = "octets", [SMPP_TLV_PERSONAL] = "octets",
};

enum sender { NOBODY, ESME, MC, BOTH };

static const enum sender senders[SMPP_COMMAND_COUNT] = {
#define SMPP_PDU(name, id, sender, answer) [SMPP_##name] = sender,
#define SMPP_PDU_FIELD(name, type, max)
#define SMPP_PDU_END(name)
#include "smpp_pdu.def"
#undef SMPP_PDU
#undef SMPP_PDU_FIELD
#undef SMPP_PDU_END
};

/* Only counted. */
enum tlv_rows {
#define SMPP_TLV(name, tag, type, min, max, note) TLV_##name,
#include "smpp_tlv.def"
#undef SMPP_TLV
	TLVS
};

enum status_rows {
#define SMPP_STATUS(name, code, class, sentence) STATUS_##name,
#include "smpp_status.def"
#undef SMPP_STATUS
	STATUSES
};

/* Cuts a line at its tabs. */
static unsigned split(char *line, char *column[COLUMNS])
{
	unsigned n = 0;
	line[strcspn(line, "\n")] = 0;
	for (char *at = line; at && n < COLUMNS; n++) {
		column[n] = at;
		at = strchr(at, '\t');
		if (at)
			*at++ = 0;
	}
	return n;
}

/* Calls check_cb for every row behind the head line; returns how many. */
static unsigned each_row(const char *name, unsigned columns, void (*check_cb)(char *column[COLUMNS]))
{
	char path[512];
	char line[4096];
	char *column[COLUMNS];
	unsigned rows = 0;
	snprintf(path, sizeof path, "%s%s", FACTS, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	for (bool head = true; fgets(line, sizeof line, file); head = false) {
		assert_int_equal(split(line, column), columns);
		if (head)
			continue;
		check_cb(column);
		rows++;
	}
	fclose(file);
	return rows;
}

static enum smpp_command command_named(const char *name)
{
	for (unsigned c = 0; c < SMPP_COMMAND_COUNT; c++)
		if (strcmp(smpp_command_name((enum smpp_command)c), name) == 0)
			return (enum smpp_command)c;
	fail_msg("smpp_pdu.def has no %s", name);
	return SMPP_UNKNOWN;
}

struct fact {
	char name[64];
	char type[16];
	unsigned least; /* octets of a text with its NUL, or value */
	unsigned most;  /* 0: no bound is said */
	bool either;    /* one of these two, nothing between */
};

/* "source_addr:cstr<=21", "validity_period:cstr=1|17", "sm_length:u8<=254", "short_message:octets" */
static struct fact fact_of(const char *word)
{
	struct fact f = {.least = 1};
	size_t name = strcspn(word, ":");
	const char *type = word + name + 1;
	size_t n = strcspn(type, "<=");
	copy_view(f.name, sizeof f.name, view_of(word, name));
	copy_view(f.type, sizeof f.type, view_of(type, n));
	const char *bound = type + n;
	if (strncmp(bound, "<=", 2) == 0) {
		f.most = (unsigned)strtoul(bound + 2, NULL, 10);
	} else if (*bound == '=') {
		char *end;
		f.least = f.most = (unsigned)strtoul(bound + 1, &end, 10);
		f.either = *end == '|';
		if (f.either)
			f.most = (unsigned)strtoul(end + 1, NULL, 10);
	}
	return f;
}

static const char *fact_type(enum smpp_type type)
{
	static const char *const names[] = {
	        [SMPP_U8] = "u8",         [SMPP_U32] = "u32",     [SMPP_CSTR] = "cstr",           [SMPP_TIME] = "cstr",
	        [SMPP_OCTETS] = "octets", [SMPP_DESTS] = "dests", [SMPP_UNSUCCESS] = "unsuccess", [SMPP_IDS] = "ids",
	};
	return names[type];
}

/* What the specification allows, the row takes. */
static void check_field(const char *command, const struct smpp_field_row *row, const struct fact *fact)
{
	if (strcmp(smpp_field_name(row->field), fact->name) != 0)
		fail_msg("%s: %s stands where %s should", command, smpp_field_name(row->field), fact->name);
	if (strcmp(fact_type(row->type), fact->type) != 0)
		fail_msg("%s.%s is no %s", command, fact->name, fact->type);
	if (row->type != SMPP_IDS && fact->most > row->max)
		fail_msg("%s.%s takes %u, not %u", command, fact->name, row->max, fact->most);
	if (row->type == SMPP_TIME && !(fact->least == 1 && (fact->most == 1 || (fact->either && fact->most == 17))))
		fail_msg("%s.%s takes 1 or 17 octets only", command, fact->name);
}

static unsigned widest[SMPP_COMMAND_COUNT][SMPP_F_COUNT];

static void check_fields(enum smpp_command c, char *words)
{
	unsigned count, i = 0;
	const struct smpp_field_row *rows = smpp_command_fields(c, &count);
	if (strcmp(words, "-") == 0)
		return;
	for (char *word = words; *words && strcmp(words, "(none)") != 0; word = words) {
		words += strcspn(words, " ");
		if (*words)
			*words++ = 0;
		struct fact fact = fact_of(word);
		if (i >= count)
			fail_msg("%s lacks %s", smpp_command_name(c), fact.name);
		check_field(smpp_command_name(c), &rows[i], &fact);
		if (fact.most > widest[c][rows[i].field])
			widest[c][rows[i].field] = fact.most;
		i++;
	}
	if (i != count)
		fail_msg("%s has %u fields, not %u", smpp_command_name(c), count, i);
}

static enum sender sender_of(const char *direction, const char *versions)
{
	if (strcmp(versions, "3.3") == 0)
		return NOBODY;
	return strcmp(direction, "both") == 0 ? BOTH : strcmp(direction, "ESME>MC") == 0 ? ESME : MC;
}

/* command_id name answer direction versions fields_v33 fields_v34 fields_v50 */
static void check_command(char *column[COLUMNS])
{
	enum smpp_command c = command_named(column[1]);
	enum smpp_command answer = smpp_command_answer(c);
	assert_int_equal(smpp_command_id(c), strtoul(column[0], NULL, 16));
	assert_string_equal(answer == SMPP_UNKNOWN ? "-" : smpp_command_name(answer), column[2]);
	assert_int_equal(senders[c], sender_of(column[3], column[4]));
	for (unsigned version = 5; version < 8; version++)
		check_fields(c, column[version]);
}

static bool wider_on_purpose(const char *command, const char *field)
{
	for (size_t i = 0; i < sizeof wider / sizeof wider[0]; i++)
		if ((!wider[i].command || strcmp(wider[i].command, command) == 0) && strcmp(wider[i].field, field) == 0)
			return true;
	return false;
}

static void commands_are_the_specifications(void **state)
{
	(void)state;
	assert_int_equal(each_row("smpp_commands.tsv", 8, check_command), SMPP_COMMAND_COUNT);
	for (unsigned i = 0; i < SMPP_COMMAND_COUNT; i++) {
		enum smpp_command c = (enum smpp_command)i;
		unsigned count;
		const struct smpp_field_row *rows = smpp_command_fields(c, &count);
		for (unsigned k = 0; k < count; k++) {
			const char *field = smpp_field_name(rows[k].field);
			bool text = rows[k].type == SMPP_CSTR || rows[k].type == SMPP_TIME;
			bool more = text && rows[k].max > widest[c][rows[k].field];
			if (more != wider_on_purpose(smpp_command_name(c), field))
				fail_msg("%s.%s takes %u, the specifications %u", smpp_command_name(c), field,
				         rows[k].max, widest[c][rows[k].field]);
		}
	}
}

static bool length_on_purpose(const char *name)
{
	for (size_t i = 0; i < sizeof tlv_lengths / sizeof tlv_lengths[0]; i++)
		if (strcmp(tlv_lengths[i].name, name) == 0)
			return true;
	return false;
}

/* tag name type length versions; length is "n", "n-m" or "n|m". */
static void check_tlv(char *column[COLUMNS])
{
	const struct smpp_tlv_row *row = smpp_tlv_row_of((uint16_t)strtoul(column[0], NULL, 16));
	if (!row)
		fail_msg("smpp_tlv.def has no %s", column[1]);
	assert_string_equal(row->name, column[1]);
	char *end;
	unsigned long least = strtoul(column[3], &end, 10);
	unsigned long most = *end ? strtoul(end + 1, NULL, 10) : least;
	bool same = row->min == least && row->max == most;
	if (same == length_on_purpose(row->name))
		fail_msg("%s: %u-%u octets, the specifications %lu-%lu", row->name, row->min, row->max, least, most);
	if (row->min > least || row->max < most)
		fail_msg("%s takes less than the specifications", row->name);
	bool number = row->type <= SMPP_TLV_U32;
	bool said_number = column[2][0] == 'u' || strcmp(column[2], "bits") == 0;
	if (number && strcmp(column[2], "bits") != 0)
		assert_string_equal(type_names[row->type], column[2]);
	if (!number && said_number && !length_on_purpose(row->name))
		fail_msg("%s is a number", row->name);
}

static void tlvs_are_the_specifications(void **state)
{
	(void)state;
	assert_int_equal(each_row("smpp_tlvs.tsv", 5, check_tlv), TLVS);
}

/* code name versions class */
static void check_status(char *column[COLUMNS])
{
	uint32_t code = (uint32_t)strtoul(column[0], NULL, 16);
	assert_string_equal(smpp_status_name(code), column[1]);
	assert_string_equal(smpp_class_name(smpp_status_class(code)), column[3]);
}

static void statuses_are_the_specifications(void **state)
{
	(void)state;
	assert_int_equal(each_row("smpp_status.tsv", 4, check_status), STATUSES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(commands_are_the_specifications),
	        cmocka_unit_test(tlvs_are_the_specifications),
	        cmocka_unit_test(statuses_are_the_specifications),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
