/* Facts on their way from the database into a verdict, and from there whole into its event: nothing of the body, no
 * phone. */
#include "dispatch_facts.h"

#include "dispatch_claim.h"
#include "policy_lint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FACTS_SINCE_US (9 * DAY_US)
#define LATEST_ZONE_US (14 * HOUR_US) /* east of it no place has a later date */

#define FACT(name, kind, member)                                                                                       \
	{                                                                                                              \
		name, FACT_##kind, offsetof(struct policy_facts, member)                                               \
	}

const struct fact_row dispatch_consent_rows[] = {
        FACT("basis", BASIS, consent.basis),
        FACT("attested", BOOL, consent.attested),
        FACT("stale", BOOL, consent.stale),
        FACT("id", UUID, consent.id),
        FACT("captured_at", TIME, consent.captured_us),
        {0},
};

const struct fact_row dispatch_fact_rows[] = {
        FACT("phone_sends", SENDS, phone),
        FACT("patient_sends", SENDS, patient),
        FACT("withdrawn", REASON, withdrawn),
        FACT("attempts", COUNT, attempts),
        FACT("expires_at", TIME, expires_at_us),
        FACT("send_at", TIME, send_at_us),
        FACT("practice_open_minute", INT, practice_open_minute),
        FACT("practice_close_minute", INT, practice_close_minute),
        FACT("phi", BOOL, phi),
        FACT("verified", BOOL, verified),
        FACT("risk_warned", BOOL, risk_warned),
        FACT("alternative", BOOL, alternative),
        FACT("household", BOOL, household),
        FACT("review_open", BOOL, review_open),
        FACT("conversation", BOOL, conversation),
        FACT("conversation_at", TIME, conversation_us),
        FACT("automatic", BOOL, automatic),
        FACT("answered", BOOL, answered),
        FACT("emergency_person", BOOL, emergency_person),
        FACT("emergency_two", BOOL, emergency_two),
        FACT("emergency_approved", BOOL, emergency_approved),
        FACT("content_refused", BOOL, content_refused),
        FACT("phone_flag", REASON, phone_flag),
        FACT("content_stopped", BOOL, content_stopped),
        FACT("hold", REASON, hold),
        FACT("hold_until", TIME, hold_until_us),
        {0},
};

bool dispatch_opted_out(const struct policy_rules *rules, const char *opt_outs, const char *category)
{
	for (const char *at = opt_outs; *at == '/';) {
		size_t n = strcspn(++at, "/");
		if (n == 0 || !rules || !rules->category_opt_out || view_eq(view_of(at, n), view_str(category)))
			return true;
		at += n;
	}
	return false;
}

/* --- from the database ---------------------------------------------------------------------------------------------
 */

static const char *day_text(int64_t local_s, char to[16])
{
	struct civil d = time_civil(local_s);
	snprintf(to, 16, "%04d-%02d-%02d", d.year % 10000, d.month % 100, d.day % 100);
	return to;
}

/* The latest date where the patient may be: a consent that ends on a day ends there first. */
static const char *latest_day(const struct claimed *m, int64_t now_us, char to[16])
{
	int64_t now_s = floor_div(now_us, SECOND_US);
	int64_t latest_s = m->facts.zones ? INT64_MIN : now_s + LATEST_ZONE_US / SECOND_US;
	for (unsigned i = 0; i < m->facts.zones; i++) {
		int64_t local_s = now_s + policy_zone_offset(m->facts.zone[i], now_s);
		latest_s = local_s > latest_s ? local_s : latest_s;
	}
	return day_text(latest_s, to);
}

static void add_message(struct store_params *ps, const struct claimed *m, int64_t now_us)
{
	char day[16];
	store_add_uuid(ps, 0, &m->practice_id);
	store_add_str(ps, 1, m->phone);
	store_add_str(ps, 2, m->patient);
	store_add_str(ps, 4, m->sender);
	store_add_int(ps, 5, (int64_t)policy_content_key(m->body));
	store_add_str(ps, 7, m->category_code);
	store_add_str(ps, 8, latest_day(m, now_us, day));
	if (uuid_is_zero(&m->answers))
		store_add_null(ps, 9);
	else
		store_add_uuid(ps, 9, &m->answers);
	store_add_uuid(ps, 10, &m->id);
}

