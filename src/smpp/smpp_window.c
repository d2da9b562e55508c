#include "smpp_window.h"

#include "base_check.h"
#include "base_pool.h"

#include <stdlib.h>
#include <string.h>

#define NONE UINT32_MAX

/* Open addressing from sequence to place, at most half full. Sequences are dense: their low bits would fill one long
 * run of buckets, which a removal has to walk to its end. The golden ratio sets neighbours far apart (Knuth,
 * TAOCP 6.4). */
struct index {
	uint32_t *place; /* NONE where empty */
	uint32_t mask;
	unsigned shift; /* of the product, whose high bits are the bucket */
};
#define GOLDEN 0x9e3779b1u

struct node {
	struct smpp_slot slot;
	uint32_t next;
	uint32_t prev;
	bool written;
};

struct queue {
	uint32_t head;
	uint32_t tail;
};

struct smpp_window {
	struct node *nodes;
	unsigned slots;
	unsigned used;
	uint32_t free;        /* first free node */
	struct queue waiting; /* not yet written */
	struct queue written;
	struct index index;
	struct smpp_slot *late; /* a ring; sequence 0 where empty */
	uint32_t late_at;
	struct index late_index;
};

static void index_init(struct index *x, unsigned entries)
{
	uint32_t size = 16;
	x->shift = 28;
	for (; size < entries * 2; size *= 2)
		x->shift--;
	x->mask = size - 1;
	x->place = mem_alloc(size * sizeof *x->place);
}

static void index_clear(struct index *x)
{
	memset(x->place, 0xff, ((size_t)x->mask + 1) * sizeof *x->place);
}

/* What a place holds differs, the search does not: one function tells the sequence of a place. */
static uint32_t sequence_at(const struct smpp_window *w, const struct index *x, uint32_t place)
{
	return x == &w->index ? w->nodes[place].slot.sequence : w->late[place].sequence;
}

static uint32_t index_home(const struct index *x, uint32_t sequence)
{
	return sequence * GOLDEN >> x->shift;
}

static uint32_t index_bucket(const struct smpp_window *w, const struct index *x, uint32_t sequence)
{
	uint32_t b = index_home(x, sequence);
	while (x->place[b] != NONE && sequence_at(w, x, x->place[b]) != sequence)
		b = (b + 1) & x->mask;
	return b;
}

static uint32_t index_find(const struct smpp_window *w, const struct index *x, uint32_t sequence)
{
	return x->place[index_bucket(w, x, sequence)];
}

static void index_add(struct smpp_window *w, struct index *x, uint32_t sequence, uint32_t place)
{
	uint32_t b = index_bucket(w, x, sequence);
	check(x->place[b] == NONE);
	x->place[b] = place;
}

/* Takes the entry out and moves those behind it up, so that searches still find them. */
static void index_remove(struct smpp_window *w, struct index *x, uint32_t sequence)
{
	uint32_t hole = index_bucket(w, x, sequence);
	check(x->place[hole] != NONE);
	for (uint32_t b = (hole + 1) & x->mask; x->place[b] != NONE; b = (b + 1) & x->mask) {
		uint32_t home = index_home(x, sequence_at(w, x, x->place[b]));
		if (((b - home) & x->mask) >= ((b - hole) & x->mask)) {
			x->place[hole] = x->place[b];
			hole = b;
		}
	}
	x->place[hole] = NONE;
}

static void queue_push(struct smpp_window *w, struct queue *q, uint32_t i)
{
	w->nodes[i].prev = q->tail;
	w->nodes[i].next = NONE;
	if (q->tail == NONE)
		q->head = i;
	else
		w->nodes[q->tail].next = i;
	q->tail = i;
}

static void queue_remove(struct smpp_window *w, struct queue *q, uint32_t i)
{
	struct node *node = &w->nodes[i];
	if (node->prev == NONE)
		q->head = node->next;
	else
		w->nodes[node->prev].next = node->next;
	if (node->next == NONE)
		q->tail = node->prev;
	else
		w->nodes[node->next].prev = node->prev;
}

struct smpp_window *smpp_window_new(unsigned slots)
{
	check(slots >= 1 && slots <= LIMIT_WINDOW);
	struct smpp_window *w = mem_alloc(sizeof *w);
	w->slots = slots;
	w->nodes = mem_alloc(slots * sizeof *w->nodes);
	w->late = mem_alloc(LIMIT_LATE * sizeof *w->late);
	index_init(&w->index, slots);
	index_init(&w->late_index, LIMIT_LATE);
	smpp_window_clear(w);
	return w;
}

