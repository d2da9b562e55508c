#include "script_book.h"

#include "base_check.h"
#include "base_pool.h"

#include <stdlib.h>
#include <string.h>

struct script_book {
	struct script_message *message; /* of a number: message[number % room] */
	unsigned room, ceiling;
	uint64_t first, next;
	uint64_t seed;
	uint64_t forgotten;
	unsigned open;
};

#define ROOM_FIRST 1024

struct script_book *script_book_new(uint64_t first, uint64_t seed, unsigned ceiling)
{
	struct script_book *b = mem_alloc(sizeof(*b));
	check(ceiling && ceiling <= SCRIPT_BOOK_MAX && (ceiling & (ceiling - 1)) == 0);
	*b = (struct script_book){.first = first, .next = first, .seed = seed, .ceiling = ceiling};
	b->room = ceiling < ROOM_FIRST ? ceiling : ROOM_FIRST;
	b->message = mem_alloc(b->room * sizeof(*b->message));
	return b;
}

void script_book_free(struct script_book *b)
{
	if (!b)
		return;
	free(b->message);
	free(b);
}

static void grow(struct script_book *b)
{
	unsigned room = b->room * 2;
	struct script_message *m = mem_alloc(room * sizeof(*m));
	for (uint64_t n = b->next - b->room; n < b->next; n++)
		m[n % room] = b->message[n % b->room];
	free(b->message);
	b->message = m;
	b->room = room;
}

static bool final(const struct script_message *m)
{
	return smpp_message_state_final((enum smpp_message_state)m->state);
}

struct script_message *script_book_add(struct script_book *b, enum script_word spelling)
{
	if (b->next - b->first >= b->room) {
		if (b->room < b->ceiling) {
			grow(b);
		} else if (!final(&b->message[b->next % b->room])) {
			b->forgotten++;
			b->open--;
		}
	}
	struct script_message *m = &b->message[b->next % b->room];
	*m = (struct script_message){.number = b->next++, .spelling = (uint8_t)spelling, .state = SMPP_STATE_ENROUTE};
	b->open++;
	return m;
}

struct script_message *script_book_get(struct script_book *b, uint64_t number)
{
	if (number < b->first || number >= b->next || b->next - number > b->room)
		return NULL;
	return &b->message[number % b->room];
}

struct script_message *script_book_find(struct script_book *b, struct view id)
{
	uint64_t number[SCRIPT_ID_READINGS];
	char spelled[SCRIPT_ID_BYTES];
	unsigned n = script_id_read(id, number);
	for (unsigned i = 0; i < n; i++) {
		struct script_message *m = script_book_get(b, number[i]);
		if (m &&
		    view_eq(id, view_str(script_id_spell((enum script_word)m->spelling, m->number, b->seed, spelled))))
			return m;
	}
	return NULL;
}

void script_book_move(struct script_book *b, struct script_message *m, enum smpp_message_state state, int64_t now_us)
{
	if (final(m))
		return;
	m->state = (uint8_t)state;
	if (!final(m))
		return;
	m->final_us = now_us;
	b->open--;
}

uint64_t script_book_last(const struct script_book *b)
{
	return b->next - 1;
}

unsigned script_book_open(const struct script_book *b)
{
	return b->open;
}

uint64_t script_book_forgotten(const struct script_book *b)
{
	return b->forgotten;
}
