/* From an appointment and the facts of its recipient to its reminders: which template makes each step's text, what the
 * text is, and when it goes (policy_plan). A text that cannot be made drops its step before the others are chosen, and
 * never the appointment: a visit that cannot be stored could not be moved either. */
#include "api_booking.h"

#include "policy_pack.h"
#include "policy_state.h"

#include <stdio.h>
#include <string.h>

struct step_text {
	enum reason reason; /* why there is none */
	const char *fault;  /* code of what is wrong with the text; "" */
	const char *variable;
	const json_t *template_;
	struct creation *made;
};

/* --- what the row and the facts say --------------------------------------------------------------------------------
 */

static struct view row_text(const json_t *row, const char *name)
{
	const json_t *v = json_object_get(row, name);
	return json_is_string(v) ? view_of(json_string_value(v), json_string_length(v)) : (struct view){0};
}

int64_t booking_starts_us(const struct booking *b)
{
	int64_t at_us = 0;
	(void)time_parse(row_text(b->row, "starts_at"), &at_us);
	return at_us;
}

static const struct zone *location_of(const struct booking *b)
{
	struct view name = row_text(b->row, "location_zone");
	return name.n ? dispatch_zone(b->api->config.dispatch, (const char *)name.p) : NULL;
}

static void take_zones(const struct booking *b, struct policy_facts *f)
{
	struct view names = row_text(b->row, "zones");
	for (size_t at = 0; at < names.n && f->zones < LIMIT_ZONES;) {
		char name[LIMIT_ZONE_NAME_BYTES];
		size_t n = strcspn((const char *)names.p + at, " ");
		copy_view(name, sizeof(name), view_of(names.p + at, n));
		const struct zone *zone = dispatch_zone(b->api->config.dispatch, name);
		if (!zone) { /* nothing may be known of one that is not: the claim says the same */
			f->zones = 0;
			return;
		}
		f->zone[f->zones++] = zone;
		at += n + 1;
	}
}

static void take_times(const json_t *list, struct plan_times *to)
{
	for (size_t i = 0; i < json_array_size(list) && to->count < PLAN_TIMES_MAX; i++)
		to->at_us[to->count++] = json_integer_value(json_array_get(list, i));
}

static const struct policy_rules *rules_of(const struct booking *b)
{
	struct policy_switch switches[PACK_COUNT];
	unsigned n = 0;
	const char *code;
	json_t *on;
	json_object_foreach(json_object_get(b->facts, "packs"), code,
	                    on) if (n < PACK_COUNT && policy_pack_parse(view_str(code)) != PACK_COUNT) switches[n++] =
	        (struct policy_switch){code, INT64_MIN, json_is_true(on)};
	return policy_pack_at(b->now_us, switches, n);
}

/* What goes to the patient already and will not be planned again: this visit's own texts are among the counted. */
static struct plan_visit visit_of(const struct booking *b)
{
	struct plan_visit v = {.now_us = b->now_us, .visit_us = booking_starts_us(b), .location = location_of(b)};
	v.confirmed = view_eq(row_text(b->row, "status"), VIEW("confirmed"));
	v.rules = rules_of(b);
	v.facts.practice_open_minute = (int)json_integer_value(json_object_get(b->facts, "open_minute"));
	v.facts.practice_close_minute = (int)json_integer_value(json_object_get(b->facts, "close_minute"));
	v.facts.household = json_is_true(json_object_get(b->facts, "household"));
	(void)policy_states_parse(row_text(b->row, "states"), &v.facts.states);
	take_zones(b, &v.facts);
	take_times(json_object_get(b->facts, "patient"), &v.patient);
	take_times(json_object_get(b->facts, "phone"), &v.phone);
	return v;
}

/* --- texts ---------------------------------------------------------------------------------------------------------
 */

struct built_in {
	char date[16], time[8];
	const char *day;
};

