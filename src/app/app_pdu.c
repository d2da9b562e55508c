#include "app_pdu.h"

#include "app_commands.h"
#include "smpp_page.h"
#include "text_alphabet.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CHUNK_BYTES 65536 /* of standard input at a time */
#define ARGUMENTS 4096    /* pieces of one PDU on the command line */

const char pdu_help[] =
        "Examples:\n"
        "  smsbridge pdu 00000010 00000015 00000000 00000001      an enquire_link as a readable page\n"
        "  xxd -p capture.bin | smsbridge pdu -                   PDUs back to back, a page each\n"
        "  smsbridge pdu --json - <pdus.hex >pdus.json            one hex PDU a line in, one JSON object a line out\n"
        "  smsbridge pdu --encode - <pdus.json >pdus.hex          the other way\n"
        "\n"
        "Shows SMPP 3.3, 3.4 and 5.0 PDUs: every field and TLV by the specification's name, with its meaning, its\n"
        "octets and their offset; texts, user data headers and receipts read. Nothing is sent anywhere.\n"
        "  HEX        hexadecimal digits in pairs; blanks, line ends, colons, commas, dashes and 0x between them do\n"
        "             not matter. - reads standard input, however long it is\n"
        "  --masked   do not show addresses, texts and passwords: for pages that others get to see\n"
        "  --alphabet NAME  what data_coding 0 means on the link: gsm7 (default), gsm7_packed, latin1, ascii\n"
        "  --json     JSON: command, command_status, sequence_number, fields and tlvs; rest: octets that no row\n"
        "             explains; or error with field, offset, sentence, and the status and PDU that we would answer.\n"
        "             Texts are written as they are when printable, else as hex:..; short_message is always hex.\n"
        "             A line that is no PDU gives an error, and the next line is read\n"
        "  --encode   JSON of that form, an object a line, to hexadecimal; fields that are left out are zero or "
        "empty,\n"
        "             lengths and counts may be. A line with a fault gives {\"error\":...}\n"
        "Exit codes: 1 when a page shows a fault, or a line could not be encoded.\n";

/* --- pages: PDUs back to back --------------------------------------------------------------------------------- */

struct pages {
	bool masked;
	bool json;
	enum text_alphabet alphabet;
	struct app_hex hex;
	struct buf octets; /* of PDUs not yet printed */
	size_t characters; /* read so far */
	unsigned printed;
	bool faulty;
};

static bool decode_text(const void *alphabet, const struct smpp_page_text *text, struct buf *utf8)
{
	struct text_coding coding = {
	        .data_coding = text->data_coding,
	        .alphabet = *(const enum text_alphabet *)alphabet,
	        .shift = {.locking = text->locking, .single = text->single},
	        .header_octets = text->header_octets,
	};
	return text_decode_as(&coding, text->octets, utf8);
}

static void print_page(struct pages *p, struct view octets)
{
	struct smpp_pdu pdu;
	struct smpp_fault fault;
	struct smpp_page_options options = {.masked = p->masked, .context = &p->alphabet, .text_cb = decode_text};
	struct buf text = BUF(SMPP_PAGE_BYTES);
	if (p->json) {
		app_pdu_to_json(octets, &text);
		buf_add_u8(&text, '\n');
	} else {
		smpp_page_print(octets, &options, &text);
		p->faulty |= !smpp_pdu_decode(octets, &pdu, &fault);
	}
	if (p->printed++ && !p->json)
		putchar('\n');
	fwrite(text.p, 1, text.n, stdout);
	buf_free(&text);
}

/* Prints the whole PDUs that are there; at the end also what is left. Without framing the rest is one page. */
static void print_pages(struct pages *p, bool end)
{
	while (p->octets.n) {
		uint32_t length = smpp_frame_length(buf_view(&p->octets));
		bool whole = length && length <= p->octets.n;
		if (!whole && !end && length != UINT32_MAX)
			return;
		size_t n = whole ? length : p->octets.n;
		print_page(p, view_of(p->octets.p, n));
		buf_drop(&p->octets, n);
	}
}

static bool take_text(struct pages *p, struct view text)
{
	size_t bad = 0;
	if (!app_hex_read(&p->hex, text, &p->octets, &bad)) {
		failure(p->hex.half ? "the octet before character %zu lacks its second digit"
		                    : "character %zu is neither a hexadecimal digit nor between two octets",
		        p->characters + bad + 1);
		return false;
	}
	p->characters += text.n;
	print_pages(p, false);
	return true;
}

/* Up to one chunk of standard input; 0 at its end, negative (told) on failure. What was printed goes out first, so that
 * whoever writes a line and waits gets its answer. */
static ssize_t read_chunk(uint8_t chunk[CHUNK_BYTES])
{
	fflush(stdout);
	ssize_t n = read(STDIN_FILENO, chunk, CHUNK_BYTES);
	while (n < 0 && errno == EINTR)
		n = read(STDIN_FILENO, chunk, CHUNK_BYTES);
	if (n < 0)
		failure("standard input: %s", strerror(errno));
	return n;
}

static bool take_input(struct pages *p)
{
	static uint8_t chunk[CHUNK_BYTES];
	ssize_t n;
	while ((n = read_chunk(chunk)) > 0)
		if (!take_text(p, view_of(chunk, (size_t)n)))
			return false;
	return n == 0;
}

static bool take_arguments(struct pages *p, const char **words, int count)
{
	for (int i = 0; i < count; i++)
		if (!take_text(p, view_str(words[i])) || !take_text(p, VIEW(" ")))
			return false;
	return true;
}

