/* Entries of dest_address, unsuccess_sme and message_id lists as they lie on the wire: SMPP 3.4 5.2.25, 4.5.2.1. */
#ifndef SMPP_LIST_H
#define SMPP_LIST_H

#include "smpp_pdu.h"

enum smpp_list_result { SMPP_LIST_ENTRY, SMPP_LIST_END, SMPP_LIST_CUT, SMPP_LIST_LONG, SMPP_LIST_FLAG };

/* Reads one entry at c. CUT: the octets end inside it; LONG: a text passes its width; FLAG: neither address nor list.
 * */
enum smpp_list_result smpp_list_read(enum smpp_type type, struct cursor *c, struct smpp_dest *dest_r);

/* C-octet string of at most max octets with its NUL. False: bad is set when the octets end before that, else it is too
 * long. */
bool smpp_cstr_read(struct cursor *c, size_t max, struct view *text_r);

#endif
