/* What is looked at in an item before it is judged, and how its refusal is written. */
#include "api_upload.h"

#include "base_utf8.h"

#include <string.h>

/* Members of a recipient; the others of a message are the broadcast's. */
static const char *const of_recipient[] = {"patient", "phone",     "variables", "reference",
                                           "zip",     "time_zone", "state",     "phi"};

bool upload_complete_item(const struct upload_broadcast *b, json_t *item, const char **name_r)
{
	json_t *value;
	json_object_foreach(item, *name_r, value)
	{
		bool known = false;
		for (size_t i = 0; i < sizeof(of_recipient) / sizeof(*of_recipient); i++)
			known = known || strcmp(*name_r, of_recipient[i]) == 0;
		if (!known)
			return false;
	}
	json_object_set_new(item, "template", json_string(b->template_id));
	json_object_set_new(item, "language", json_string(b->language));
	json_object_set_new(item, "category", json_string(b->category));
	json_object_set_new(item, "expires_at", json_string(b->expires_at));
	json_object_set_new(item, "priority", json_string("low"));
	return true;
}

struct view upload_reference(const json_t *item)
{
	const json_t *v = json_object_get(item, "reference");
	struct view text = view_of(json_string_value(v), json_string_length(v));
	bool ok = json_is_string(v) && text.n > 0 && text.n <= LIMIT_REFERENCE_BYTES && utf8_valid(text);
	for (size_t i = 0; ok && i < text.n; i++)
		ok = text.p[i] >= 0x20 && text.p[i] != 0x7f;
	return ok ? text : (struct view){0};
}

struct view upload_errors(struct pool *pool, const struct http_problem_error *error, unsigned count)
{
	struct buf b = BUF(LIMIT_HTTP_BODY_BYTES);
	buf_add_u8(&b, '[');
	for (unsigned i = 0; i < count; i++) {
		buf_add_str(&b, i ? ",{\"pointer\":\"" : "{\"pointer\":\"");
		buf_add_json_text(&b, view_str(error[i].pointer));
		buf_printf(&b, "\",\"code\":\"%s\",\"detail\":\"", error[i].code);
		buf_add_json_text(&b, view_str(error[i].detail));
		buf_add_str(&b, "\"}");
	}
	buf_add_u8(&b, ']');
	struct view text = view_str(pool_copy(pool, buf_view(&b)));
	buf_free(&b);
	return text;
}
