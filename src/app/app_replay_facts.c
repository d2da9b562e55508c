/* A verdict event's JSON back into facts, by the rows that wrote it (dispatch_facts.h). */
#include "app_replay.h"

#include "dispatch_facts.h"
#include "policy_state.h"

#include <string.h>

static struct view text_of(const json_t *v)
{
	return json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
}

static int64_t time_of(const json_t *v)
{
	int64_t at_us = 0;
	if (view_eq(text_of(v), VIEW("never")))
		return TIME_NEVER;
	return time_parse(text_of(v), &at_us) ? at_us : 0;
}

static void read_sends(const json_t *v, struct policy_sends *s)
{
	s->count = 0;
	for (size_t i = 0; i < json_array_size(v) && s->count < POLICY_SENDS_MAX; i++)
		s->at_us[s->count++] = time_of(json_array_get(v, i));
}

static void read_fact(const json_t *v, const struct fact_row *row, struct policy_facts *facts)
{
	void *p = (char *)facts + row->offset;
	switch (row->kind) {
	case FACT_BOOL:
		*(bool *)p = json_is_true(v);
		break;
	case FACT_INT:
		*(int *)p = (int)json_integer_value(v);
		break;
	case FACT_COUNT:
		*(unsigned *)p = (unsigned)json_integer_value(v);
		break;
	case FACT_TIME:
		*(int64_t *)p = time_of(v);
		break;
	case FACT_REASON:
		*(enum reason *)p = policy_reason_parse(text_of(v));
		break;
	case FACT_BASIS:
		*(enum basis *)p = policy_basis_parse(text_of(v));
		break;
	case FACT_UUID:
		(void)uuid_parse(text_of(v), p); /* zeros when it stands for none */
		break;
	case FACT_SENDS:
		read_sends(v, p);
		break;
	}
}

static void read_rows(const json_t *from, const struct fact_row *row, struct policy_facts *facts)
{
	for (; row->name; row++)
		read_fact(json_object_get(from, row->name), row, facts);
}

/* False when the tzdata at hand lacks a zone. */
static bool read_zones(json_t *local, struct zone_cache *zones, struct policy_facts *facts)
{
	const char *name;
	json_t *unused;
	json_object_foreach(local, name, unused)
	{
		const struct zone *zone = zone_cache_get(zones, name);
		if (!zone || facts->zones == LIMIT_ZONES)
			return false;
		facts->zone[facts->zones++] = zone;
	}
	return true;
}

/* "/" and a category each, as the claim had them. */
static void read_opt_outs(const json_t *list, struct buf *to)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		buf_add_u8(to, '/');
		buf_add_view(to, text_of(json_array_get(list, i)));
	}
}

bool replay_read(json_t *data, const struct policy_rules *rules, struct zone_cache *zones, struct policy_facts *facts)
{
	struct buf opt_outs = BUF(4096);
	json_t *category = json_object_get(data, "category");
	*facts = (struct policy_facts){.category = policy_category_parse(text_of(category))};
	read_rows(json_object_get(data, "consent"), dispatch_consent_rows, facts);
	read_rows(data, dispatch_fact_rows, facts);
	(void)policy_states_parse(text_of(json_object_get(data, "states")), &facts->states);
	read_opt_outs(json_object_get(data, "opt_outs"), &opt_outs);
	const char *code = json_string_value(category);
	facts->opted_out = dispatch_opted_out(rules, buf_cstr(&opt_outs), code ? code : "");
	buf_free(&opt_outs);
	return read_zones(json_object_get(data, "local"), zones, facts);
}
