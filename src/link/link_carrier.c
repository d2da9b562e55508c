#include "link_carrier.h"

#include "base_check.h"
#include "base_limits.h"
#include "base_log.h"
#include "base_metric.h"
#include "base_pool.h"
#include "base_uuid.h"
#include "smpp_pace.h"
#include "smpp_state.h"
#include "smpp_status.h"

#include <stdio.h>
#include <stdlib.h>

#define ANSWERS_LATELY 8 /* answers that weigh in the mean time of one */
#define ID_3_3 8         /* octets of a message_id in SMPP 3.3, without its NUL */

#define FAULTS_TOLD 60 /* lines a minute and link */

struct carrier_link {
	struct loop *loop;
	struct carrier_link_config config;
	const struct carrier_link_ops *ops;
	void *ctx;
	struct pump *pump; /* NULL between connections */
	struct net_timer *timer;
	char number[12];
	unsigned generation;
	int64_t delay_ms; /* before the next connect */
	struct smpp_pace pace;
	double answer_ms;                                  /* how long answers took lately; 0 before the first */
	struct metric_series *pdus[2][SMPP_COMMAND_COUNT]; /* by direction; NULL until the first */
	struct metric_series *duration;
	int64_t faults_since_ms; /* the minute being counted */
	unsigned faults;
	bool bound;
	bool refused; /* the last bind was refused: wait long */
	bool ending;
};

static void connect_cb(void *ctx);

static void set_bound(struct carrier_link *l, bool bound)
{
	if (l->bound == bound)
		return;
	l->bound = bound;
	metric_set(METRIC_smpp_link_bound, bound, LABELS(l->config.carrier, l->number));
	if (bound) {
		l->delay_ms = 0;
		log_event(LOG_INFO, "link_bound", LOG_TEXT(carrier, l->config.carrier), LOG_NUM(link, l->config.number),
		          LOG_TEXT(peer, link_pump_peer(l->pump)));
	}
	l->ops->bound(l->ctx, l, bound);
}

/* A refused bind must not be hammered: carriers lock accounts. The operator is told at error level each time. */
static void on_refused(struct carrier_link *l, uint32_t status)
{
	l->refused = true;
	log_event(LOG_ERROR, "bind_refused", LOG_TEXT(carrier, l->config.carrier), LOG_NUM(link, l->config.number),
	          LOG_TEXT(status, smpp_status_name(status)), LOG_TEXT(reason, smpp_status_sentence(status)));
}

/* A peer that breaks the protocol with every PDU must not fill a disk: the metric counts all, the log has the first of
 * each minute, and then how many were left out. */
static bool fault_is_told(struct carrier_link *l)
{
	int64_t now_ms = net_loop_now_ms(l->loop);
	if (now_ms - l->faults_since_ms >= 60000) {
		if (l->faults > FAULTS_TOLD)
			log_event(LOG_WARNING, "peer_faults_untold", LOG_TEXT(carrier, l->config.carrier),
			          LOG_NUM(link, l->config.number), LOG_NUM(count, l->faults - FAULTS_TOLD));
		l->faults_since_ms = now_ms;
		l->faults = 0;
	}
	return l->faults++ < FAULTS_TOLD;
}

static void on_fault(struct carrier_link *l, const struct smpp_event *e)
{
	metric_add(METRIC_smpp_faults_total, 1, LABELS(l->config.carrier, e->reason));
	if (!fault_is_told(l))
		return;
	log_event(LOG_WARNING, "peer_fault", LOG_TEXT(carrier, l->config.carrier), LOG_NUM(link, l->config.number),
	          LOG_TEXT(command, smpp_command_name(e->command)), LOG_TEXT(field, e->fault.field),
	          LOG_NUM(offset, e->fault.offset), LOG_TEXT(reason, e->fault.sentence));
}

