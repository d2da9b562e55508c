/* The contract is the one source of what a request may have: each route's query parameters, and whether it takes a
 * body, are read from openapi.json when the gateway starts, and what it does not know is refused for all routes here.
 */
#include "api_internal.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 16 /* query parameters of a route; the contract is ours */

struct contract_route {
	const char *name[NAMES_MAX]; /* of json */
	unsigned names;
	bool known; /* the contract has it */
	bool takes_body;
};

struct contract {
	json_t *json;
	const struct http_route *first;
	struct contract_route *route; /* as api_routes gives them */
};

/* The parameter itself, where the list has a reference to components. */
static json_t *resolved(const struct contract *c, json_t *parameter)
{
	static const char prefix[] = "#/components/parameters/";
	const char *ref = json_string_value(json_object_get(parameter, "$ref"));
	if (!ref || strncmp(ref, prefix, sizeof(prefix) - 1) != 0)
		return parameter;
	json_t *all = json_object_get(json_object_get(c->json, "components"), "parameters");
	return json_object_get(all, ref + sizeof(prefix) - 1);
}

static void take_parameters(const struct contract *c, struct contract_route *to, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *parameter = resolved(c, json_array_get(list, i));
		const char *in = json_string_value(json_object_get(parameter, "in"));
		if (!in || strcmp(in, "query") != 0)
			continue;
		check(to->names < NAMES_MAX);
		to->name[to->names++] = json_string_value(json_object_get(parameter, "name"));
	}
}

static void take_route(const struct contract *c, const struct http_route *route, struct contract_route *to)
{
	char method[8] = "";
	for (size_t i = 0; route->method[i] && i < sizeof(method) - 1; i++)
		method[i] = (char)(route->method[i] | 0x20);
	json_t *path = json_object_get(json_object_get(c->json, "paths"), route->path);
	json_t *operation = json_object_get(path, method);
	to->known = operation != NULL;
	to->takes_body = json_object_get(operation, "requestBody") != NULL;
	take_parameters(c, to, json_object_get(path, "parameters"));
	take_parameters(c, to, json_object_get(operation, "parameters"));
}

struct contract *contract_new(const char *openapi)
{
	struct contract *c = mem_alloc(sizeof(*c));
	unsigned count;
	c->first = api_routes(&count);
	c->json = json_loads(openapi, 0, NULL);
	c->route = mem_alloc(count * sizeof(*c->route));
	for (unsigned i = 0; i < count; i++)
		take_route(c, &c->first[i], &c->route[i]);
	return c;
}

void contract_free(struct contract *c)
{
	json_decref(c->json);
	free(c->route);
	free(c);
}

static bool has_name(const struct contract_route *r, struct view name)
{
	for (unsigned i = 0; i < r->names; i++)
		if (view_eq(name, view_str(r->name[i])))
			return true;
	return false;
}

/* Every piece between the &s begins with a name that the route has. */
static bool names_known(const struct contract_route *r, struct view query)
{
	size_t from = 0;
	for (size_t i = 0; i <= query.n; i++) {
		if (i < query.n && query.p[i] != '&')
			continue;
		struct view piece = view_of(query.p + from, i - from);
		const uint8_t *equals = piece.n ? memchr(piece.p, '=', piece.n) : NULL;
		if (piece.n && !has_name(r, view_of(piece.p, equals ? (size_t)(equals - piece.p) : piece.n)))
			return false;
		from = i + 1;
	}
	return true;
}

/* Some clients send {} where nothing is asked for. */
static bool body_empty(struct view body)
{
	body = view_trim(body);
	return body.n == 0 || view_eq(body, VIEW("{}"));
}

bool contract_fits(struct api *a, struct http_exchange *x)
{
	const struct http_request *request = link_http_request(x);
	const struct contract_route *r = &a->contract->route[link_http_route(x) - a->contract->first];
	if (!r->known)
		return true;
	if (!names_known(r, request->query)) {
		api_problem(x, 400, "parameter_unknown", "There is a query parameter that this address does not have.");
		return false;
	}
	if (!r->takes_body && !body_empty(request->body)) {
		api_problem(x, 400, "body_unexpected", "This request takes no body.");
		return false;
	}
	return true;
}
