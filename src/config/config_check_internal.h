/* Shared by the checks. */
#ifndef CONFIG_CHECK_INTERNAL_H
#define CONFIG_CHECK_INTERNAL_H

#include "config_check.h"
#include "config_row.h"

struct config_checker {
	const char *file;
	const struct config *c;
	struct config_errors *errors;
};

/* Reports what is wrong at that key of that item (0 when the section is no list), with its place. */
void config_check_wrong(struct config_checker *k, enum config_section section, unsigned item, const char *key,
                        const char *problem, const char *expected);
/* Both or neither of a certificate and its key. */
void config_check_pair(struct config_checker *k, enum config_section section, unsigned item, const char *certificate,
                       const char *key);
/* Whether text, of an unfinished or finished reading, is an address and a port. */
bool config_check_is_listen(const char *text);

/* config_check_carrier.c: the section smpp and the carriers. */
void config_check_carriers(struct config_checker *k);
/* config_check_list.c: routes, senders, brands. */
void config_check_lists(struct config_checker *k);

#endif
