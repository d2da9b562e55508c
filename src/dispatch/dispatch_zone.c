#include "dispatch_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct zone_cache {
	char *folder;
	struct zone *zone[LIMIT_ZONE_CACHE];
	unsigned count;
};

struct zone_cache *zone_cache_new(const char *folder)
{
	struct zone_cache *z = mem_alloc(sizeof(*z));
	z->folder = mem_copy_str(folder);
	return z;
}

static struct zone *load(const struct zone_cache *z, const char *name)
{
	char path[512];
	const char *why;
	struct zone *zone = NULL;
	struct buf file = BUF(LIMIT_ZONE_FILE_BYTES);
	int n = snprintf(path, sizeof(path), "%s/%s", z->folder, name);
	FILE *f = n > 0 && (size_t)n < sizeof(path) ? fopen(path, "rb") : NULL;
	if (!f)
		return NULL;
	uint8_t *room = buf_room(&file, LIMIT_ZONE_FILE_BYTES);
	file.n = fread(room, 1, LIMIT_ZONE_FILE_BYTES, f);
	fclose(f);
	zone = policy_zone_parse(name, buf_view(&file), &why);
	buf_free(&file);
	return zone;
}

const struct zone *zone_cache_get(struct zone_cache *z, const char *name)
{
	for (unsigned i = 0; i < z->count; i++)
		if (strcmp(policy_zone_name(z->zone[i]), name) == 0)
			return z->zone[i];
	if (!policy_zone_name_ok(view_str(name)) || z->count == LIMIT_ZONE_CACHE)
		return NULL;
	struct zone *zone = load(z, name);
	if (zone)
		z->zone[z->count++] = zone;
	return zone;
}

void zone_cache_free(struct zone_cache *z)
{
	for (unsigned i = 0; i < z->count; i++)
		policy_zone_free(z->zone[i]);
	free(z->folder);
	free(z);
}
