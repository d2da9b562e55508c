/* The demonstration's parts, shared by app_demo.c (puts it together) and app_story.c (plays the story). */
#ifndef APP_DEMO_H
#define APP_DEMO_H

#include "app_call.h"
#include "app_process.h"
#include "store_client.h"

struct demo {
	char dir[200];
	char config_path[256];
	char practice[64];
	char secret[80];
	pid_t postgres, carrier, clinic, gateway;
	int http_port, carrier_port, clinic_port;
	int phone_fifo;          /* commands to the simulated carrier: what patients text */
	const char *clock_start; /* RFC 3339 */
	double clock_rate;
	unsigned reloads;
	struct caller api;
	struct store_client *db; /* as the compliance role may see it, and more: the owner's */
};

/* Writes the gateway's configuration with the clock at start. */
bool demo_write_config(const struct demo *d);
/* Moves the gateway's rule clock: new configuration, SIGHUP, and waits until it is in force. */
bool demo_set_clock(struct demo *d, const char *start, double rate);
/* What a patient texts. */
void demo_patient_texts(const struct demo *d, const char *phone, const char *text);

#define DEMO_SENDER "+13125550199"

/* Plays the story; false at the first thing that is not as told. */
bool story_play(struct demo *d);

#endif
