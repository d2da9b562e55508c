/* Connection life: DOWN -> CONNECTING (PQconnectPoll) -> PREPARING (every statement, one pipeline) -> UP -> DOWN ...
 * In UP, libpq is in pipeline mode for good. Each batch ends with a sync point; results are matched to batches in
 * order. */
#include "store_lane.h"

#include "base_check.h"
#include "base_limits.h"
#include "base_log.h"
#include "base_metric.h"
#include "base_pool.h"
#include "base_time.h"
#include "store_sql.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX 8

enum lane_state { LANE_DOWN, LANE_CONNECTING, LANE_PREPARING, LANE_UP };

struct store_rows {
	PGresult *pg;
};

struct batch {
	struct batch *next;
	store_rows_cb rows[STEPS_MAX];
	unsigned steps;
	unsigned at; /* step whose result is next */
	bool never_sent;
	enum store_result result;
	char sqlstate[6];
	int64_t began_us;
	store_done_cb done;
	void *ctx;
};

struct store_lane {
	struct loop *loop;
	char *name;
	char *conninfo;
	store_state_cb state_cb;
	void *ctx;
	PGconn *pg;
	enum lane_state state;
	struct net_watch *watch;
	struct net_timer *timer;   /* reconnect, or connect timeout, or delivery of DOWN results */
	struct net_timer *refused; /* delivers STORE_DOWN in a later turn */
	struct batch *first;       /* sent, in order */
	struct batch *last;
	struct batch *down; /* never sent */
	unsigned busy;
	unsigned prepares_left;
	int64_t delay_ms;
	bool broken; /* libpq has given the connection up; lane_down follows in a later turn */
	bool freeing;
};

unsigned store_rows_count(const struct store_rows *r)
{
	return (unsigned)PQntuples(r->pg);
}

struct view store_rows_text(const struct store_rows *r, unsigned row, unsigned column)
{
	int n = PQgetlength(r->pg, (int)row, (int)column);
	return view_of(PQgetvalue(r->pg, (int)row, (int)column), (size_t)n);
}

bool store_rows_null(const struct store_rows *r, unsigned row, unsigned column)
{
	return PQgetisnull(r->pg, (int)row, (int)column);
}

int64_t store_rows_int(const struct store_rows *r, unsigned row, unsigned column)
{
	return strtoll(PQgetvalue(r->pg, (int)row, (int)column), NULL, 10);
}

bool store_rows_bool(const struct store_rows *r, unsigned row, unsigned column)
{
	return PQgetvalue(r->pg, (int)row, (int)column)[0] == 't';
}

struct uuid store_rows_uuid(const struct store_rows *r, unsigned row, unsigned column)
{
	struct uuid id = {0};
	uuid_parse(store_rows_text(r, row, column), &id);
	return id;
}

unsigned store_rows_touched(const struct store_rows *r)
{
	return (unsigned)strtoul(PQcmdTuples(r->pg), NULL, 10);
}

const char *store_result_name(enum store_result r)
{
	static const char *const names[] = {"ok", "failed", "lost", "down"};
	return names[r];
}

bool store_lane_up(const struct store_lane *lane)
{
	return lane->state == LANE_UP;
}

unsigned store_lane_busy(const struct store_lane *lane)
{
	return lane->busy;
}

const char *store_lane_name(const struct store_lane *lane)
{
	return lane->name;
}

static void batch_end(struct store_lane *lane, struct batch *b)
{
	lane->busy--;
	if (b->result != STORE_OK)
		metric_add(METRIC_store_errors_total, 1, LABELS(lane->name));
	metric_observe(METRIC_store_batch_duration_seconds, (double)(time_mono_us() - b->began_us) / 1e6,
	               LABELS(lane->name));
	b->done(b->ctx, b->result, b->sqlstate);
	free(b);
}

static void fail_all(struct store_lane *lane)
{
	struct batch *list = lane->first;
	lane->first = lane->last = NULL;
	while (list) {
		struct batch *b = list;
		list = b->next;
		b->result = STORE_LOST;
		batch_end(lane, b);
	}
}

static void lane_connect(void *ctx);

