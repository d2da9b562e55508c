/* Who touches patients' data through the API, by the routes' rows: noted when the key is believed, handed over when the
 * request is answered. What is known of the subject is what the request names: a message's id, a patient's reference,
 * a phone (of which only a hash is stored). */
#include "api_internal.h"

#include "base_utf8.h"

#include <jansson.h>
#include <string.h>

struct access_note {
	struct access_row row;
	enum touches touches;
	bool admitted;
	bool rows_known;
};

static enum access_action action_of(const struct http_route *route)
{
	if (strstr(route->path, ":preview"))
		return ACCESS_READ; /* it stores nothing */
	if (strcmp(route->method, "GET") != 0)
		return ACCESS_CHANGE;
	return strchr(route->path, '{') ? ACCESS_READ : ACCESS_LIST;
}

/* "[::1]:443" and "192.0.2.1:443" without their ports. */
static void address_of(const char *peer, char *to, size_t cap)
{
	const char *colon = strrchr(peer, ':');
	copy_view(to, cap, colon ? view_of(peer, (size_t)(colon - peer)) : view_str(peer));
}

void access_begin(struct http_exchange *x)
{
	const struct http_route *route = link_http_route(x);
	const struct api_route *row = route->own;
	struct access_note *note = pool_alloc(link_http_pool(x), sizeof(*note));
	*note = (struct access_note){
	        .touches = row ? row->touches : TOUCHES_NOTHING,
	        .row = {.action = action_of(route), .method = route->method, .route = route->path, .times = 1}};
	address_of(link_http_peer(x), note->row.from, sizeof(note->row.from));
	link_http_set_note(x, note);
}

void access_claimed(struct http_exchange *x, const char *key)
{
	struct access_note *note = link_http_note(x);
	/* Ids of keys are hexadecimal; what is not may be anything, a phone too. */
	if (strlen(key) == 16 && strspn(key, "0123456789abcdef") == 16)
		copy_str(note->row.principal, sizeof(note->row.principal), key);
}

struct view access_from(struct http_exchange *x)
{
	const struct access_note *note = link_http_note(x);
	return view_str(note->row.from);
}

/* Whose it is, and by which key: of a token its client's. */
static void take_caller(struct access_note *note, const struct api_caller *who)
{
	note->row.practice_id = who->practice_id;
	copy_str(note->row.principal, sizeof(note->row.principal), who->key);
	note->admitted = true;
}

static void take_body(struct access_row *row, struct view body)
{
	json_t *json = json_loadb((const char *)body.p, body.n, 0, NULL);
	const char *phone = json_string_value(json_object_get(json, "phone"));
	const char *patient = json_string_value(json_object_get(json, "patient"));
	if (phone)
		copy_view(row->phone, sizeof(row->phone), view_str(phone));
	if (patient && strlen(patient) < sizeof(row->patient))
		copy_view(row->patient, sizeof(row->patient), view_str(patient));
	json_decref(json);
}

static void take_subject(struct http_exchange *x, struct access_note *note)
{
	const struct http_request *r = link_http_request(x);
	struct access_row *row = &note->row;
	if (note->touches == TOUCHES_MESSAGE)
		row->has_message = uuid_parse(link_http_param(x), &row->message_id);
	if (note->touches == TOUCHES_PHONE && !http_query_get(r->query, "phone", row->phone, sizeof(row->phone)))
		take_body(row, r->body);
	if (note->touches == TOUCHES_PATIENT && !link_http_param_text(x, row->patient, sizeof(row->patient)))
		row->patient[0] = 0;
	if (row->action == ACCESS_LIST)
		http_query_get(r->query, "patient", row->patient, sizeof(row->patient));
	if (!utf8_valid(view_str(row->patient))) /* such a request is refused; its note must not be */
		row->patient[0] = 0;
	if (row->phone[strspn(row->phone, "+0123456789")])
		row->phone[0] = 0;
}

void access_refused(struct http_exchange *x, const struct api_caller *who)
{
	struct access_note *note = link_http_note(x);
	take_caller(note, who);
	if (note->touches != TOUCHES_NOTHING)
		take_subject(x, note);
}

bool access_admit(struct api *a, struct http_exchange *x, const struct api_caller *who)
{
	struct access_note *note = link_http_note(x);
	take_caller(note, who);
	if (note->touches == TOUCHES_NOTHING)
		return true;
	take_subject(x, note);
	if (!dispatch_access_full(a->config.dispatch))
		return true;
	api_unavailable(x, "busy", "What is shown must be noted, and too many notes wait; try again.");
	return false;
}

void access_rows(struct http_exchange *x, unsigned rows)
{
	struct access_note *note = link_http_note(x);
	note->row.rows = rows;
	note->rows_known = true;
}

void access_subject(struct http_exchange *x, const char *phone, const char *patient)
{
	struct access_note *note = link_http_note(x);
	copy_str(note->row.phone, sizeof(note->row.phone), phone);
	copy_str(note->row.patient, sizeof(note->row.patient), patient);
}

/* Of what touches no patient only what was refused: a scope that is missing, an id that may be another practice's. */
static bool worth_a_note(const struct access_note *note, int status)
{
	if (!note->admitted)
		return status == 401;
	return note->touches != TOUCHES_NOTHING || status == 401 || status == 403 ||
	       (status == 404 && strchr(note->row.route, '{'));
}

void api_answered(void *ctx, struct http_exchange *x, int status)
{
	struct api *a = ctx;
	struct access_note *note = link_http_note(x);
	if (!note || !worth_a_note(note, status))
		return;
	if (!note->admitted)
		note->row.action = ACCESS_LOGIN;
	if (!note->rows_known)
		note->row.rows = status < 300 ? 1 : 0;
	note->row.status = status;
	dispatch_access_add(a->config.dispatch, &note->row);
}
