/* Two decoders that nobody wrote together read the same PDUs: every golden page and PDUs at random. Where libsmpp34
 * reads differently a row says why; a row that no PDU needs any more is a failure too. */
#include "smpp_differ.h"
#include "smpp_golden.h"
#include "smpp_random.h"
#include "smpp_row.h"
#include "smpp_status.h"
#include "smpp_walk.h"

static void add_hex(struct buf *to, const char *name, struct view octets)
{
	buf_printf(to, "%s ", name);
	for (size_t i = 0; i < octets.n; i++)
		buf_printf(to, "%02x", octets.p[i]);
	buf_add_u8(to, '\n');
}

static void add_entries(struct buf *to, const struct smpp_piece *piece)
{
	struct smpp_dest dest;
	size_t at = 0;
	while (smpp_list_next(piece->row->type, piece->value->text, &at, &dest)) {
		if (piece->row->type == SMPP_DESTS)
			buf_printf(to, "dest_flag %02x\n", dest.dest_flag);
		if (dest.dest_flag == 1)
			buf_printf(to, "dest_addr_ton %02x\ndest_addr_npi %02x\n", dest.ton, dest.npi);
		add_hex(to, dest.dest_flag == 1 ? "destination_addr" : "dl_name", dest.address);
		if (piece->row->type == SMPP_UNSUCCESS)
			buf_printf(to, "error_status_code %08x\n", dest.error_status_code);
	}
}

static void add_piece(struct buf *to, const struct smpp_piece *piece)
{
	if (piece->kind == SMPP_PIECE_TLV) {
		buf_printf(to, "tag %04x\nlength %04zx\n", piece->tlv->tag, piece->tlv->value.n);
		add_hex(to, "value", piece->tlv->value);
	} else if (piece->kind == SMPP_PIECE_FIELD && piece->row->type >= SMPP_DESTS) {
		add_entries(to, piece);
	} else if (piece->kind == SMPP_PIECE_FIELD && piece->row->type >= SMPP_CSTR) {
		add_hex(to, piece->name, piece->value->text);
	} else {
		add_hex(to, piece->name ? piece->name : "rest", piece->octets);
	}
}

/* What we make of a PDU, as the same lines. */
static void our_lines(struct view octets, const struct smpp_pdu *pdu, struct buf *to)
{
	struct smpp_walk walk;
	struct smpp_piece piece;
	smpp_walk_start(&walk, octets, pdu, NULL);
	while (smpp_walk_next(&walk, &piece))
		add_piece(to, &piece);
}

/* --- where it differs ----------------------------------------------------------------------------------------- */

typedef bool applies_fn(const struct smpp_pdu *pdu, struct view octets);

static bool only_33_or_50(const struct smpp_pdu *pdu, struct view octets)
{
	(void)octets;
	switch (pdu->command) {
	case SMPP_param_retrieve:
	case SMPP_param_retrieve_resp:
	case SMPP_query_last_msgs:
	case SMPP_query_last_msgs_resp:
	case SMPP_query_msg_details:
	case SMPP_query_msg_details_resp:
	case SMPP_broadcast_sm:
	case SMPP_broadcast_sm_resp:
	case SMPP_query_broadcast_sm:
	case SMPP_query_broadcast_sm_resp:
	case SMPP_cancel_broadcast_sm:
	case SMPP_cancel_broadcast_sm_resp:
		return true;
	default:
		return false;
	}
}

static bool sequence_zero(const struct smpp_pdu *pdu, struct view octets)
{
	(void)octets;
	return pdu->sequence_number == 0;
}

static bool status_of_50(const struct smpp_pdu *pdu, struct view octets)
{
	(void)octets;
	uint32_t status = pdu->command_status;
	return status > 0xff || strcmp(smpp_status_name(status), "unknown") == 0;
}

static bool undefined_ton(uint32_t ton)
{
	return ton > 6;
}

static bool undefined_npi(uint32_t npi)
{
	static const uint32_t defined[] = {0, 1, 3, 4, 6, 8, 9, 10, 14, 18};
	for (size_t i = 0; i < sizeof defined / sizeof defined[0]; i++)
		if (defined[i] == npi)
			return false;
	return true;
}

static bool undefined_in_list(const struct smpp_field_row *row, struct view entries)
{
	struct smpp_dest dest;
	size_t at = 0;
	while (smpp_list_next(row->type, entries, &at, &dest))
		if (dest.dest_flag == 1 && (undefined_ton(dest.ton) || undefined_npi(dest.npi)))
			return true;
	return false;
}