static void lane_down(struct store_lane *lane, const char *why)
{
	bool was_up = lane->state == LANE_UP;
	struct buf text = BUF(512);
	buf_add_str(&text, why ? why : "");
	while (text.n && text.p[text.n - 1] == '\n')
		text.n--;
	net_watch_free(lane->watch);
	lane->watch = NULL;
	PQfinish(lane->pg);
	lane->pg = NULL;
	lane->state = LANE_DOWN;
	lane->broken = false;
	metric_set(METRIC_store_connected, 0, LABELS(lane->name));
	if (lane->delay_ms == 0)
		lane->delay_ms = LIMIT_RECONNECT_MIN_MS / 4;
	int64_t delay_ms = lane->delay_ms + (int64_t)random_below((uint64_t)lane->delay_ms);
	lane->delay_ms =
	        lane->delay_ms * 2 > LIMIT_RECONNECT_MAX_MS / 6 ? LIMIT_RECONNECT_MAX_MS / 6 : lane->delay_ms * 2;
	if (!lane->freeing) {
		log_event(LOG_WARNING, "store_down", LOG_TEXT(lane, lane->name), LOG_TEXT(error, buf_cstr(&text)),
		          LOG_NUM(delay_ms, delay_ms));
		net_timer_start(lane->timer, delay_ms);
	}
	buf_free(&text);
	fail_all(lane);
	if (was_up && lane->state_cb && !lane->freeing)
		lane->state_cb(lane->ctx, lane, false);
}

/* libpq may meet the connection's end while it sends, and closes the socket then: no event would ever come from it. The
 * callers of store_lane_run are not called back before it returns, so the lane goes down in a turn of its own. */
static void lane_broken(struct store_lane *lane)
{
	lane->broken = true;
	net_timer_start(lane->refused, 0);
}

static void send_all_prepares(struct store_lane *lane)
{
	bool sent = PQenterPipelineMode(lane->pg) == 1;
	lane->prepares_left = 0;
	for (const struct store_file *f = store_sql_files; f->name && sent; f++) {
		sent = PQsendPrepare(lane->pg, f->name, f->text, 0, NULL) == 1;
		lane->prepares_left++;
	}
	if (!sent || PQpipelineSync(lane->pg) != 1)
		lane_broken(lane);
	lane->state = LANE_PREPARING;
}

static void lane_is_up(struct store_lane *lane)
{
	lane->state = LANE_UP;
	lane->delay_ms = 0;
	net_timer_stop(lane->timer);
	metric_set(METRIC_store_connected, 1, LABELS(lane->name));
	log_event(LOG_INFO, "store_up", LOG_TEXT(lane, lane->name));
	if (lane->state_cb)
		lane->state_cb(lane->ctx, lane, true);
}

/* A prepare that fails means that the database's schema is not the one of this program. */
static bool take_prepared(struct store_lane *lane, PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);
	if (status == PGRES_PIPELINE_SYNC) {
		lane_is_up(lane);
		return true;
	}
	if (status == PGRES_COMMAND_OK)
		return true;
	const char *text = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	log_event(LOG_ERROR, "store_prepare_failed", LOG_TEXT(lane, lane->name), LOG_TEXT(error, text),
	          LOG_TEXT(reason, "the database's schema does not fit; run: smsbridge migrate"));
	return false;
}

static void take_error(struct store_lane *lane, struct batch *b, const PGresult *r)
{
	const char *sqlstate = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *context = PQresultErrorField(r, PG_DIAG_CONSTRAINT_NAME);
	if (b->result == STORE_FAILED)
		return;
	b->result = STORE_FAILED;
	copy_str(b->sqlstate, sizeof(b->sqlstate), sqlstate ? sqlstate : "XX000");
	/* The primary text can quote values (a phone, a body): only the code and a constraint's name are logged. */
	log_event(LOG_ERROR, "store_statement_failed", LOG_TEXT(lane, lane->name), LOG_TEXT(sqlstate, b->sqlstate),
	          LOG_TEXT(reason, context), LOG_NUM(count, b->at));
}

