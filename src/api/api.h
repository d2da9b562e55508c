/* The HTTP API: who may call (api_auth.c), messages (api_message.c, api_list.c), health and metrics (api_meta.c). */
#ifndef API_H
#define API_H

#include "api_lint.h"
#include "dispatch.h"
#include "link_http.h"

struct api;

struct api_config {
	struct loop *loop;
	struct dispatch *dispatch;
	const struct clock *clock;
	const char *openapi;         /* JSON text of proto/openapi.yaml */
	bool fictional_ok;           /* NPA-555-01XX numbers may be texted: every carrier is on loopback */
	int64_t requests_per_second; /* a practice; 0: no limit */
};

/* How clients get tokens; the texts live as long as the configuration. */
struct api_oauth {
	const char *public_url; /* "": assertions are not taken */
	int64_t token_lifetime_ms;
	const char *jwks_ca; /* "": the system's authorities */
	bool jwks_private_ok;
};

#define API_KEY_ID_BYTES 24
#define API_PERSON_BYTES 129

/* Who called. */
struct api_caller {
	char key[API_KEY_ID_BYTES];    /* the public part of the key; of a token its client's */
	uint32_t scopes;               /* SCOPE_BITs of api_role.h: the key's, and of a person the role's too */
	bool emergency;                /* may order and approve emergency texts */
	char person[API_PERSON_BYTES]; /* whose key it is; "" for a program's */
	bool sees_phone;               /* whole phones; else masked */
	bool sees_text;                /* what texts say */
	struct uuid practice_id;
	char sender[24];
	unsigned max_segments;     /* of a text with characters outside the GSM alphabet */
	struct lint_practice lint; /* by which its texts are judged */
};

struct api *api_new(const struct api_config *config);
void api_set_oauth(struct api *a, const struct api_oauth *oauth);
void api_set_rate(struct api *a, int64_t requests_per_second);
const struct http_route *api_routes(unsigned *count_r);
/* The server's `answered`, ctx a struct api: notes who touched what. */
void api_answered(void *ctx, struct http_exchange *x, int status);
/* Before the server is freed: answers what waits for others. */
void api_close(struct api *a);
void api_free(struct api *a);

#endif
