/* How fast a session may submit: a token bucket in segments, narrowed while the carrier says that it is too much.
 *
 * A refusal (ESME_RTHROTTLED, ESME_RMSGQFUL) pauses the session, doubling up to a quarter of a minute, and halves what
 * is allowed; what is allowed grows again by a twentieth of the rate each second that passes without one (additive
 * increase, multiplicative decrease: traps 21 and 22). congestion_state (5.0 4.8.4.18) from 90 on slows down, 100
 * pauses. Pure: times are monotonic milliseconds that never go back, chance comes in as an argument. */
#ifndef SMPP_PACE_H
#define SMPP_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define SMPP_CONGESTED 90       /* congestion_state from which we slow down */
#define SMPP_CONGESTION_FULL 99 /* and past which we stop for a while */

struct smpp_pace {
	double rate;    /* segments a second by configuration; 0: no limit */
	double allowed; /* segments a second now; 0: no limit */
	double tokens;  /* may fall below zero: a message of several segments borrows */
	int64_t tokens_at_ms;
	int64_t paused_until_ms;
	int64_t pause_ms; /* the last pause; 0 after an answer that was no refusal */
	int64_t narrowed_at_ms;
	int64_t grown_at_ms;
	int64_t second_at_ms; /* the second being counted */
	unsigned second;      /* segments in it */
	unsigned second_last; /* and in the one before */
};

void smpp_pace_init(struct smpp_pace *p, double rate, int64_t now_ms);
/* A new configured rate; what the carrier refused is forgotten. */
void smpp_pace_set_rate(struct smpp_pace *p, double rate, int64_t now_ms);
/* Segments that may go now; UINT32_MAX when there is no limit. */
unsigned smpp_pace_allows(struct smpp_pace *p, int64_t now_ms);
/* So many segments went. */
void smpp_pace_spend(struct smpp_pace *p, unsigned segments, int64_t now_ms);
/* The carrier refused: too fast, or (queue_full) its queue is full, which takes longer to empty. chance is any 32 bits
 * of randomness for the jitter. True when a new pause began; refusals within a pause are the same word. */
bool smpp_pace_refused(struct smpp_pace *p, bool queue_full, uint32_t chance, int64_t now_ms);
/* The carrier took one. */
void smpp_pace_taken(struct smpp_pace *p);
/* congestion_state of an answer, 0..100. */
void smpp_pace_congestion(struct smpp_pace *p, uint32_t state, int64_t now_ms);
/* When more may go; now_ms or earlier when some may now. */
int64_t smpp_pace_ready_ms(const struct smpp_pace *p, int64_t now_ms);

#endif
