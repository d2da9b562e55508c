/* Zones of the system's tzdata, for tests. ZONEINFO names another folder. */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H

#include "policy_zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline const char *fixture_folder(void)
{
	const char *given = getenv("ZONEINFO");
	return given ? given : "/usr/share/zoneinfo";
}

/* The file's octets, or an empty view. The caller frees p. */
static inline struct view fixture_file(const char *name)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", fixture_folder(), name);
	FILE *f = fopen(path, "rb");
	if (!f)
		return (struct view){0};
	uint8_t *p = malloc(LIMIT_ZONE_FILE_BYTES);
	size_t n = p ? fread(p, 1, LIMIT_ZONE_FILE_BYTES, f) : 0;
	fclose(f);
	return view_of(p, n);
}

/* A zone of tzdata; ends the program when there is none, for then nothing that follows means anything. */
static inline struct zone *fixture_zone(const char *name)
{
	const char *error = "no such file";
	struct view file = fixture_file(name);
	struct zone *z = file.p ? policy_zone_parse(name, file, &error) : NULL;
	free((void *)(uintptr_t)file.p);
	if (!z) {
		fprintf(stderr, "%s/%s: %s\n", fixture_folder(), name, error);
		exit(1);
	}
	return z;
}

/* Every zone that an area code names, each once; returns how many. */
static inline size_t fixture_names(const char **names, size_t max)
{
	static const char *const every[] = {
#define NPA(area, region, ...) __VA_ARGS__,
#define NPA_ASSUMED(...) __VA_ARGS__
#include "npa.def"
	};
	size_t n = 0;
	for (size_t i = 0; i < sizeof(every) / sizeof(every[0]); i++) {
		size_t k = 0;
		while (k < n && strcmp(names[k], every[i]) != 0)
			k++;
		if (k == n && n < max)
			names[n++] = every[i];
	}
	return n;
}

/* Microseconds of a UTC time of day. */
static inline int64_t fixture_utc_us(int year, int month, int day, int hour, int minute, int second)
{
	struct civil c = {year, month, day, hour, minute, second};
	return time_seconds(&c) * SECOND_US;
}

#endif