void facts_params(const struct claimed *m, unsigned count, int64_t now_us, struct store_params *ps)
{
	store_params_clear(ps);
	store_array(ps, STORE_UUID);
	store_array(ps, STORE_TEXT);
	store_array(ps, STORE_TEXT);
	store_value_time(ps, now_us - FACTS_SINCE_US);
	store_array(ps, STORE_TEXT);
	store_array(ps, STORE_INT8);
	store_value_time(ps, now_us);
	store_array(ps, STORE_TEXT);
	store_array(ps, STORE_TEXT);
	store_array(ps, STORE_UUID);
	store_array(ps, STORE_UUID);
	for (unsigned i = 0; i < count; i++)
		add_message(ps, &m[i], now_us);
}

/* "{1,2,3}" */
static void parse_sends(struct view text, struct policy_sends *s)
{
	const char *at = (const char *)text.p + 1;
	s->count = 0;
	while (*at && *at != '}' && s->count < POLICY_SENDS_MAX) {
		char *end;
		s->at_us[s->count++] = strtoll(at, &end, 10);
		at = *end == ',' ? end + 1 : end;
	}
}

static enum reason flag_of(struct view kind)
{
	if (view_eq(kind, VIEW("dead")))
		return REASON_number_dead;
	return kind.n ? REASON_number_blocked : REASON_none;
}

/* The columns of claim_facts.sql. */
enum {
	C_OPT_OUTS,
	C_PHONE_SENDS,
	C_PATIENT_SENDS,
	C_FLAG,
	C_CONTENT,
	C_HOLDS,
	C_BASIS,
	C_CONSENT,
	C_CAPTURED,
	C_COUNTS,
	C_ATTESTED,
	C_STALE,
	C_OPEN,
	C_CLOSE,
	C_TWO,
	C_ALTERNATIVE,
	C_HOUSEHOLD,
	C_VERIFIED,
	C_WARNED,
	C_REVIEW,
	C_ANSWERED,
	C_ORDERED,
	C_APPROVED,
	C_NAME,
	C_DISPLAY_NAME,
	C_PHONE,
	C_URL,
	C_DOMAINS,
	C_SENSITIVE,
	C_PHI_WARNS,
	C_IDENTITY,
	C_WITHDRAWN,
	C_AUTOMATIC,
	C_TALKED
};

/* A record that counts, else the practice's word while there is no record and nobody has reported the phone, else that
 * there was one. */
static struct policy_consent read_consent(const struct store_rows *rows, unsigned i)
{
	struct policy_consent c = {0};
	enum basis basis = policy_basis_parse(store_rows_text(rows, i, C_BASIS));
	bool attested = !store_rows_null(rows, i, C_ATTESTED);
	bool stale = store_rows_bool(rows, i, C_STALE);
	if (basis != BASIS_NONE && store_rows_bool(rows, i, C_COUNTS))
		return (struct policy_consent){.basis = basis,
		                               .id = store_rows_uuid(rows, i, C_CONSENT),
		                               .captured_us = store_rows_int(rows, i, C_CAPTURED)};
	c.stale = basis != BASIS_NONE || (attested && stale);
	if (attested && !stale && basis == BASIS_NONE) { /* what a record says is newer than what was said of all */
		c.basis = BASIS_IMPLIED;
		c.attested = true;
		c.captured_us = store_rows_int(rows, i, C_ATTESTED);
	}
	return c;
}

static void read_recipient(const struct store_rows *rows, unsigned i, struct policy_facts *f)
{
	const struct {
		bool *fact;
		unsigned column;
	} flags[] = {
	        {&f->content_stopped, C_CONTENT},
	        {&f->emergency_two, C_TWO},
	        {&f->alternative, C_ALTERNATIVE},
	        {&f->household, C_HOUSEHOLD},
	        {&f->verified, C_VERIFIED},
	        {&f->risk_warned, C_WARNED},
	        {&f->review_open, C_REVIEW},
	        {&f->emergency_person, C_ORDERED},
	        {&f->emergency_approved, C_APPROVED},
	        {&f->automatic, C_AUTOMATIC},
	        {&f->answered, C_TALKED},
	};
	for (size_t k = 0; k < sizeof(flags) / sizeof(*flags); k++)
		*flags[k].fact = store_rows_bool(rows, i, flags[k].column);
}

/* The text as it would go, by the practice's settings as they are now; our own answers to keywords are ours, and of a
 * class as such (dispatch_preview.c) there is no text. */
