/* libsmpp34 for tests/bench/smpp. In a file of its own: its names clash with ours. */
#ifndef SMPP_CODEC34_H
#define SMPP_CODEC34_H

#include <stddef.h>
#include <stdint.h>

/* A PDU as libsmpp34 keeps it. */
struct codec34;

/* Reads octets twice over, because its TLV and address lists come out turned round: a second turn makes them straight.
 * Ends the program when what it writes then is not the same octets. */
struct codec34 *codec34_new(const uint8_t *p, size_t n);
void codec34_free(struct codec34 *pdu);
/* Writes the PDU; its length, or -1. */
int codec34_encode(struct codec34 *pdu, uint8_t *to, size_t room);
/* Reads octets into memory of its own and gives the lists back, as every user of it must; 0, or -1. */
int codec34_decode(const uint8_t *p, size_t n);

#endif