void smpp_window_free(struct smpp_window *w)
{
	free(w->nodes);
	free(w->late);
	free(w->index.place);
	free(w->late_index.place);
	free(w);
}

void smpp_window_clear(struct smpp_window *w)
{
	w->used = 0;
	w->waiting = w->written = (struct queue){NONE, NONE};
	for (uint32_t i = 0; i < w->slots; i++)
		w->nodes[i].next = i + 1 < w->slots ? i + 1 : NONE;
	w->free = 0;
	w->late_at = 0;
	memset(w->late, 0, LIMIT_LATE * sizeof *w->late);
	index_clear(&w->index);
	index_clear(&w->late_index);
}

unsigned smpp_window_used(const struct smpp_window *w)
{
	return w->used;
}

unsigned smpp_window_free_slots(const struct smpp_window *w)
{
	return w->slots - w->used;
}

bool smpp_window_has(const struct smpp_window *w, uint32_t sequence)
{
	return index_find(w, &w->index, sequence) != NONE || index_find(w, &w->late_index, sequence) != NONE;
}

void smpp_window_open(struct smpp_window *w, uint64_t ref, uint32_t sequence, enum smpp_command answer)
{
	uint32_t i = w->free;
	check(i != NONE && sequence != 0);
	index_add(w, &w->index, sequence, i);
	w->free = w->nodes[i].next;
	w->nodes[i].slot = (struct smpp_slot){ref, 0, sequence, answer};
	w->nodes[i].written = false;
	queue_push(w, &w->waiting, i);
	w->used++;
}

void smpp_window_written(struct smpp_window *w, int64_t now_ms)
{
	while (w->waiting.head != NONE) {
		uint32_t i = w->waiting.head;
		queue_remove(w, &w->waiting, i);
		w->nodes[i].slot.written_ms = now_ms;
		w->nodes[i].written = true;
		queue_push(w, &w->written, i);
	}
}

static void take_out(struct smpp_window *w, uint32_t i, struct smpp_slot *slot_r)
{
	struct node *node = &w->nodes[i];
	*slot_r = node->slot;
	index_remove(w, &w->index, node->slot.sequence);
	queue_remove(w, node->written ? &w->written : &w->waiting, i);
	node->next = w->free;
	w->free = i;
	w->used--;
}

static bool answers(const struct smpp_slot *slot, enum smpp_command answer)
{
	return answer == SMPP_generic_nack || answer == slot->answer;
}

bool smpp_window_close(struct smpp_window *w, uint32_t sequence, enum smpp_command answer, struct smpp_slot *slot_r)
{
	uint32_t i = index_find(w, &w->index, sequence);
	/* What was not written cannot have been answered: such an answer is a guess. */
	if (i == NONE || !w->nodes[i].written || !answers(&w->nodes[i].slot, answer))
		return false;
	take_out(w, i, slot_r);
	return true;
}

static void drop_late(struct smpp_window *w, uint32_t i)
{
	index_remove(w, &w->late_index, w->late[i].sequence);
	w->late[i].sequence = 0;
}

bool smpp_window_close_late(struct smpp_window *w, uint32_t sequence, enum smpp_command answer,
                            struct smpp_slot *slot_r)
{
	uint32_t i = index_find(w, &w->late_index, sequence);
	if (i == NONE || !answers(&w->late[i], answer))
		return false;
	*slot_r = w->late[i];
	drop_late(w, i);
	return true;
}

int64_t smpp_window_oldest_ms(const struct smpp_window *w)
{
	return w->written.head == NONE ? INT64_MAX : w->nodes[w->written.head].slot.written_ms;
}

void smpp_window_expire(struct smpp_window *w, struct smpp_slot *slot_r)
{
	check(w->written.head != NONE);
	take_out(w, w->written.head, slot_r);
	uint32_t i = w->late_at++ % LIMIT_LATE;
	if (w->late[i].sequence)
		drop_late(w, i);
	w->late[i] = *slot_r;
	index_add(w, &w->late_index, slot_r->sequence, i);
}

bool smpp_window_pop(struct smpp_window *w, struct smpp_slot *slot_r, bool *written_r)
{
	*written_r = w->waiting.head == NONE;
	uint32_t i = *written_r ? w->written.head : w->waiting.head;
	if (i == NONE)
		return false;
	take_out(w, i, slot_r);
	return true;
}