static void lint(const struct store_rows *rows, unsigned i, struct pool *pool, struct claimed *m)
{
	struct lint_findings found;
	const struct policy_lint_facts by = {
	        .category = m->category,
	        .name = store_rows_text(rows, i, C_NAME),
	        .display_name = store_rows_text(rows, i, C_DISPLAY_NAME),
	        .phone = store_rows_text(rows, i, C_PHONE),
	        .url = store_rows_text(rows, i, C_URL),
	        .link_domains = store_rows_text(rows, i, C_DOMAINS),
	        .sensitive = store_rows_bool(rows, i, C_SENSITIVE),
	        .require_identity = store_rows_bool(rows, i, C_IDENTITY),
	        .phi_warns = store_rows_bool(rows, i, C_PHI_WARNS),
	};
	m->refused_by = "";
	if (!m->body.p || !(policy_category_flags(m->category) & CATEGORY_API) || policy_lint(&by, m->body, &found))
		return;
	struct buf codes = BUF(4096);
	for (unsigned k = 0; k < found.count; k++)
		if (found.finding[k].refuses)
			buf_printf(&codes, "%s\"%s\"", codes.n ? "," : "", policy_lint_code(found.finding[k].rule));
	m->refused_by = pool_copy(pool, buf_view(&codes));
	m->facts.content_refused = true;
	buf_free(&codes);
}

void facts_read(struct dispatch *d, const struct store_rows *rows, unsigned i, struct pool *pool, struct claimed *m)
{
	struct policy_facts *f = &m->facts;
	m->opt_outs = pool_copy(pool, store_rows_text(rows, i, C_OPT_OUTS));
	parse_sends(store_rows_text(rows, i, C_PHONE_SENDS), &f->phone);
	parse_sends(store_rows_text(rows, i, C_PATIENT_SENDS), &f->patient);
	f->phone_flag = flag_of(store_rows_text(rows, i, C_FLAG));
	m->held = hold_read(d, store_rows_text(rows, i, C_HOLDS), f);
	f->consent = read_consent(rows, i);
	f->practice_open_minute = (int)store_rows_int(rows, i, C_OPEN);
	f->practice_close_minute = (int)store_rows_int(rows, i, C_CLOSE);
	read_recipient(rows, i, f);
	lint(rows, i, pool, m);
	f->withdrawn = policy_reason_parse(store_rows_text(rows, i, C_WITHDRAWN));
	f->conversation = !store_rows_null(rows, i, C_ANSWERED);
	f->conversation_us = store_rows_int(rows, i, C_ANSWERED);
}

/* --- the verdict ---------------------------------------------------------------------------------------------------
 */

void facts_zones(struct dispatch *d, struct claimed *m)
{
	char name[LIMIT_ZONE_NAME_BYTES];
	m->facts.zones = 0;
	for (const char *at = m->zones; *at;) {
		size_t n = strcspn(at, " ");
		const struct zone *z = NULL;
		if (copy_view(name, sizeof(name), view_of(at, n)))
			z = dispatch_zone(d, name);
		if (!z || m->facts.zones == LIMIT_ZONES) {
			m->facts.zones = 0; /* one unreadable zone: nothing is known, so nothing goes */
			return;
		}
		m->facts.zone[m->facts.zones++] = z;
		at += n + (at[n] == ' ');
	}
}

const struct policy_rules *facts_rules(const struct store_rows *rows, struct pool *pool, int64_t now_us)
{
	struct policy_switch switches[PACK_COUNT];
	unsigned n = 0;
	for (unsigned i = 0; i < store_rows_count(rows) && n < PACK_COUNT; i++) {
		const char *pack = pool_copy(pool, store_rows_text(rows, i, 0));
		if (policy_pack_parse(view_str(pack)) != PACK_COUNT) /* one that this version does not know */
			switches[n++] = (struct policy_switch){pack, INT64_MIN, store_rows_bool(rows, i, 1)};
	}
	return policy_pack_at(now_us, switches, n);
}

void facts_judge(struct claimed *m, const struct policy_rules *rules, int64_t now_us)
{
	m->rules = rules;
	m->facts.opted_out = dispatch_opted_out(rules, m->opt_outs, m->category_code);
	m->judged = policy_decide(rules, &m->facts, now_us);
	m->verdict = m->judged;
}

/* --- into the event ------------------------------------------------------------------------------------------------
 */

static void add_sends(struct buf *to, const char *name, const struct policy_sends *s)
{
	char at[TIME_TEXT_BYTES];
	buf_printf(to, ",\"%s\":[", name);
	for (unsigned i = 0; i < s->count; i++)
		buf_printf(to, "%s\"%s\"", i ? "," : "", time_format(s->at_us[i], at));
	buf_add_u8(to, ']');
}

static void add_time(struct buf *to, const char *name, int64_t at_us)
{
	char at[TIME_TEXT_BYTES];
	if (at_us)
		buf_printf(to, ",\"%s\":\"%s\"", name, at_us == TIME_NEVER ? "never" : time_format(at_us, at));
}

