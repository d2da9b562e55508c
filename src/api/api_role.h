/* What a caller may do and see: scopes (proto/scope.def) as bits, roles of named people (proto/role.def). */
#ifndef API_ROLE_H
#define API_ROLE_H

#include "base_bytes.h"

enum scope {
#define SCOPE(name, code, sentence) SCOPE_##name,
#include "scope.def"
#undef SCOPE
	SCOPE_COUNT
};

#define SCOPE_BIT(scope) (UINT32_C(1) << (scope))
#define SCOPES_ALL (SCOPE_BIT(SCOPE_COUNT) - 1)
/* What a program of a practice gets unless it is told otherwise. */
#define SCOPES_USUAL (SCOPES_ALL & ~(SCOPE_BIT(SCOPE_EMERGENCY) | SCOPE_BIT(SCOPE_KEYS_WRITE)))

/* "messages:write" */
const char *scope_code(enum scope scope);
/* SCOPE_COUNT when there is none of that name. */
enum scope scope_parse(struct view code);
/* Codes with blanks between. Unknown ones count for nothing, and are told in *unknown_r when it is not NULL. */
uint32_t scopes_parse(struct view list, bool *unknown_r);
/* Their codes with `between` between. */
void scopes_write(uint32_t scopes, const char *between, struct buf *to);

enum role {
#define ROLE(name, sees_phone, sees_text, sentence) ROLE_##name,
#define ROLE_MAY(role, scope)
#include "role.def"
#undef ROLE
#undef ROLE_MAY
	ROLE_COUNT
};

/* ROLE_COUNT when there is none of that name. */
enum role role_parse(struct view name);
const char *role_name(enum role role);
uint32_t role_scopes(enum role role);
bool role_sees_phone(enum role role);
bool role_sees_text(enum role role);

#endif
