/* What the examples share: opening a director, on the kernel or on a rules file, and some traffic for the latter. */
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

/* Some clients for the embedded director, so that there is something to see. */
static inline void traffic(lvs_director *director, unsigned round, uint64_t seconds) {
  lvs_service_list *services = NULL;
  if (lvs_director_services(director, &services, NULL) != LVS_STATUS_OK)
    return;
  for (size_t i = 0; i < lvs_service_list_len(services); i++) {
    lvs_service service = LVS_SERVICE_INIT;
    lvs_flow flow = LVS_FLOW_INIT;
    if (lvs_service_list_get(services, i, &service, NULL, NULL) != LVS_STATUS_OK)
      continue;
    bool v6 = service.key.addr.family == LVS_FAMILY_IPV6;
    flow.service = service.key.addr;
    flow.protocol = service.key.protocol;
    flow.service_port = service.key.port;
    if (service.key.fwmark != 0) {
      if (lvs_address_parse(v6 ? "2001:db8::80" : "192.0.2.80", &flow.service, NULL) != LVS_STATUS_OK)
        continue;
      flow.protocol = LVS_PROTOCOL_TCP;
      flow.service_port = 80;
      flow.fwmark = service.key.fwmark;
    }
    if (lvs_address_parse(v6 ? "2001:db8:9::9" : "203.0.113.9", &flow.client, NULL) != LVS_STATUS_OK)
      continue;
    for (unsigned client = 0; client < 20; client++) {
      flow.client_port = (uint16_t)(1024 + (round * 20 + client) % 60000);
      /* A service of another protocol takes no traffic; it is shown all the same. */
      if (lvs_director_open_flow(director, &flow, NULL, NULL, NULL) == LVS_STATUS_OK)
        (void)(lvs_director_send_flow(director, &flow, 1000, NULL, NULL, NULL) == LVS_STATUS_OK);
    }
  }
  lvs_service_list_free(services);
  (void)(lvs_director_advance(director, seconds * UINT64_C(1000000000), NULL) == LVS_STATUS_OK);
}

#endif
