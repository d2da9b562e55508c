/* Counters, gauges and histograms of the process, named by the rows of base_metric.def, written as Prometheus text. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

#include "base_bytes.h"

enum metric {
#define METRIC(name, kind, labels, help) METRIC_##name,
#include "base_metric.def"
#undef METRIC
	METRIC_COUNT
};

/* Up to three label values, in the row's order; NULL for those the row does not have. */
struct metric_labels {
	const char *value[3];
};

#define LABELS(...) ((struct metric_labels){{__VA_ARGS__}})
#define NO_LABELS ((struct metric_labels){{0}})

void metric_add(enum metric m, double value, struct metric_labels labels);
void metric_set(enum metric m, double value, struct metric_labels labels);
/* Seconds into a histogram. */
void metric_observe(enum metric m, double value, struct metric_labels labels);
/* One series, for a place that counts too often to look it up each time: it may keep it until metric_free. NULL when
 * there are too many series; what is added to that is dropped. */
struct metric_series *metric_series(enum metric m, struct metric_labels labels);
void metric_series_add(struct metric_series *s, double value);
void metric_series_observe(struct metric_series *s, double value);
double metric_value(enum metric m, struct metric_labels labels);
/* Text exposition format 0.0.4. */
void metric_render(struct buf *to);
void metric_free(void);

#endif