static bool undefined_address(const struct smpp_pdu *pdu, struct view octets)
{
	(void)octets;
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(pdu->command, &count);
	for (unsigned i = 0; i < count && pdu->has_body; i++) {
		const struct smpp_value *v = &pdu->field[rows[i].field];
		const char *name = smpp_field_name(rows[i].field);
		if (strstr(name, "_ton") && undefined_ton(v->number))
			return true;
		if (strstr(name, "_npi") && undefined_npi(v->number))
			return true;
		if ((rows[i].type == SMPP_DESTS || rows[i].type == SMPP_UNSUCCESS) &&
		    undefined_in_list(&rows[i], v->text))
			return true;
	}
	return false;
}

static bool wider(const struct smpp_pdu *pdu, struct view octets)
{
	(void)octets;
	return pdu->field[SMPP_F_system_id].text.n > 15 || pdu->field[SMPP_F_password].text.n > 8 ||
	       pdu->field[SMPP_F_short_message].text.n > 254 ||
	       (pdu->command == SMPP_data_sm && pdu->field[SMPP_F_source_addr].text.n > 20);
}

static bool odd_version(const struct smpp_pdu *pdu, struct view octets)
{
	(void)octets;
	return smpp_command_answer(pdu->command) != SMPP_UNKNOWN &&
	       strncmp(smpp_command_name(pdu->command), "bind", 4) == 0 &&
	       pdu->field[SMPP_F_interface_version].number != 0x34;
}

static bool error_body(const struct smpp_pdu *pdu, struct view octets)
{
	return pdu->command == SMPP_submit_sm_resp && pdu->command_status && octets.n > SMPP_HEADER_BYTES;
}

static bool bare_answer(const struct smpp_pdu *pdu, struct view octets)
{
	unsigned count;
	smpp_command_fields(pdu->command, &count);
	return smpp_command_is_answer(pdu->command) && octets.n == SMPP_HEADER_BYTES && count;
}

static bool takes_tlvs(enum smpp_command c)
{
	switch (c) {
	case SMPP_alert_notification:
	case SMPP_bind_receiver_resp:
	case SMPP_bind_transceiver_resp:
	case SMPP_bind_transmitter_resp:
	case SMPP_data_sm:
	case SMPP_deliver_sm:
	case SMPP_submit_multi:
	case SMPP_submit_sm:
		return true;
	default:
		return false;
	}
}

static bool tlvs_of_50(const struct smpp_pdu *pdu, struct view octets)
{
	(void)octets;
	return pdu->tlvs && !takes_tlvs(pdu->command);
}

/* Lengths that its lists of TLVs know. */
static bool tlv_length(const struct smpp_pdu *pdu, struct view octets)
{
	(void)octets;
	for (unsigned i = 0; i < pdu->tlvs; i++) {
		const struct smpp_tlv *tlv = &pdu->tlv[i];
		const struct smpp_tlv_row *row = smpp_tlv_row_of(tlv->tag);
		bool number = row && (row->type <= SMPP_TLV_U32 || tlv->tag == SMPP_TAG_source_telematics_id ||
		                      tlv->tag == SMPP_TAG_ms_validity);
		size_t width = row && row->type == SMPP_TLV_U16 ? 2 : row && row->type == SMPP_TLV_U32 ? 4 : 1;
		if (tlv->value.n > 1024 || (number && tlv->value.n != width) ||
		    tlv->tag == SMPP_TAG_alert_on_message_delivery ||
		    (tlv->tag == SMPP_TAG_network_error_code && tlv->value.n > 3))
			return true;
	}
	return false;
}

static bool has_rest(const struct smpp_pdu *pdu, struct view octets)
{
	struct smpp_walk walk;
	struct smpp_piece piece;
	smpp_walk_start(&walk, octets, pdu, NULL);
	while (smpp_walk_next(&walk, &piece))
		if (piece.kind == SMPP_PIECE_REST)
			return true;
	return false;
}

static bool unused_field(const struct smpp_pdu *pdu, struct view octets)
{
	(void)octets;
	if (pdu->command == SMPP_deliver_sm_resp)
		return pdu->field[SMPP_F_message_id].text.n > 0;
	return pdu->command == SMPP_deliver_sm &&
	       (pdu->field[SMPP_F_schedule_delivery_time].text.n || pdu->field[SMPP_F_validity_period].text.n);
}

