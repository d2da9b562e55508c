#include "api_template.h"

#include "base_limits.h"
#include "text_shape.h"

#include <stdio.h>
#include <string.h>

/* A text member; empty when it is missing or no string, with a fault. */
static struct view text_of(struct faults *f, const json_t *json, const char *name, const char *pointer, bool required)
{
	const json_t *v = json_object_get(json, name);
	if (json_is_string(v))
		return view_of(json_string_value(v), json_string_length(v));
	if (v && !json_is_null(v))
		fault_add(f, pointer, "not_a_string", "This field takes a string.");
	else if (required)
		fault_add(f, pointer, "required", "This field is required.");
	return (struct view){0};
}

static bool printable(struct view v)
{
	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] < 0x20 || v.p[i] == 0x7f)
			return false;
	return v.n > 0;
}

struct view template_person_read(struct faults *f, const json_t *json)
{
	struct view person = view_trim(text_of(f, json, "person", "/person", true));
	if (person.p && (person.n > TEMPLATE_PERSON_MAX || !printable(person)))
		fault_add(f, "/person", "bad_person", "Give the name of a person, 1 to 128 printable octets.");
	return person;
}

static void take_name(struct template_draft *d, const json_t *json)
{
	d->name = text_of(&d->faults, json, "name", "/name", true);
	if (d->name.p && (d->name.n == 0 || d->name.n > TEMPLATE_NAME_MAX ||
	                  strspn((const char *)d->name.p, "abcdefghijklmnopqrstuvwxyz0123456789_-") != d->name.n))
		fault_add(&d->faults, "/name", "bad_template_name",
		          "Give 1 to 64 small letters, digits, underscores and hyphens.");
}

static void take_category(struct template_draft *d, const json_t *json)
{
	struct view v = text_of(&d->faults, json, "category", "/category", true);
	d->category = policy_category_parse(v);
	if (v.p && (d->category == CATEGORY_COUNT || !(policy_category_flags(d->category) & CATEGORY_API)))
		fault_add(&d->faults, "/category", "category_unknown", "Give one of the categories in /openapi.json.");
	if (!v.p || d->category == CATEGORY_COUNT)
		d->category = CATEGORY_appointment_reminder; /* only so that the rest can be judged too */
}

static void take_body(struct template_draft *d, const json_t *json)
{
	struct text_changes changes;
	struct buf text = BUF(LIMIT_BODY_BYTES * 2);
	struct view v = text_of(&d->faults, json, "body", "/body", true);
	if (v.n > LIMIT_BODY_BYTES)
		fault_add(&d->faults, "/body", "body_too_long", "The text is far longer than one text message.");
	else
		text_normalise(v, &text, &changes);
	d->t.body = view_str(pool_copy(d->faults.pool, buf_view(&text)));
	buf_free(&text);
}

void template_variables_read(const json_t *variables, struct text_template *t)
{
	const char *name;
	json_t *value;
	t->variables = 0;
	json_object_foreach((json_t *)variables, name, value)
	{
		struct template_variable v = {.type = TEMPLATE_TYPES};
		const json_t *type = json_is_string(value) ? value : json_object_get(value, "type");
		const json_t *max = json_object_get(value, "max");
		copy_str(v.name, sizeof(v.name), strlen(name) < sizeof(v.name) ? name : "");
		if (json_is_string(type))
			v.type = text_template_type(view_of(json_string_value(type), json_string_length(type)));
		v.max = max ? 0 : text_template_usual(v.type); /* 0 is told as a fault */
		if (json_is_integer(max) && json_integer_value(max) > 0 &&
		    json_integer_value(max) <= LIMIT_GSM7_SEPTETS)
			v.max = (unsigned)json_integer_value(max);
		if (t->variables < TEMPLATE_VARIABLES_MAX)
			t->variable[t->variables] = v;
		t->variables++;
	}
}