/* 5.0 4.8.4.18; carriers send it on 3.4 binds too (trap 24). */
static void heed_congestion(struct carrier_link *l, const struct smpp_pdu *pdu)
{
	uint32_t state;
	const struct smpp_tlv *tlv = l->config.congestion ? smpp_pdu_tlv(pdu, SMPP_TAG_congestion_state) : NULL;
	if (tlv && smpp_tlv_number(tlv, &state))
		smpp_pace_congestion(&l->pace, state, net_loop_now_ms(l->loop));
}

/* At least a millisecond: the clock has no finer. */
static void note_answer(struct carrier_link *l, double took_ms)
{
	took_ms = took_ms < 1 ? 1 : took_ms;
	l->answer_ms += l->answer_ms > 0 ? (took_ms - l->answer_ms) / ANSWERS_LATELY : took_ms;
}

static void on_answer(struct carrier_link *l, const struct smpp_event *e)
{
	struct link_answer answer = {e->ref, e->command, e->status, e->message_id, e->kind == SMPP_EVENT_LATE, e->pdu};
	metric_series_observe(l->duration, (double)e->took_ms / 1000.0);
	note_answer(l, (double)e->took_ms);
	if (smpp_status_class(e->status) != SMPP_CLASS_THROTTLE)
		smpp_pace_taken(&l->pace);
	heed_congestion(l, e->pdu);
	l->ops->answered(l->ctx, l, &answer);
}

static void count_pdu(struct carrier_link *l, enum smpp_direction direction, enum smpp_command command)
{
	static const char *const names[] = {[SMPP_IN] = "in", [SMPP_OUT] = "out"};
	struct metric_series **pdus = &l->pdus[direction][command];
	if (!*pdus)
		*pdus = metric_series(METRIC_smpp_pdus_total,
		                      LABELS(l->config.carrier, names[direction], smpp_command_name(command)));
	metric_series_add(*pdus, 1);
}

static void event_cb(void *ctx, struct pump *p, const struct smpp_event *e)
{
	struct carrier_link *l = ctx;
	(void)p;
	switch (e->kind) {
	case SMPP_EVENT_BOUND:
		set_bound(l, true);
		break;
	case SMPP_EVENT_REFUSED:
		on_refused(l, e->status);
		break;
	case SMPP_EVENT_ANSWER:
	case SMPP_EVENT_LATE:
		count_pdu(l, SMPP_IN, e->command);
		on_answer(l, e);
		break;
	case SMPP_EVENT_TIMEOUT:
	case SMPP_EVENT_UNANSWERED:
		l->ops->unanswered(l->ctx, l, e->ref);
		break;
	case SMPP_EVENT_UNSENT:
		l->ops->unsent(l->ctx, l, e->ref);
		break;
	case SMPP_EVENT_DELIVER:
		if (e->pdu->tlvs_dropped) /* the mandatory part holds (trap 41); the rest is told */
			metric_add(METRIC_smpp_faults_total, 1, LABELS(l->config.carrier, "tlv_tail"));
		count_pdu(l, SMPP_IN, e->pdu->command);
		l->ops->delivered(l->ctx, l, e->pdu);
		break;
	case SMPP_EVENT_ALERT:
		count_pdu(l, SMPP_IN, SMPP_alert_notification);
		l->ops->alerted(l->ctx, l, e->pdu);
		break;
	case SMPP_EVENT_FAULT:
		on_fault(l, e);
		break;
	default:
		break;
	}
}

static void schedule_connect(struct carrier_link *l)
{
	int64_t most_ms = l->refused ? LIMIT_BIND_REFUSED_MS : LIMIT_RECONNECT_MAX_MS;
	int64_t least_ms = l->refused ? 10 * LIMIT_RECONNECT_MIN_MS : LIMIT_RECONNECT_MIN_MS / 2;
	l->delay_ms = l->delay_ms * 2 < least_ms ? least_ms : l->delay_ms * 2;
	if (l->delay_ms > most_ms)
		l->delay_ms = most_ms;
	int64_t delay_ms = l->delay_ms / 2 + (int64_t)random_below((uint64_t)l->delay_ms);
	log_event(LOG_INFO, "link_reconnect", LOG_TEXT(carrier, l->config.carrier), LOG_NUM(link, l->config.number),
	          LOG_NUM(delay_ms, delay_ms));
	net_timer_start(l->timer, delay_ms);
}