static struct {
	const char *reason;
	applies_fn *applies;
	bool always; /* where it applies, it never reads the same */
	unsigned used;
} differences[] = {
        {"it knows the commands of 3.4 only", only_33_or_50, true, 0},
        {"it refuses sequence_number 0, which a generic_nack of lost framing has (3.4 4.3)", sequence_zero, true, 0},
        {"it refuses a command_status that 3.4 does not list, vendors' too (trap 20)", status_of_50, true, 0},
        {"it refuses undefined types of number and numbering plans (trap 42)", undefined_address, true, 0},
        {"system_id 15, password 8, short_message 254 characters; data_sm.source_addr 20, where 3.4 has 64", wider,
         true, 0},
        {"it refuses an interface_version that is not 3.4 (trap 7)", odd_version, false, 0},
        {"behind an error status it looks for no body (trap 18)", error_body, true, 0},
        {"it refuses an answer of 16 octets (traps 18, 19), or shows fields that are not there", bare_answer, true, 0},
        {"it looks for no TLVs in answers but to binds, and in requests where 3.4 has none", tlvs_of_50, true, 0},
        {"it reads a TLV by the one length that 3.4 gives it, and at most 1024 octets", tlv_length, false, 0},
        {"it refuses NULs and broken TLVs at the end (trap 41)", has_rest, true, 0},
        {"it refuses what 3.4 does not use: times in deliver_sm, the id in deliver_sm_resp (trap 19)", unused_field,
         true, 0},
};

/* --- comparing ------------------------------------------------------------------------------------------------ */

#define ROOM (1 << 21)
/* libsmpp34 1.14.1 keeps a trace of what it reads in 2048 octets and writes past them (its snprintf is told a room
 * below zero), so PDUs whose trace may be longer are not shown to it. */
#define TRACE_BYTES 1900
#define TRACE_LINE 24 /* octets around a name and a value */

static unsigned compared, excused, spared;

static size_t trace_length(struct buf *lines)
{
	size_t n = 0;
	for (const char *at = buf_cstr(lines); *at; at += strcspn(at, "\n") + 1) {
		size_t name = strcspn(at, " ");
		bool binary = strncmp(at, "value ", 6) == 0 || strncmp(at, "short_message ", 14) == 0;
		n += TRACE_LINE + name + (binary ? 0 : strcspn(at + name, "\n") / 2);
	}
	return n;
}

/* How many rows apply, and whether one of them always makes a difference. */
static unsigned expected(const struct smpp_pdu *pdu, struct view octets, bool *always_r)
{
	unsigned rows = 0;
	*always_r = false;
	for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++) {
		if (!differences[i].applies(pdu, octets))
			continue;
		differences[i].used++;
		*always_r |= differences[i].always;
		rows++;
	}
	return rows;
}

static void compare(const char *what, struct view octets, const struct smpp_pdu *pdu)
{
	static char theirs[ROOM];
	bool always;
	struct buf ours = BUF(ROOM);
	our_lines(octets, pdu, &ours);
	if (trace_length(&ours) > TRACE_BYTES) {
		spared++;
		buf_free(&ours);
		return;
	}
	bool taken = differ_theirs(octets.p, octets.n, theirs, sizeof theirs);
	bool same = taken && strcmp(theirs, buf_cstr(&ours)) == 0;
	unsigned rows = expected(pdu, octets, &always);
	if (!same && rows == 0)
		fail_msg("%s: %s\n%s\nours:\n%s", what, taken ? "read differently" : "refused", theirs,
		         buf_cstr(&ours));
	if (same && always)
		fail_msg("%s: read the same, yet a row says it is not\n%s", what, theirs);
	same ? compared++ : excused++;
	buf_free(&ours);
}

static void compare_golden(const struct golden *g)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	if (!strstr(g->flags, "masked") && smpp_pdu_decode(buf_view(&g->octets), &pdu, &fault))
		compare(g->title, buf_view(&g->octets), &pdu);
}

static void goldens_are_read_the_same(void **state)
{
	(void)state;
	compared = excused = spared = 0;
	golden_each(compare_golden);
	print_message("%u read the same, %u differ for a known reason, %u not shown\n", compared, excused, spared);
	assert_true(compared >= 40);
}

/* Brings a PDU into what libsmpp34 knows. */
static void tame_fields(struct smpp_pdu *pdu)
{
	static const uint8_t plans[] = {0, 1, 3, 4, 6, 8, 9, 10, 14, 18};
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(pdu->command, &count);
	for (unsigned i = 0; i < count; i++) {
		struct smpp_value *v = &pdu->field[rows[i].field];
		const char *name = smpp_field_name(rows[i].field);
		if (strstr(name, "_ton"))
			v->number = roll(7);
		else if (strstr(name, "_npi"))
			v->number = plans[roll(sizeof plans)];
		else if (strcmp(name, "interface_version") == 0)
			v->number = 0x34;
		size_t width = strcmp(name, "system_id") == 0                                     ? 15
		               : strcmp(name, "password") == 0                                    ? 8
		               : strcmp(name, "short_message") == 0                               ? 254
		               : pdu->command == SMPP_data_sm && strcmp(name, "source_addr") == 0 ? 20
		                                                                                  : v->text.n;
		if (v->text.n > width)
			v->text.n = width;
	}
}