/* False when a result came that nobody asked for: the server's last words before it closes. */
static bool take_result(struct store_lane *lane, PGresult *pg)
{
	struct batch *b = lane->first;
	ExecStatusType status = PQresultStatus(pg);
	if (!b)
		return false;
	if (status == PGRES_PIPELINE_SYNC) {
		lane->first = b->next;
		if (!lane->first)
			lane->last = NULL;
		batch_end(lane, b);
		return true;
	}
	struct store_rows rows = {pg};
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
		if (b->at < b->steps && b->rows[b->at] && b->result == STORE_OK)
			b->rows[b->at](b->ctx, &rows);
	} else if (status != PGRES_PIPELINE_ABORTED) {
		take_error(lane, b, pg);
	}
	return true;
}

static bool take_results(struct store_lane *lane)
{
	while (lane->pg && !PQisBusy(lane->pg)) {
		PGresult *r = PQgetResult(lane->pg);
		bool ok = true;
		if (!r) {
			/* The end of one statement's results; at the very end there is a second NULL. */
			if (lane->state == LANE_PREPARING && lane->prepares_left) {
				lane->prepares_left--;
				continue;
			}
			if (!lane->first || lane->first->at >= lane->first->steps)
				return true;
			lane->first->at++;
			continue;
		}
		if (lane->state == LANE_PREPARING)
			ok = take_prepared(lane, r);
		else
			ok = take_result(lane, r);
		PQclear(r);
		if (!ok)
			return false;
	}
	return true;
}

static void want_events(struct store_lane *lane)
{
	int left = PQflush(lane->pg);
	if (left < 0 || PQstatus(lane->pg) == CONNECTION_BAD) {
		lane_broken(lane);
		return;
	}
	net_watch_set(lane->watch, NET_READABLE | (left == 1 ? NET_WRITABLE : 0));
}

static void ready_cb(void *ctx, int events)
{
	struct store_lane *lane = ctx;
	if (lane->state == LANE_CONNECTING) {
		lane_connect(lane);
		return;
	}
	if (events & NET_READABLE && PQconsumeInput(lane->pg) != 1) {
		lane_down(lane, PQerrorMessage(lane->pg));
		return;
	}
	if (!take_results(lane)) {
		lane_down(lane, lane->state == LANE_PREPARING ? "statements could not be prepared"
		                                              : PQerrorMessage(lane->pg));
		return;
	}
	if (lane->pg && PQstatus(lane->pg) == CONNECTION_BAD)
		lane_down(lane, PQerrorMessage(lane->pg));
	else if (lane->pg)
		want_events(lane);
}

static void notice_cb(void *ctx, const char *message)
{
	(void)ctx;
	(void)message; /* notices may quote data and are of no use to operators */
}

static void begin_connect(struct store_lane *lane)
{
	lane->pg = PQconnectStart(lane->conninfo);
	check(lane->pg);
	lane->state = LANE_CONNECTING;
	net_timer_start(lane->timer, 10000);
}

/* Steps PQconnectPoll. libpq may change its socket between steps, so the watch is made anew each time. */
static void lane_connect(void *ctx)
{
	struct store_lane *lane = ctx;
	if (!lane->pg)
		begin_connect(lane);
	if (PQstatus(lane->pg) == CONNECTION_BAD) {
		lane_down(lane, PQerrorMessage(lane->pg));
		return;
	}
	net_watch_free(lane->watch);
	lane->watch = NULL;
	PostgresPollingStatusType step =
	        lane->state == LANE_CONNECTING ? PQconnectPoll(lane->pg) : PGRES_POLLING_FAILED;
	if (step == PGRES_POLLING_FAILED) {
		lane_down(lane, PQerrorMessage(lane->pg));
		return;
	}
	lane->watch = net_watch_new(lane->loop, PQsocket(lane->pg), ready_cb, lane);
	if (step == PGRES_POLLING_OK) {
		PQsetnonblocking(lane->pg, 1);
		PQsetNoticeProcessor(lane->pg, notice_cb, NULL);
		send_all_prepares(lane);
		want_events(lane);
		return;
	}
	net_watch_set(lane->watch, step == PGRES_POLLING_READING ? NET_READABLE : NET_WRITABLE);
}