static void add_fact(struct buf *to, const struct fact_row *row, const struct policy_facts *facts)
{
	const void *p = (const char *)facts + row->offset;
	char id[UUID_TEXT_BYTES];
	switch (row->kind) {
	case FACT_BOOL:
		if (*(const bool *)p)
			buf_printf(to, ",\"%s\":true", row->name);
		break;
	case FACT_INT:
		if (*(const int *)p)
			buf_printf(to, ",\"%s\":%d", row->name, *(const int *)p);
		break;
	case FACT_COUNT:
		buf_printf(to, ",\"%s\":%u", row->name, *(const unsigned *)p);
		break;
	case FACT_TIME:
		add_time(to, row->name, *(const int64_t *)p);
		break;
	case FACT_REASON:
		if (*(const enum reason *)p)
			buf_printf(to, ",\"%s\":\"%s\"", row->name, policy_reason_code(*(const enum reason *)p));
		break;
	case FACT_BASIS:
		buf_printf(to, "\"%s\":\"%s\"", row->name, policy_basis_name(*(const enum basis *)p));
		break;
	case FACT_UUID:
		if (!uuid_is_zero(p))
			buf_printf(to, ",\"%s\":\"%s\"", row->name, uuid_format(p, id));
		break;
	case FACT_SENDS:
		add_sends(to, row->name, p);
		break;
	}
}

static void add_local(const struct claimed *m, int64_t now_us, struct buf *to)
{
	buf_add_str(to, ",\"local\":{");
	for (unsigned i = 0; i < m->facts.zones; i++) {
		struct civil l = policy_zone_local(m->facts.zone[i], floor_div(now_us, SECOND_US));
		buf_printf(to, "%s\"%s\":\"%04d-%02d-%02dT%02d:%02d:%02d\"", i ? "," : "",
		           policy_zone_name(m->facts.zone[i]), l.year, l.month, l.day, l.hour, l.minute, l.second);
	}
	buf_add_u8(to, '}');
}

static void add_opt_outs(const char *opt_outs, struct buf *to)
{
	bool first = true;
	buf_add_str(to, ",\"opt_outs\":[");
	for (const char *at = opt_outs; *at == '/'; first = false) {
		size_t n = strcspn(++at, "/");
		buf_printf(to, "%s\"", first ? "" : ",");
		buf_add_json_text(to, view_of(at, n));
		buf_add_u8(to, '"');
		at += n;
	}
	buf_add_u8(to, ']');
}

/* What the rules said, and what a carrier's state made of it. */
static void add_verdict(const struct claimed *m, struct buf *to)
{
	const char *rule = m->verdict.reason ? policy_reason_rule(m->verdict.reason) : "";
	buf_printf(to, "{\"verdict\":\"%s\",\"pack\":\"%s\",\"category\":\"", policy_verdict_name(m->verdict.verdict),
	           m->rules ? m->rules->pack : "");
	buf_add_json_text(to, view_str(m->category_code));
	buf_add_u8(to, '"');
	if (*rule)
		buf_printf(to, ",\"rule\":\"%s\"", rule);
	if (m->judged.verdict != m->verdict.verdict || m->judged.reason != m->verdict.reason)
		buf_printf(to, ",\"judged\":\"%s\"", policy_verdict_name(m->judged.verdict));
	if (m->verdict.verdict == VERDICT_WAIT)
		add_time(to, "until", m->verdict.until_us);
	if (m->verdict.verdict == VERDICT_WAIT && m->due_us != m->verdict.until_us)
		add_time(to, "due_at", m->due_us);
	if (m->link)
		buf_printf(to, ",\"carrier\":\"%s\"", m->link->carrier->name);
}

void facts_write(const struct claimed *m, int64_t now_us, struct buf *to)
{
	buf_clear(to);
	add_verdict(m, to);
	if (*m->states)
		buf_printf(to, ",\"states\":\"%s\"", m->states);
	add_local(m, now_us, to);
	buf_printf(to, ",\"opted_out\":%s", m->facts.opted_out ? "true" : "false");
	if (*m->opt_outs)
		add_opt_outs(m->opt_outs, to);
	if (*m->refused_by)
		buf_printf(to, ",\"refused_by\":[%s]", m->refused_by);
	buf_add_str(to, ",\"consent\":{");
	for (const struct fact_row *row = dispatch_consent_rows; row->name; row++)
		add_fact(to, row, &m->facts);
	buf_add_u8(to, '}');
	for (const struct fact_row *row = dispatch_fact_rows; row->name; row++)
		add_fact(to, row, &m->facts);
	buf_add_u8(to, '}');
}