/* The octets of an arena are ours to write. */
static void tame_list(enum smpp_type type, struct smpp_value *v)
{
	struct smpp_dest dest;
	size_t at = 0, start = 0;
	uint8_t *p = arena + (v->text.p - arena);
	for (; smpp_list_next(type, v->text, &at, &dest); start = at) {
		if (dest.dest_flag != 1)
			continue;
		p[start + (type == SMPP_DESTS)] = (uint8_t)roll(7);
		p[start + (type == SMPP_DESTS) + 1] = (uint8_t)roll(2);
	}
}

/* Most lists keep few enough entries to be shown. */
static void shorten_lists(struct smpp_pdu *pdu)
{
	unsigned count;
	const struct smpp_field_row *rows = smpp_command_fields(pdu->command, &count);
	for (unsigned i = 0; i < count; i++) {
		struct smpp_value *v = &pdu->field[rows[i].field];
		struct smpp_dest dest;
		size_t at = 0;
		if (rows[i].type < SMPP_DESTS || roll(16) == 0)
			continue;
		for (unsigned n = roll(9); n && smpp_list_next(rows[i].type, v->text, &at, &dest); n--)
			;
		v->text.n = at;
	}
}

static void tame_tlvs(struct smpp_pdu *pdu)
{
	unsigned kept = 0;
	for (unsigned i = 0; i < pdu->tlvs; i++) {
		struct smpp_pdu one = {.tlvs = 1, .tlv = {pdu->tlv[i]}};
		if (takes_tlvs(pdu->command) && !tlv_length(&one, (struct view){0}))
			pdu->tlv[kept++] = pdu->tlv[i];
	}
	pdu->tlvs = kept;
}

static void tame(struct smpp_pdu *pdu)
{
	tame_fields(pdu);
	if (pdu->command == SMPP_submit_multi)
		tame_list(SMPP_DESTS, &pdu->field[SMPP_F_dest_address]);
	if (pdu->command == SMPP_submit_multi_resp)
		tame_list(SMPP_UNSUCCESS, &pdu->field[SMPP_F_unsuccess_sme]);
	tame_tlvs(pdu);
	pdu->command_status = 0;
	pdu->sequence_number |= 1;
	if (pdu->command == SMPP_deliver_sm || pdu->command == SMPP_deliver_sm_resp) {
		pdu->field[SMPP_F_schedule_delivery_time].text.n = 0;
		pdu->field[SMPP_F_validity_period].text.n = 0;
		pdu->field[SMPP_F_message_id].text.n = 0;
	}
}

static void random_pdus_are_read_the_same(void **state)
{
	(void)state;
	struct buf octets = BUF(LIMIT_PDU_BYTES);
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	compared = excused = spared = 0;
	for (unsigned round = 0; round < 20000; round++) {
		enum smpp_command c = (enum smpp_command)roll(SMPP_COMMAND_COUNT);
		random_pdu(&pdu, c);
		shorten_lists(&pdu);
		if (roll(8))
			tame(&pdu);
		buf_clear(&octets);
		if (!smpp_pdu_encode(&pdu, &octets, &fault))
			fail_msg("%s: %s: %s", smpp_command_name(c), fault.field, fault.sentence);
		assert_true(smpp_pdu_decode(buf_view(&octets), &pdu, &fault));
		compare(smpp_command_name(c), buf_view(&octets), &pdu);
	}
	print_message("%u read the same, %u differ for a known reason, %u not shown\n", compared, excused, spared);
	assert_true(compared > 5000 && excused > 1000);
	buf_free(&octets);
}

static void every_difference_is_seen(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof differences / sizeof differences[0]; i++) {
		print_message("%6u  %s\n", differences[i].used, differences[i].reason);
		if (differences[i].used == 0)
			fail_msg("no PDU shows that %s", differences[i].reason);
	}
}

int main(void)
{
	seeded_start("smpp_differ");
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(goldens_are_read_the_same),
	        cmocka_unit_test(random_pdus_are_read_the_same),
	        cmocka_unit_test(every_difference_is_seen),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
