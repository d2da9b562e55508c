#include "smpp_list.h"

#include <string.h>

#define DEST_BYTES 21 /* destination_addr and dl_name with their NUL */
#define ID_BYTES 65   /* message_id with its NUL; 3.3 has 9 */

bool smpp_cstr_read(struct cursor *c, size_t max, struct view *text_r)
{
	size_t left = cursor_left(c);
	size_t reach = left < max ? left : max;
	const uint8_t *nul = reach ? memchr(c->p + c->at, 0, reach) : NULL;
	if (!nul) {
		c->bad = reach < max;
		return false;
	}
	*text_r = view_of(c->p + c->at, (size_t)(nul - (c->p + c->at)));
	c->at += text_r->n + 1;
	return true;
}

enum smpp_list_result smpp_list_read(enum smpp_type type, struct cursor *c, struct smpp_dest *dest_r)
{
	*dest_r = (struct smpp_dest){.dest_flag = 1};
	if (cursor_left(c) == 0)
		return SMPP_LIST_END;
	if (type == SMPP_DESTS)
		dest_r->dest_flag = cursor_u8(c);
	if (dest_r->dest_flag != 1 && dest_r->dest_flag != 2)
		return SMPP_LIST_FLAG;
	if (type != SMPP_IDS && dest_r->dest_flag == 1) {
		dest_r->ton = cursor_u8(c);
		dest_r->npi = cursor_u8(c);
	}
	if (!smpp_cstr_read(c, type == SMPP_IDS ? ID_BYTES : DEST_BYTES, &dest_r->address))
		return c->bad ? SMPP_LIST_CUT : SMPP_LIST_LONG;
	if (type == SMPP_UNSUCCESS)
		dest_r->error_status_code = cursor_u32(c);
	return c->bad ? SMPP_LIST_CUT : SMPP_LIST_ENTRY;
}

bool smpp_list_next(enum smpp_type type, struct view entries, size_t *at, struct smpp_dest *dest_r)
{
	struct cursor c = cursor_over(entries);
	c.at = *at < entries.n ? *at : entries.n;
	bool more = smpp_list_read(type, &c, dest_r) == SMPP_LIST_ENTRY;
	if (more)
		*at = c.at;
	return more;
}