/* A connection that went away without a word (its host did) is noticed by the batch that is never answered. */
static void watch_oldest(struct store_lane *lane)
{
	if (!lane->first)
		return;
	int64_t waits_ms = (time_mono_us() - lane->first->began_us) / 1000;
	if (waits_ms >= LIMIT_BATCH_MS)
		lane_down(lane, "no answer in time");
	else
		net_timer_start(lane->timer, LIMIT_BATCH_MS - waits_ms);
}

static void timer_cb(void *ctx)
{
	struct store_lane *lane = ctx;
	if (lane->state == LANE_DOWN)
		lane_connect(lane);
	else if (lane->state == LANE_UP)
		watch_oldest(lane);
	else
		lane_down(lane, "no answer in time");
}

static void refused_cb(void *ctx)
{
	struct store_lane *lane = ctx;
	if (lane->broken)
		lane_down(lane, PQerrorMessage(lane->pg));
	struct batch *list = lane->down;
	lane->down = NULL;
	while (list) {
		struct batch *b = list;
		list = b->next;
		batch_end(lane, b);
	}
}

struct store_lane *store_lane_new(struct loop *l, const char *name, const char *conninfo, store_state_cb cb, void *ctx)
{
	struct store_lane *lane = mem_alloc(sizeof(*lane));
	struct buf info = BUF(8192);
	/* Every statement reaches its rows by an index. A plan made while the tables were empty or not yet analysed
	 * would read them whole for ever after: so no plan may. */
	buf_printf(&info,
	           "%s%sapplication_name='smsbridge %s' options='-c statement_timeout=%d -c TimeZone=UTC"
	           " -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off'",
	           conninfo, *conninfo ? " " : "", name, LIMIT_STATEMENT_MS);
	lane->loop = l;
	lane->name = mem_copy_str(name);
	lane->conninfo = mem_copy_str(buf_cstr(&info));
	lane->state_cb = cb;
	lane->ctx = ctx;
	lane->timer = net_timer_new(l, timer_cb, lane);
	lane->refused = net_timer_new(l, refused_cb, lane);
	net_timer_start(lane->timer, 0);
	buf_free(&info);
	return lane;
}

static bool send_step(struct store_lane *lane, const struct store_step *step)
{
	const char *values[STORE_PARAMS_MAX];
	int lengths[STORE_PARAMS_MAX] = {0};
	int formats[STORE_PARAMS_MAX];
	unsigned n = step->params ? step->params->count : 0;
	bool control = step->sql[0] >= 'A' && step->sql[0] <= 'Z';
	for (unsigned i = 0; i < n; i++) {
		values[i] = store_param_octets(&step->params->p[i], &lengths[i]);
		formats[i] = 1;
	}
	if (control)
		return PQsendQueryParams(lane->pg, step->sql, 0, NULL, NULL, NULL, NULL, 0) == 1;
	return PQsendQueryPrepared(lane->pg, step->sql, (int)n, values, lengths, formats, 0) == 1;
}

void store_lane_run(struct store_lane *lane, const struct store_step *steps, unsigned count, store_done_cb done,
                    void *ctx)
{
	struct batch *b = mem_alloc(sizeof(*b));
	check(count <= STEPS_MAX);
	*b = (struct batch){.steps = count, .done = done, .ctx = ctx, .began_us = time_mono_us()};
	lane->busy++;
	if (lane->state != LANE_UP) {
		b->result = STORE_DOWN;
		b->next = lane->down;
		lane->down = b;
		net_timer_start(lane->refused, 0);
		return;
	}
	bool sent = !lane->broken;
	for (unsigned i = 0; i < count; i++) {
		b->rows[i] = steps[i].rows;
		sent = sent && send_step(lane, &steps[i]);
	}
	if (lane->last) {
		lane->last->next = b;
	} else {
		lane->first = b;
		net_timer_start(lane->timer, LIMIT_BATCH_MS);
	}
	lane->last = b;
	if (sent && PQpipelineSync(lane->pg) == 1)
		want_events(lane);
	else
		lane_broken(lane);
}

void store_lane_free(struct store_lane *lane)
{
	if (!lane)
		return;
	lane->freeing = true;
	lane_down(lane, NULL);
	refused_cb(lane);
	net_timer_free(lane->timer);
	net_timer_free(lane->refused);
	free(lane->name);
	free(lane->conninfo);
	free(lane);
}
