/* What libsmpp34 makes of a PDU: "name value" lines in wire order, numbers and octets in hexadecimal. */
#ifndef SMPP_DIFFER_H
#define SMPP_DIFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* True: *lines_r holds its lines. False: it refuses the PDU, and *lines_r holds why. room: enough for twice the PDU and
 * 64 octets a field. */
bool differ_theirs(const uint8_t *octets, size_t n, char *lines_r, size_t room);

#endif
