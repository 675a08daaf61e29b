/* What the examples share: opening a director, on the kernel or on a rules file. */
#ifndef LVS_EXAMPLE_COMMON_H
#define LVS_EXAMPLE_COMMON_H

#include <lvs.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads a whole file; the caller frees it. NULL, with errno set, if that fails. */
static inline char *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  char *text = NULL;
  size_t size = 0, space = 0;
  if (file == NULL)
    return NULL;
  for (;;) {
    if (size == space) {
      char *more = realloc(text, space = space ? 2 * space : 4096);
      if (more == NULL)
        break;
      text = more;
    }
    size_t got = fread(text + size, 1, space - size, file);
    size += got;
    if (got == 0)
      break;
  }
  int failure = errno;
  if (ferror(file)) {
    free(text);
    text = NULL;
  }
  fclose(file);
  errno = failure;
  *len = size;
  return text;
}

/* Opens the kernel director if `rules` is NULL, else an embedded director that holds what the rules file says. On failure
 * why_not_open() has the reason. */
static inline lvs_status open_director(const char *rules, lvs_director **director, lvs_error **err) {
  if (rules == NULL)
    return lvs_director_open_kernel(NULL, director, err);

  size_t len;
  char *text = read_file(rules, &len);
  if (text == NULL)
    return LVS_STATUS_IO;
  lvs_rules *parsed = NULL;
  lvs_batch *batch = NULL;
  lvs_director *opened = NULL;
  lvs_status status = lvs_rules_parse(text, len, NULL, &parsed, err);
  if (status == LVS_STATUS_OK)
    status = lvs_batch_new(&batch, err);
  if (status == LVS_STATUS_OK)
    status = lvs_rules_to_batch(parsed, batch, err);
  if (status == LVS_STATUS_OK)
    status = lvs_director_open_embedded(NULL, &opened, err);
  if (status == LVS_STATUS_OK)
    status = lvs_director_apply(opened, batch, LVS_ON_REFUSAL_STOP, NULL, err);
  if (status == LVS_STATUS_OK) {
    *director = opened;
    opened = NULL;
  }
  lvs_director_free(opened);
  lvs_batch_free(batch);
  lvs_rules_free(parsed);
  free(text);
  return status;
}

/* Why open_director() failed: what the library says, or why the file could not be read. */
static inline const char *why_not_open(const char *rules, const lvs_error *err, char *buffer, size_t size) {
  if (err != NULL)
    return lvs_error_message(err);
  snprintf(buffer, size, "cannot read %s: %s", rules, strerror(errno));
  return buffer;
}

#endif
