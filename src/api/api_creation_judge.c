/* From JSON to a verdict, without a request: the same for a message of its own and for an item of a batch. */
#include "api_creation.h"

#include "api_patient.h"
#include "base_log.h"
#include "base_metric.h"

static void judge(struct creation *c)
{
	creation_take(c);
	if (c->category_flags & CATEGORY_EMERGENCY && !c->who.emergency)
		c->judged(c->judged_ctx, CREATION_SCOPE);
	else
		c->judged(c->judged_ctx, c->errors ? CREATION_FAULTY : CREATION_FINE);
}

static void used_cb(void *ctx, const struct template_used *used)
{
	struct creation *c = ctx;
	c->used = used;
	c->draft.template_id = used->id;
	c->draft.template_version = used->version;
	if (used->unread)
		c->judged(c->judged_ctx, CREATION_UNREAD);
	else
		judge(c);
}

static void make_text(struct creation *c)
{
	if (!json_is_string(json_object_get(c->json, "template")))
		judge(c);
	else if (!template_use(c->api, creation_pool(c), &c->who, c->json, used_cb, c))
		c->judged(c->judged_ctx, CREATION_BUSY);
}

static void filled_cb(void *ctx, bool read)
{
	struct creation *c = ctx;
	if (read)
		make_text(c);
	else
		c->judged(c->judged_ctx, CREATION_UNREAD);
}

/* A message that names its phone is not looked up. */
void creation_judge(struct creation *c, creation_judged_cb cb, void *ctx)
{
	c->judged = cb;
	c->judged_ctx = ctx;
	if (!patient_fill_wanted(c->json))
		make_text(c);
	else if (!patient_fill(c->api, creation_pool(c), &c->who, c->json, filled_cb, c))
		cb(ctx, CREATION_BUSY);
}

struct draft *creation_draft(struct creation *c)
{
	struct draft *m = &c->draft;
	m->practice_id = c->who.practice_id;
	m->sender = view_str(c->who.sender);
	m->api_key = c->who.key;
	m->id = uuid_make(&c->api->ids, c->now_us);
	return m;
}

void creation_tell_emergency(const struct creation *c, const char *trace)
{
	char practice[UUID_TEXT_BYTES];
	metric_add(METRIC_emergencies_total, 1, LABELS("requested"));
	log_event(LOG_WARNING, "emergency_requested", LOG_TEXT(practice, uuid_format(&c->who.practice_id, practice)),
	          LOG_TEXT(trace, trace), LOG_TEXT(warning, "a person ordered an emergency text"));
}