static int print_all(struct pages *p, const char **words, int count)
{
	p->octets = BUF(LIMIT_PDU_BYTES + CHUNK_BYTES);
	bool ok = strcmp(words[0], "-") == 0 ? take_input(p) : take_arguments(p, words, count);
	print_pages(p, true);
	if (ok && p->hex.half)
		ok = failure("the last octet lacks its second digit") == EXIT_OK;
	if (ok && !p->printed)
		ok = failure("there is no PDU") == EXIT_OK;
	buf_free(&p->octets);
	return ok && !p->faulty ? EXIT_OK : EXIT_FAILED;
}

/* --- lines: a PDU each ---------------------------------------------------------------------------------------- */

/* Appends what a line becomes, without its end; false when it is an error. */
typedef bool line_fn(struct view line, struct buf *to);

static bool line_to_json(struct view line, struct buf *to)
{
	struct app_hex hex = {0};
	struct buf octets = BUF(LIMIT_PDU_LINE_BYTES);
	size_t bad = line.n;
	bool ok = app_hex_read(&hex, line, &octets, &bad) && hex.half == 0 && octets.n > 0;
	if (ok)
		app_pdu_to_json(buf_view(&octets), to);
	else
		app_pdu_error_json("hex", bad, "it is not hexadecimal digits in pairs", to);
	buf_free(&octets);
	return true;
}

static bool line_to_hex(struct view line, struct buf *to)
{
	struct buf octets = BUF(LIMIT_PDU_BYTES);
	bool ok = app_pdu_from_json(line, &octets);
	if (ok) {
		uint8_t *hex = buf_room(to, 2 * octets.n + 1);
		hex_encode(octets.p, octets.n, (char *)hex);
		to->n += 2 * octets.n;
	} else {
		buf_add_view(to, buf_view(&octets));
	}
	buf_free(&octets);
	return ok;
}

struct lines {
	line_fn *turn;
	struct buf in;  /* the beginning of a line */
	struct buf out; /* what one line became */
	bool skipping;  /* the rest of a line that was too long */
	bool faulty;
};

static void end_line(struct lines *l)
{
	if (!l->skipping) {
		struct view line = buf_view(&l->in);
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		buf_clear(&l->out);
		if (!l->turn(line, &l->out))
			l->faulty = true;
		buf_add_u8(&l->out, '\n');
		fwrite(l->out.p, 1, l->out.n, stdout);
	}
	l->skipping = false;
	buf_clear(&l->in);
}

static void add_to_line(struct lines *l, struct view piece)
{
	if (l->skipping || buf_add_view(&l->in, piece))
		return;
	buf_clear(&l->out);
	app_pdu_error_json("line", LIMIT_PDU_LINE_BYTES, "the line is too long", &l->out);
	buf_add_u8(&l->out, '\n');
	fwrite(l->out.p, 1, l->out.n, stdout);
	l->skipping = true;
	l->faulty |= l->turn == line_to_hex;
}

static void take_lines(struct lines *l, struct view text)
{
	const uint8_t *end;
	while (text.n && (end = memchr(text.p, '\n', text.n))) {
		size_t n = (size_t)(end - text.p);
		add_to_line(l, view_of(text.p, n));
		end_line(l);
		text = view_of(end + 1, text.n - n - 1);
	}
	add_to_line(l, text);
}

static int turn_lines(line_fn *turn, const char *given)
{
	static uint8_t chunk[CHUNK_BYTES];
	struct lines l = {.turn = turn, .in = BUF(LIMIT_PDU_LINE_BYTES), .out = BUF(4 * LIMIT_PDU_LINE_BYTES)};
	ssize_t n = 0;
	if (strcmp(given, "-") != 0)
		take_lines(&l, view_str(given));
	else
		while ((n = read_chunk(chunk)) > 0)
			take_lines(&l, view_of(chunk, (size_t)n));
	if (l.in.n || l.skipping)
		end_line(&l);
	buf_free(&l.in);
	buf_free(&l.out);
	return n == 0 && !l.faulty ? EXIT_OK : EXIT_FAILED;
}

int command_pdu(int argc, char **argv)
{
	static const char *words[ARGUMENTS];
	struct pages pages = {0};
	bool encode = false;
	const char *alphabet = text_alphabet_name(ALPHABET_GSM7);
	const struct option_row rows[] = {{"json", NULL, &pages.json},
	                                  {"encode", NULL, &encode},
	                                  {"masked", NULL, &pages.masked},
	                                  {"alphabet", &alphabet, NULL},
	                                  {0}};
	int count = options_parse(argc, argv, rows, words, ARGUMENTS);
	if (count < 0)
		return EXIT_USAGE;
	if (count == 0)
		return usage_error("which PDU? Give it in hexadecimal, or - for standard input");
	if (!text_alphabet_find(view_str(alphabet), &pages.alphabet))
		return usage_error("--alphabet is gsm7, gsm7_packed, latin1 or ascii");
	if (encode ? pages.json || pages.masked || count > 1 : pages.json && pages.masked)
		return usage_error("%s",
		                   encode ? "--encode takes one object, or - for standard input, and no other option"
		                          : "--masked is for pages, not for --json");
	int result = encode                                     ? turn_lines(line_to_hex, words[0])
	             : pages.json && strcmp(words[0], "-") == 0 ? turn_lines(line_to_json, "-")
	                                                        : print_all(&pages, words, count);
	if (fflush(stdout) != 0 || ferror(stdout))
		return failure("cannot write the output: %s", strerror(errno));
	return result;
}
