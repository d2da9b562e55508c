/* YAML to JSON, for documents that are kept as YAML and served as JSON (proto/openapi.yaml). */
#ifndef CONFIG_JSON_H
#define CONFIG_JSON_H

#include "base_bytes.h"

/* Appends the document as JSON (null, true, false, decimal numbers; everything else is text). False with a sentence in
 * error for anything that is not plain YAML: syntax errors, anchors, aliases, merge keys, tags, keys that are no text
 * or stand there twice, a second document, depth over 64, and plain scalars that YAML readers read in more than one way
 * (yes, 012, 1e3, 2026-03-02): quote those. *json is then as far as it came. */
bool config_yaml_to_json(struct view yaml, struct buf *json, struct buf *error);

#endif
