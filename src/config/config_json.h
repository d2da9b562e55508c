/* YAML to JSON, for documents that are kept as YAML and served as JSON (proto/openapi.yaml). */
#ifndef CONFIG_JSON_H
#define CONFIG_JSON_H

#include "base_bytes.h"

/* Writes the first document of yaml as JSON (core schema: null, true, false, numbers, strings). False with a sentence in
 * error for anything that is not plain YAML: syntax errors, anchors, non-text keys, depth over 64. */
bool config_yaml_to_json(struct view yaml, struct buf *json, struct buf *error);

#endif