static struct built_in built_in_of(const struct booking *b, struct view language)
{
	static const char *const days[2][7] = {
	        {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"},
	        {"domingo", "lunes", "martes", "miercoles", "jueves", "viernes", "sabado"}};
	struct built_in v;
	struct civil c = policy_zone_local(location_of(b), floor_div(booking_starts_us(b), SECOND_US));
	snprintf(v.date, sizeof(v.date), "%04d-%02d-%02d", c.year % 10000, c.month % 100, c.day % 100);
	snprintf(v.time, sizeof(v.time), "%02d:%02d", c.hour % 100, c.minute % 100);
	v.day = days[view_eq(language, VIEW("es"))][time_weekday(time_days(c.year, c.month, c.day))];
	return v;
}

/* The value of a variable: the practice's, or what the visit says. p NULL when neither has one. */
static struct view value_of(const struct booking *b, const struct template_variable *variable, const struct built_in *v)
{
	struct view given = row_text(json_object_get(b->row, "variables"), variable->name);
	if (given.p)
		return given;
	if (strcmp(variable->name, "date") == 0)
		return view_str(v->date);
	if (strcmp(variable->name, "time") == 0)
		return view_str(v->time);
	if (strcmp(variable->name, "day") == 0)
		return view_str(variable->type == TEMPLATE_date ? v->date : v->day);
	return (struct view){0};
}

static bool render(const struct booking *b, struct step_text *s, struct buf *to)
{
	struct text_template t = {.body = row_text(s->template_, "body"),
	                          .language = row_text(s->template_, "language")};
	struct template_value values[TEMPLATE_VARIABLES_MAX];
	struct template_practice own = lint_template_practice(&b->who.lint);
	struct template_report report;
	const struct built_in v = built_in_of(b, t.language);
	unsigned n = 0;
	template_variables_read(json_object_get(s->template_, "variables"), &t);
	for (unsigned i = 0; i < t.variables && i < TEMPLATE_VARIABLES_MAX; i++) {
		struct view value = value_of(b, &t.variable[i], &v);
		if (value.p)
			values[n++] = (struct template_value){view_str(t.variable[i].name), value};
	}
	if (text_template_render(&t, &own, values, n, to, &report))
		return true;
	s->reason = REASON_dropped_variable;
	s->fault = text_template_fault_code(report.fault);
	s->variable = pool_copy(link_http_pool(b->x), view_str(report.name));
	return false;
}

/* The text, judged as that of any message. */
static void make_text(const struct booking *b, struct step_text *s)
{
	struct buf text = BUF(LIMIT_BODY_BYTES);
	struct template_used *used = pool_alloc(link_http_pool(b->x), sizeof(*used));
	struct creation *c = pool_alloc(link_http_pool(b->x), sizeof(*c));
	const enum category category = policy_category_parse(row_text(s->template_, "category"));
	if (render(b, s, &text)) {
		*used = (struct template_used){.category = category,
		                               .body = view_str(pool_copy(link_http_pool(b->x), buf_view(&text)))};
		*c = (struct creation){.api = b->api, .x = b->x, .who = b->who, .used = used};
		c->json = b->row; /* has no body */
		c->draft.category = policy_category_code(category);
		creation_take_body(c);
		s->made = c;
		if (c->errors) {
			s->reason = REASON_dropped_text;
			s->fault = c->error[0].code;
		}
	}
	buf_free(&text);
}

static struct step_text text_of_step(const struct booking *b, struct plan_entry *entry)
{
	struct step_text s = {.fault = "", .variable = ""};
	s.template_ = json_object_get(json_object_get(b->facts, "templates"), entry->template_);
	if (!s.template_) {
		s.reason = REASON_dropped_template;
		return s;
	}
	entry->step.category = policy_category_parse(row_text(s.template_, "category"));
	make_text(b, &s);
	return s;
}

/* --- reminders -----------------------------------------------------------------------------------------------------
 */

static json_t *message_json(struct booking *b, const struct step_text *s)
{
	char id[UUID_TEXT_BYTES];
	const struct draft *m = &s->made->draft;
	struct uuid made = uuid_make(&b->api->ids, b->now_us);
	json_t *o = json_object();
	json_object_set_new(o, "id", json_string(uuid_format(&made, id)));
	json_object_set_new(o, "body", json_stringn((const char *)m->body.p, m->body.n));
	json_object_set_new(o, "encoding", json_string(m->encoding));
	json_object_set_new(o, "characters", json_integer(m->characters));
	json_object_set_new(o, "segments", json_integer(m->segments));
	json_object_set_new(o, "category", json_string(m->category));
	json_object_set(o, "template_id", json_object_get(s->template_, "id"));
	json_object_set(o, "template_version", json_object_get(s->template_, "version"));
	struct view trace = link_http_given_trace(b->x);
	if (trace.n)
		json_object_set_new(o, "trace", json_stringn((const char *)trace.p, trace.n));
	return o;
}

/* s NULL: the patient has it already. */
static void add_reminder(struct booking *b, const struct plan_entry *e, const struct step_text *s,
                         const struct plan_choice *c)
{
	char due[TIME_TEXT_BYTES];
	json_t *o = json_object();
	json_object_set_new(o, "step", json_string(e->name));
	json_object_set_new(o, "skip", json_boolean(e->step.skip_confirmed));
	json_object_set_new(o, "due_at", json_string(time_format(c->due_us, due)));
	if (s && c->reason == REASON_none)
		json_object_set_new(o, "message", message_json(b, s));
	else if (s)
		json_object_set_new(o, "reason", json_string(policy_reason_code(c->reason)));
	if (s && *s->fault)
		json_object_set_new(o, "fault", json_string(s->fault));
	if (s && *s->variable)
		json_object_set_new(o, "variable", json_string(s->variable));
	json_array_append_new(b->reminders, o);
}

/* Whether the patient has the step's text for this time of the visit, so that it counts among what was sent and is not
 * planned again. */
static bool texted(const struct booking *b, const char *step)
{
	size_t i;
	json_t *own;
	json_array_foreach(json_object_get(b->facts, "own"), i, own)
	{
		int64_t visit_us = 0;
		(void)time_parse(row_text(own, "visit_at"), &visit_us);
		if (visit_us == booking_starts_us(b) && view_eq(row_text(own, "step"), view_str(step)) &&
		    json_is_true(json_object_get(own, "texted")))
			return true;
	}
	return false;
}

/* Only the steps that have a text take part in the choice. */
static void choose(struct booking *b, struct plan_entry *entries, unsigned count)
{
	const struct plan_visit v = visit_of(b);
	struct step_text texts[LIMIT_PLAN_STEPS];
	struct plan_step steps[LIMIT_PLAN_STEPS];
	struct plan_choice choices[LIMIT_PLAN_STEPS], chosen[LIMIT_PLAN_STEPS];
	unsigned index[LIMIT_PLAN_STEPS], n = 0;
	for (unsigned i = 0; i < count; i++) {
		texts[i] = text_of_step(b, &entries[i]);
		choices[i] = (struct plan_choice){policy_plan_nominal(&entries[i].step, v.visit_us, v.location),
		                                  texts[i].reason};
		if (texts[i].reason || texted(b, entries[i].name))
			continue;
		steps[n] = entries[i].step;
		index[n++] = i;
	}
	policy_plan(&v, steps, n, chosen);
	for (unsigned i = 0; i < n; i++)
		choices[index[i]] = chosen[i];
	for (unsigned i = 0; i < count; i++)
		add_reminder(b, &entries[i], texted(b, entries[i].name) ? NULL : &texts[i], &choices[i]);
}

/* Whether the patient said of this time that it will not be kept, and nobody spoke with the patient since. */
static bool declined(const struct booking *b)
{
	const json_t *old = json_object_get(b->facts, "appointment");
	const json_t *answer = json_object_get(b->row, "answer"); /* of a status that staff set */
	return json_integer_value(json_object_get(b->facts, "starts_us")) == booking_starts_us(b) &&
	       json_is_string(json_object_get(old, "declined_at")) && (!answer || json_string_length(answer) > 0);
}

static bool stands(const struct booking *b)
{
	struct view status = row_text(b->row, "status");
	return (view_eq(status, VIEW("booked")) || view_eq(status, VIEW("confirmed"))) &&
	       booking_starts_us(b) > b->now_us && !declined(b);
}

void booking_plan(struct booking *b)
{
	struct plan_entry entries[LIMIT_PLAN_STEPS];
	struct faults ignored = {.pool = link_http_pool(b->x)}; /* it was checked when it was saved */
	const json_t *plan = json_object_get(b->facts, "plan");
	json_decref(b->reminders);
	b->reminders = json_array();
	json_object_set(b->row, "plan_kind", json_is_object(plan) ? json_object_get(plan, "kind") : json_null());
	json_object_set(b->row, "plan_version", json_is_object(plan) ? json_object_get(plan, "version") : json_null());
	json_object_set(b->row, "plan_stamp", json_object_get(b->facts, "stamp"));
	if (!json_is_object(plan) || !stands(b) || !location_of(b))
		return;
	unsigned count = plan_read(json_object_get(plan, "steps"), &ignored, entries);
	if (ignored.count == 0)
		choose(b, entries, count);
}