static void closed_cb(void *ctx, struct pump *p, const char *reason)
{
	struct carrier_link *l = ctx;
	(void)p;
	const char *kind = l->refused ? "bind_refused" : l->bound ? "lost" : "connect_failed";
	metric_add(METRIC_smpp_disconnects_total, 1, LABELS(l->config.carrier, kind));
	log_event(l->ending ? LOG_INFO : LOG_WARNING, "link_down", LOG_TEXT(carrier, l->config.carrier),
	          LOG_NUM(link, l->config.number), LOG_TEXT(reason, reason));
	set_bound(l, false);
	l->pump = NULL;
	if (!l->ending && l->config.connect == LINK_DIAL)
		schedule_connect(l);
}

static const struct pump_ops link_pump_ops = {.event = event_cb, .closed = closed_cb};

static void connect_cb(void *ctx)
{
	struct carrier_link *l = ctx;
	l->generation++;
	l->refused = false;
	l->pump = link_pump_connect(l->loop, l->config.host, l->config.port, l->config.tls, &l->config.session,
	                            &link_pump_ops, l);
}

struct carrier_link *link_carrier_new(struct loop *loop, const struct carrier_link_config *config,
                                      const struct carrier_link_ops *ops, void *ctx)
{
	struct carrier_link *l = mem_alloc(sizeof(*l));
	*l = (struct carrier_link){.loop = loop, .config = *config, .ops = ops, .ctx = ctx};
	net_tls_ref(l->config.tls);
	snprintf(l->number, sizeof(l->number), "%u", config->number);
	metric_set(METRIC_smpp_link_bound, 0, LABELS(config->carrier, l->number));
	l->duration = metric_series(METRIC_submit_duration_seconds, LABELS(config->carrier));
	l->timer = net_timer_new(loop, connect_cb, l);
	smpp_pace_init(&l->pace, config->rate, net_loop_now_ms(loop));
	if (config->connect == LINK_DIAL)
		net_timer_start(l->timer, 0);
	return l;
}

bool link_carrier_waits(const struct carrier_link *l)
{
	return l->config.connect != LINK_DIAL && !l->pump && !l->ending;
}

void link_carrier_take(struct carrier_link *l, struct pump *pump)
{
	check(link_carrier_waits(l));
	l->generation++;
	l->refused = false;
	l->pump = pump;
	link_pump_give(pump, &link_pump_ops, l);
}

bool link_carrier_is_centre(const struct carrier_link *l)
{
	return l->config.connect == LINK_ACCEPT;
}

unsigned link_carrier_window(const struct carrier_link *l)
{
	if (!l->bound || l->ending)
		return 0;
	if (link_pump_queued(l->pump) > LIMIT_SESSION_OUT_BYTES)
		return 0; /* the socket is stuck: what is claimed must be able to leave at once */
	return smpp_session_slots(link_pump_session(l->pump));
}

unsigned link_carrier_slots(struct carrier_link *l)
{
	unsigned slots = link_carrier_window(l);
	unsigned allowed = smpp_pace_allows(&l->pace, net_loop_now_ms(l->loop));
	return allowed < slots ? allowed : slots;
}

bool link_carrier_transmits(const struct carrier_link *l)
{
	return l->bound && !l->ending && smpp_session_transmits(link_pump_session(l->pump));
}

int64_t link_carrier_ready_ms(const struct carrier_link *l)
{
	int64_t now_ms = net_loop_now_ms(l->loop);
	if (!link_carrier_transmits(l) || smpp_session_slots(link_pump_session(l->pump)) == 0)
		return INT64_MAX;
	int64_t at_ms = smpp_pace_ready_ms(&l->pace, now_ms);
	return at_ms > now_ms ? at_ms - now_ms : 0;
}

double link_carrier_rate(const struct carrier_link *l)
{
	if (!link_carrier_transmits(l))
		return 0;
	double windows = l->answer_ms > 0 ? l->config.session.window * 1000.0 / l->answer_ms : 0;
	double paced = l->pace.allowed;
	return paced > 0 && (windows == 0 || paced < windows) ? paced : windows;
}

