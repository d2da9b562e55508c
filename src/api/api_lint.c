#include "api_lint.h"

#include <stdio.h>
#include <string.h>

void lint_practice_take(struct lint_practice *to, const struct view fields[LINT_PRACTICE_FIELDS])
{
	copy_view(to->name, sizeof(to->name), fields[0]);
	copy_view(to->display_name, sizeof(to->display_name), fields[1]);
	copy_view(to->phone, sizeof(to->phone), fields[2]);
	copy_view(to->url, sizeof(to->url), fields[3]);
	copy_view(to->link_domains, sizeof(to->link_domains), fields[4]);
	to->sensitive = view_eq(fields[5], VIEW("t"));
	to->phi_warns = view_eq(fields[6], VIEW("t"));
	to->require_identity = view_eq(fields[7], VIEW("t"));
}

struct policy_lint_facts lint_facts(const struct lint_practice *p, enum category category)
{
	return (struct policy_lint_facts){.category = category,
	                                  .name = view_str(p->name),
	                                  .display_name = view_str(p->display_name),
	                                  .phone = view_str(p->phone),
	                                  .url = view_str(p->url),
	                                  .link_domains = view_str(p->link_domains),
	                                  .sensitive = p->sensitive,
	                                  .require_identity = p->require_identity,
	                                  .phi_warns = p->phi_warns};
}

struct template_practice lint_template_practice(const struct lint_practice *p)
{
	return (struct template_practice){
	        .name = view_str(*p->display_name || p->sensitive ? p->display_name : p->name),
	        .phone = view_str(p->phone),
	        .domain = view_of(p->link_domains, strcspn(p->link_domains, " "))};
}

static void write_finding(const struct lint_finding *f, struct buf *to)
{
	buf_printf(to, "{\"code\":\"%s\",\"severity\":\"%s\",\"at\":%u,\"length\":%u,\"citation\":\"",
	           policy_lint_code(f->rule), f->refuses ? "refuse" : "warn", f->character, f->characters);
	buf_add_json_text(to, view_str(policy_lint_citation(f->rule)));
	buf_add_str(to, "\",\"sentence\":\"");
	buf_add_json_text(to, view_str(policy_lint_sentence(f->rule)));
	buf_add_str(to, "\",\"suggestion\":\"");
	buf_add_json_text(to, view_str(policy_lint_suggestion(f->rule)));
	buf_add_str(to, "\"}");
}

void lint_write(const struct lint_findings *r, struct buf *to)
{
	buf_add_u8(to, '[');
	for (unsigned i = 0; i < r->count; i++) {
		if (i)
			buf_add_u8(to, ',');
		write_finding(&r->finding[i], to);
	}
	buf_add_u8(to, ']');
}

void fault_add(struct faults *f, const char *pointer, const char *code, const char *detail)
{
	if (f->count < FAULTS_MAX)
		f->error[f->count++] = (struct http_problem_error){pointer, code, detail};
}

/* What is wrong, where, and what to write instead; never the text itself. */
static const char *finding_detail(struct pool *pool, const struct lint_finding *f)
{
	char place[64] = "";
	if (f->characters)
		snprintf(place, sizeof(place), " (characters %u to %u)", f->character + 1,
		         f->character + f->characters);
	size_t n = strlen(policy_lint_sentence(f->rule)) + strlen(place) + strlen(policy_lint_suggestion(f->rule)) + 3;
	char *detail = pool_alloc(pool, n);
	snprintf(detail, n, "%s%s %s", policy_lint_sentence(f->rule), place, policy_lint_suggestion(f->rule));
	return detail;
}

void fault_add_findings(struct faults *f, const struct lint_findings *r)
{
	for (unsigned i = 0; i < r->count; i++)
		if (r->finding[i].refuses)
			fault_add(f, "/body", policy_lint_code(r->finding[i].rule),
			          finding_detail(f->pool, &r->finding[i]));
}
