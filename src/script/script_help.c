#include "script_help.h"

#include "script_parse.h"

static const char head[] =
        "# Scripts of the simulated carrier\n"
        "\n"
        "`smsbridge smsc --script FILE` is an SMPP message centre that misbehaves as a script says, the same way "
        "again\n"
        "for the same seed. It needs nothing of smsbridge: point any ESME at it.\n"
        "\n"
        "```\n"
        "seed 42                                              # printed at the end; another one when left out\n"
        "when submit rate 5% status RTHROTTLED                # each submit, one in twenty\n"
        "when submit to 1212555* every 7 drop                 # each seventh to there: taken, never answered\n"
        "when submit delay 5ms*9 ~400ms*1                     # nine in ten quick, the tenth slow\n"
        "when receipt state DELIVRD*95 UNDELIV*5 error 001    # values may be several, with weights\n"
        "when receipt rate 10% twice after 50ms..2s\n"
        "phase storm 30s                                      # what follows holds in this phase only\n"
        "every 5s..10s close                                  # one bound connection, drawn\n"
        "at 20s unbind\n"
        "phase calm                                           # no length: to the end\n"
        "```\n"
        "\n"
        "## Grammar\n"
        "\n"
        "```\n"
        "script    = { line NEWLINE }\n"
        "line      = [ seed | phase | when | at | every ] [ \"#\" anything ]\n"
        "seed      = \"seed\" NUMBER\n"
        "phase     = \"phase\" NAME [ TIME ]\n"
        "when      = \"when\" EVENT { CONDITION value } fault\n"
        "at        = \"at\" SPAN fault\n"
        "every     = \"every\" SPAN fault\n"
        "fault     = FAULT [ values ] { KEY values }\n"
        "values    = weighed { weighed }                      # one is drawn each time\n"
        "weighed   = value [ \"*\" WEIGHT ]                     # STOP*3, \"Yes, I will\"*10\n"
        "```\n"
        "\n"
        "Words are separated by blanks. All rules that fit an event happen together; of two rules with the same fault, "
        "or\n"
        "with faults of the same group, the first that fits happens. Rules before the first phase hold always. The "
        "clock\n"
        "of phases, `at` and `every` starts with the first bind; in a phase it starts with the phase. Options of the\n"
        "command line are rules before the first line.\n"
        "\n"
        "What a rule draws depends on the seed, on the rule's place in the script and on how many events it has seen, "
        "and\n"
        "on nothing else: the same submits in the same order meet the same faults.\n";

static void events(struct buf *to)
{
	buf_add_str(to, "\n## Events\n\n");
	for (int i = 0; i < SCRIPT_EVENT_COUNT; i++) {
		const struct script_named_row *row = script_event_row((enum script_event)i);
		buf_printf(to, "- `%s`: %s\n", row->name, row->sentence);
	}
}

static void conditions(struct buf *to)
{
	buf_add_str(to, "\n## Conditions\n\nAll must hold.\n\n");
	for (int i = 0; i < SCRIPT_CONDITION_COUNT; i++) {
		const struct script_named_row *row = script_condition_row((enum script_condition)i);
		buf_printf(to, "- `%s` %s: %s\n", row->name, script_type_row(row->type)->name, row->sentence);
	}
}

static void fault_events(unsigned bits, struct buf *to)
{
	const char *comma = "";
	for (int i = 0; i < SCRIPT_EVENT_COUNT; i++)
		if (bits >> i & 1) {
			buf_printf(to, "%s%s", comma, script_event_row((enum script_event)i)->name);
			comma = ", ";
		}
}

static void fault_args(enum script_fault f, struct buf *to)
{
	const struct script_arg_row *arg;
	for (unsigned i = 0; (arg = script_fault_arg(f, i)); i++) {
		buf_printf(to, "  - %s%s%s%s: %s", arg->key[0] ? "`" : "", arg->key, arg->key[0] ? "` " : "",
		           script_type_row(arg->type)->name, arg->sentence);
		if (arg->initial[0] && arg->initial[0] != '-')
			buf_printf(to, " (%s when left out)", arg->initial);
		buf_add_str(to, "\n");
	}
}

