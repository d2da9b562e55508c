#include "api_role.h"

#include "base_check.h"

_Static_assert(SCOPE_COUNT < 32, "scopes are bits of 32");

const char *scope_code(enum scope scope)
{
	static const char *const codes[SCOPE_COUNT] = {
#define SCOPE(name, code, sentence) [SCOPE_##name] = code,
#include "scope.def"
#undef SCOPE
	};
	check((unsigned)scope < SCOPE_COUNT);
	return codes[scope];
}

enum scope scope_parse(struct view code)
{
	for (unsigned i = 0; i < SCOPE_COUNT; i++)
		if (view_eq(code, view_str(scope_code((enum scope)i))))
			return (enum scope)i;
	return SCOPE_COUNT;
}

uint32_t scopes_parse(struct view list, bool *unknown_r)
{
	uint32_t scopes = 0;
	if (unknown_r)
		*unknown_r = false;
	for (size_t at = 0, end; at < list.n; at = end + 1) {
		for (end = at; end < list.n && list.p[end] != ' ';)
			end++;
		enum scope scope = scope_parse(view_of(list.p + at, end - at));
		if (scope != SCOPE_COUNT)
			scopes |= SCOPE_BIT(scope);
		else if (end > at && unknown_r)
			*unknown_r = true;
	}
	return scopes;
}

void scopes_write(uint32_t scopes, const char *between, struct buf *to)
{
	bool first = true;
	for (unsigned i = 0; i < SCOPE_COUNT; i++) {
		if (!(scopes & SCOPE_BIT(i)))
			continue;
		buf_printf(to, "%s%s", first ? "" : between, scope_code((enum scope)i));
		first = false;
	}
}

/* --- roles -------------------------------------------------------------------------------------------------------- */

static const struct role_row {
	const char *name;
	bool sees_phone, sees_text;
} rows[ROLE_COUNT] = {
#define ROLE(name, sees_phone, sees_text, sentence) [ROLE_##name] = {#name, sees_phone, sees_text},
#define ROLE_MAY(role, scope)
#include "role.def"
#undef ROLE
#undef ROLE_MAY
};

static const struct role_row *row_of(enum role role)
{
	check((unsigned)role < ROLE_COUNT);
	return &rows[role];
}

enum role role_parse(struct view name)
{
	for (unsigned i = 0; i < ROLE_COUNT; i++)
		if (view_eq(name, view_str(rows[i].name)))
			return (enum role)i;
	return ROLE_COUNT;
}

const char *role_name(enum role role)
{
	return row_of(role)->name;
}

uint32_t role_scopes(enum role role)
{
	static const struct {
		enum role role;
		enum scope scope;
	} may[] = {
#define ROLE(name, sees_phone, sees_text, sentence)
#define ROLE_MAY(role, scope) {ROLE_##role, SCOPE_##scope},
#include "role.def"
#undef ROLE
#undef ROLE_MAY
	};
	uint32_t scopes = 0;
	for (size_t i = 0; i < sizeof(may) / sizeof(*may); i++)
		if (may[i].role == role)
			scopes |= SCOPE_BIT(may[i].scope);
	return scopes;
}

bool role_sees_phone(enum role role)
{
	return row_of(role)->sees_phone;
}

bool role_sees_text(enum role role)
{
	return row_of(role)->sees_text;
}
