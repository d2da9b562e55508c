#include "base_metric.h"

#include "base_check.h"
#include "base_limits.h"
#include "base_pool.h"

#include <stdlib.h>
#include <string.h>

enum metric_kind { COUNTER, GAUGE, HISTOGRAM };

static const struct {
	const char *name;
	enum metric_kind kind;
	const char *labels;
	const char *help;
} rows[METRIC_COUNT] = {
#define METRIC(name, kind, labels, help) {#name, kind, labels, help},
#include "base_metric.def"
#undef METRIC
};

static const double bounds[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1,
                                0.25,   0.5,   1,      2.5,   5,    10,    50,    200};
#define BOUNDS (sizeof(bounds) / sizeof(*bounds))

struct metric_series {
	enum metric metric;
	char *label[3];
	double value;      /* sum, for a histogram */
	uint64_t *buckets; /* BOUNDS + 1, not cumulative; NULL for other kinds */
	struct metric_series *next;
};

/* Open hashing over (metric, labels); every label value is a name of ours, so no peer can choose the keys. */
static struct metric_series *table[1024];
static size_t series_count;

static uint64_t labels_hash(enum metric m, const struct metric_labels *l)
{
	uint64_t h = (uint64_t)m * 0x9e3779b97f4a7c15u;
	for (int i = 0; i < 3; i++)
		h = h * 31 + view_hash(view_str(l->value[i]));
	return h ^ h >> 29;
}

static bool same(const struct metric_series *s, enum metric m, const struct metric_labels *l)
{
	if (s->metric != m)
		return false;
	for (int i = 0; i < 3; i++)
		if (strcmp(s->label[i], l->value[i] ? l->value[i] : "") != 0)
			return false;
	return true;
}

static struct metric_series *series_make(enum metric m, const struct metric_labels *l, struct metric_series **slot)
{
	struct metric_series *s = mem_alloc(sizeof(*s));
	s->metric = m;
	for (int i = 0; i < 3; i++)
		s->label[i] = mem_copy_str(l->value[i]);
	if (rows[m].kind == HISTOGRAM)
		s->buckets = mem_alloc((BOUNDS + 1) * sizeof(uint64_t));
	s->next = *slot;
	*slot = s;
	series_count++;
	return s;
}

static struct metric_series *series_get(enum metric m, const struct metric_labels *l)
{
	struct metric_series **slot = &table[labels_hash(m, l) % 1024];
	for (struct metric_series *s = *slot; s; s = s->next)
		if (same(s, m, l))
			return s;
	if (series_count >= LIMIT_METRIC_SERIES && m != METRIC_metric_series_dropped_total) {
		metric_add(METRIC_metric_series_dropped_total, 1, NO_LABELS);
		return NULL;
	}
	return series_make(m, l, slot);
}

struct metric_series *metric_series(enum metric m, struct metric_labels labels)
{
	return series_get(m, &labels);
}

void metric_series_add(struct metric_series *s, double value)
{
	if (s)
		s->value += value;
}

void metric_add(enum metric m, double value, struct metric_labels labels)
{
	metric_series_add(series_get(m, &labels), value);
}

void metric_set(enum metric m, double value, struct metric_labels labels)
{
	struct metric_series *s = series_get(m, &labels);
	if (s)
		s->value = value;
}

void metric_series_observe(struct metric_series *s, double value)
{
	if (!s)
		return;
	check(s->buckets);
	size_t i = 0;
	while (i < BOUNDS && value > bounds[i])
		i++;
	s->buckets[i]++;
	s->value += value;
}

void metric_observe(enum metric m, double value, struct metric_labels labels)
{
	metric_series_observe(series_get(m, &labels), value);
}

double metric_value(enum metric m, struct metric_labels labels)
{
	const struct metric_series *s = series_get(m, &labels);
	return s ? s->value : 0;
}

static void render_labels(struct buf *to, const struct metric_series *s, const char *bound)
{
	const char *names = rows[s->metric].labels;
	bool any = false;
	for (int i = 0; i < 3 && *names; i++) {
		size_t n = strcspn(names, ",");
		buf_printf(to, "%s%.*s=\"", any ? "," : "{", (int)n, names);
		buf_add_json_text(to, view_str(s->label[i]));
		buf_add_u8(to, '"');
		any = true;
		names += n + (names[n] == ',');
	}
	if (bound) {
		buf_printf(to, "%sle=\"%s\"", any ? "," : "{", bound);
		any = true;
	}
	if (any)
		buf_add_u8(to, '}');
}

static void render_histogram(struct buf *to, const struct metric_series *s)
{
	uint64_t total = 0;
	for (size_t i = 0; i <= BOUNDS; i++) {
		struct buf bound = BUF(32);
		if (i < BOUNDS)
			buf_printf(&bound, "%g", bounds[i]);
		else
			buf_add_str(&bound, "+Inf");
		total += s->buckets[i];
		buf_printf(to, "smsbridge_%s_bucket", rows[s->metric].name);
		render_labels(to, s, buf_cstr(&bound));
		buf_printf(to, " %llu\n", (unsigned long long)total);
		buf_free(&bound);
	}
	buf_printf(to, "smsbridge_%s_sum", rows[s->metric].name);
	render_labels(to, s, NULL);
	buf_printf(to, " %.9g\nsmsbridge_%s_count", s->value, rows[s->metric].name);
	render_labels(to, s, NULL);
	buf_printf(to, " %llu\n", (unsigned long long)total);
}

static void render_metric(struct buf *to, enum metric m)
{
	static const char *const kinds[] = {"counter", "gauge", "histogram"};
	buf_printf(to, "# HELP smsbridge_%s %s\n# TYPE smsbridge_%s %s\n", rows[m].name, rows[m].help, rows[m].name,
	           kinds[rows[m].kind]);
	for (size_t i = 0; i < 1024; i++)
		for (const struct metric_series *s = table[i]; s; s = s->next) {
			if (s->metric != m)
				continue;
			if (s->buckets) {
				render_histogram(to, s);
				continue;
			}
			buf_printf(to, "smsbridge_%s", rows[m].name);
			render_labels(to, s, NULL);
			buf_printf(to, " %.15g\n", s->value);
		}
}

void metric_render(struct buf *to)
{
	for (int m = 0; m < METRIC_COUNT; m++)
		render_metric(to, (enum metric)m);
}

void metric_free(void)
{
	for (size_t i = 0; i < 1024; i++)
		while (table[i]) {
			struct metric_series *s = table[i];
			table[i] = s->next;
			for (int l = 0; l < 3; l++)
				free(s->label[l]);
			free(s->buckets);
			free(s);
		}
	series_count = 0;
}