static void faults(struct buf *to)
{
	static const char *const groups[] = {"", "fate", "end", "segments"};
	buf_add_str(to, "\n## Faults\n\n");
	for (int i = 0; i < SCRIPT_FAULT_COUNT; i++) {
		const struct script_fault_row *row = script_fault_row((enum script_fault)i);
		buf_printf(to, "- `%s` at ", row->name);
		fault_events(row->events, to);
		if (row->group != SCRIPT_GROUP_NONE)
			buf_printf(to, "; group %s", groups[row->group]);
		buf_printf(to, ". %s\n", row->sentence);
		fault_args((enum script_fault)i, to);
	}
}

static void values(struct buf *to)
{
	buf_add_str(to, "\n## Values\n\n");
	for (int i = SCRIPT_TYPE_NONE + 1; i < SCRIPT_TYPES; i++) {
		const struct script_named_row *row = script_type_row((enum script_type)i);
		buf_printf(to, "- %s (`%s`): %s\n", row->name, row->form, row->sentence);
		for (int w = 0; w < SCRIPT_WORD_COUNT; w++) {
			const struct script_named_row *word = script_word_row((enum script_word)w);
			if ((int)word->type == i)
				buf_printf(to, "  - `%s`: %s\n", word->name, word->sentence);
		}
	}
}

static void formats(struct buf *to)
{
	buf_add_str(to, "\n## Forms of receipts\n\n");
	for (int i = 0; i < SCRIPT_FORMAT_COUNT; i++) {
		const struct script_named_row *row = script_format_row((enum script_format)i);
		buf_printf(to, "- `%s`: %s\n", row->name, row->sentence);
	}
}

static const char tail[] =
        "\n## What is told\n"
        "\n"
        "With `--log FILE` a JSON line for each PDU, fault and connection; `ms` counts from the start, `peer` numbers "
        "the\n"
        "connections.\n"
        "\n"
        "```\n"
        "{\"ms\":13,\"peer\":1,\"in\":\"submit_sm\",\"sequence\":2,\"status\":0,\"from\":\"..\",\"to\":\"..\",\"esm_"
        "class\":0,\"text\":\"..\"}\n"
        "{\"ms\":13,\"peer\":1,\"fault\":\"delay\",\"line\":7,\"sequence\":2}\n"
        "{\"ms\":13,\"peer\":1,\"event\":\"verdict\",\"sequence\":2,\"taken\":true,\"status\":0}\n"
        "{\"ms\":18,\"peer\":1,\"out\":\"submit_sm_resp\",\"sequence\":2,\"status\":0,\"message_id\":\"1800002a\"}\n"
        "{\"ms\":90,\"peer\":1,\"event\":\"closed\",\"reason\":\"peer_unbind\"}\n"
        "```\n"
        "\n"
        "`line` is the rule's in the script. A `verdict` says of a message whether it was taken, so that a phone gets "
        "it,\n"
        "and which status was decided; without `status` there is no answer. `out` has what was written, wrong lengths "
        "and\n"
        "all; what is no PDU is `\"octets\"` with their number.\n"
        "\n"
        "At the end (SIGTERM, SIGINT), and with `--stats MS` meanwhile, one JSON object on standard output: what was\n"
        "submitted, answered, delivered, the seed, and each fault by name with how often it was done. From SIGUSR1 on\n"
        "nothing more is decided; what was decided goes on, so that things come to rest.\n";

void script_help(struct buf *to)
{
	buf_add_str(to, head);
	events(to);
	conditions(to);
	faults(to);
	values(to);
	formats(to);
	buf_add_str(to, tail);
}