static const char *variables_write(struct pool *pool, const struct text_template *t)
{
	struct buf b = BUF(2048);
	buf_add_u8(&b, '{');
	for (unsigned i = 0; i < t->variables && i < TEMPLATE_VARIABLES_MAX; i++)
		buf_printf(&b, "%s\"%s\":{\"type\":\"%s\",\"max\":%u}", i ? "," : "", t->variable[i].name,
		           text_template_type_name(t->variable[i].type), t->variable[i].max);
	buf_add_u8(&b, '}');
	const char *text = pool_copy(pool, buf_view(&b));
	buf_free(&b);
	return text;
}

static void take_variables(struct template_draft *d, const json_t *json)
{
	const json_t *v = json_object_get(json, "variables");
	if (v && !json_is_null(v) && !json_is_object(v))
		fault_add(&d->faults, "/variables", "not_an_object", "This field takes an object.");
	template_variables_read(v, &d->t);
}

static void check_unknown(struct template_draft *d, const json_t *json)
{
	static const char *const known[] = {"name", "language", "category", "body", "variables", "person"};
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)json, name, value)
	{
		bool found = false;
		for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
			found = found || strcmp(name, known[i]) == 0;
		if (!found)
			fault_add(&d->faults, "", "unknown_field", "There is no such field.");
	}
}

void template_fault_add(struct faults *f, const struct template_report *r)
{
	char pointer[64], detail[300];
	bool named = strspn(r->name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(r->name) && *r->name;
	snprintf(pointer, sizeof(pointer), "%s%s",
	         named                                      ? "/variables/"
	         : r->fault == TEMPLATE_FAULT_value_unknown ? "/variables"
	         : r->fault == TEMPLATE_FAULT_language      ? "/language"
	                                                    : "/body",
	         named ? r->name : "");
	snprintf(detail, sizeof(detail), "%s", text_template_fault_sentence(r->fault));
	if (r->fault == TEMPLATE_FAULT_too_long)
		snprintf(detail, sizeof(detail), "%s It may take %u.", text_template_fault_sentence(r->fault),
		         r->septets);
	fault_add(f, pool_copy_str(f->pool, pointer), text_template_fault_code(r->fault),
	          pool_copy_str(f->pool, detail));
}

bool template_draft_fields(struct template_draft *d, struct pool *pool, const json_t *json)
{
	d->faults.pool = pool;
	check_unknown(d, json);
	d->language = text_of(&d->faults, json, "language", "/language", false);
	d->t.language = d->language.p ? d->language : VIEW("en");
	if (!text_template_language(d->t.language))
		fault_add(&d->faults, "/language", "language", "Give en or es.");
	take_category(d, json);
	take_body(d, json);
	take_variables(d, json);
	return d->faults.count == 0;
}

bool template_draft_check(struct template_draft *d, const struct lint_practice *p, struct buf *longest)
{
	struct template_practice own = lint_template_practice(p);
	struct policy_lint_facts facts = lint_facts(p, d->category);
	if (!text_template_check(&d->t, &own, &d->report)) {
		template_fault_add(&d->faults, &d->report);
		return false;
	}
	d->variables = variables_write(d->faults.pool, &d->t);
	text_template_sample(&d->t, &own, longest);
	policy_lint(&facts, buf_view(longest), &d->findings);
	return true;
}

bool template_draft_read(struct template_draft *d, struct pool *pool, const json_t *json, const struct lint_practice *p)
{
	struct buf longest = BUF(LIMIT_BODY_BYTES * 4);
	d->faults.pool = pool;
	take_name(d, json);
	d->person = template_person_read(&d->faults, json);
	if (!json_is_string(json_object_get(json, "language")))
		fault_add(&d->faults, "/language", "required", "This field is required.");
	if (template_draft_fields(d, pool, json) && template_draft_check(d, p, &longest))
		fault_add_findings(&d->faults, &d->findings);
	buf_free(&longest);
	return d->faults.count == 0;
}
