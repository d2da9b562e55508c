#include "store_sql.h"

#include "base_check.h"

#include <string.h>

const struct store_file *store_sql(const char *name)
{
	const struct store_file *f = store_sql_files;
	while (f->name && strcmp(f->name, name) != 0)
		f++;
	check(f->name);
	return f;
}