bool link_carrier_submit(struct carrier_link *l, uint64_t ref, struct smpp_pdu *pdu, unsigned segments,
                         const char **error_r)
{
	struct smpp_fault fault = {0};
	*error_r = "no_slot";
	if (!l->pump)
		return false;
	if (!smpp_session_submit(link_pump_session(l->pump), ref, pdu, net_loop_now_ms(l->loop), &fault)) {
		*error_r = fault.field ? fault.field : "no_slot";
		return false;
	}
	if (segments)
		smpp_pace_spend(&l->pace, segments, net_loop_now_ms(l->loop));
	count_pdu(l, SMPP_OUT, pdu->command);
	return true;
}

void link_carrier_flush(struct carrier_link *l)
{
	if (l->pump)
		link_pump_flush(l->pump);
}

bool link_carrier_has_tlvs(const struct carrier_link *l)
{
	return l->pump && smpp_session_version(link_pump_session(l->pump)) >= 0x34;
}

struct view link_carrier_fit_id(const struct carrier_link *l, struct view message_id)
{
	if (!l->pump || link_carrier_has_tlvs(l) || message_id.n <= ID_3_3)
		return message_id;
	return view_of(message_id.p + message_id.n - ID_3_3, ID_3_3);
}

void link_carrier_answer(struct carrier_link *l, unsigned generation, enum smpp_command request, uint32_t sequence,
                         uint32_t status, struct view message_id)
{
	if (!l->pump || generation != l->generation)
		return; /* the carrier will deliver it again on the new connection; storing is idempotent */
	smpp_session_answer(link_pump_session(l->pump), request, sequence, status, link_carrier_fit_id(l, message_id));
	count_pdu(l, SMPP_OUT, smpp_command_answer(request));
	link_pump_flush(l->pump);
}

unsigned link_carrier_generation(const struct carrier_link *l)
{
	return l->generation;
}

void link_carrier_throttle(struct carrier_link *l, bool queue_full)
{
	int64_t now_ms = net_loop_now_ms(l->loop);
	if (smpp_pace_refused(&l->pace, queue_full, (uint32_t)random_below(UINT32_MAX), now_ms))
		log_event(LOG_WARNING, "link_throttled", LOG_TEXT(carrier, l->config.carrier),
		          LOG_NUM(link, l->config.number), LOG_NUM(delay_ms, l->pace.paused_until_ms - now_ms));
}

bool link_carrier_bound(const struct carrier_link *l)
{
	return l->bound;
}

unsigned link_carrier_in_flight(const struct carrier_link *l)
{
	return l->pump ? smpp_session_in_flight(link_pump_session(l->pump)) : 0;
}

const char *link_carrier_name(const struct carrier_link *l)
{
	return l->config.carrier;
}

void link_carrier_set_rate(struct carrier_link *l, double rate)
{
	if (rate != l->config.rate)
		smpp_pace_set_rate(&l->pace, rate, net_loop_now_ms(l->loop));
	l->config.rate = rate;
}

void link_carrier_set_tls(struct carrier_link *l, struct tls_context *tls)
{
	net_tls_ref(tls);
	net_tls_unref(l->config.tls);
	l->config.tls = tls;
	if (l->pump || l->ending || l->refused || l->config.connect != LINK_DIAL)
		return; /* a bound link stays as it is; a refused bind waits its time, certificates or not */
	l->delay_ms = 0;
	net_timer_start(l->timer, 0);
}

void link_carrier_unbind(struct carrier_link *l)
{
	l->ending = true;
	net_timer_stop(l->timer);
	if (l->pump)
		link_pump_unbind(l->pump);
}

bool link_carrier_gone(const struct carrier_link *l)
{
	return l->ending && !l->pump;
}

void link_carrier_free(struct carrier_link *l)
{
	check(!l->pump);
	net_timer_free(l->timer);
	net_tls_unref(l->config.tls);
	free(l);
}
