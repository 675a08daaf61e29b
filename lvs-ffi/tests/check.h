/* What the tests of the C ABI share: checks that say where they failed, and a few services. */
#ifndef LVS_TEST_CHECK_H
#define LVS_TEST_CHECK_H

#include <lvs.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                      \
  do {                                                                                        \
    if (!(condition)) {                                                                       \
      fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #condition);               \
      exit(1);                                                                                \
    }                                                                                         \
  } while (0)

/* A call that must succeed; `err` is in scope. */
#define OK(call)                                                                              \
  do {                                                                                        \
    lvs_status status_ = (call);                                                              \
    if (status_ != LVS_STATUS_OK) {                                                           \
      fprintf(stderr, "%s:%d: %s: %s: %s\n", __FILE__, __LINE__, #call, lvs_status_name(status_), \
              lvs_error_message(err));                                                        \
      exit(1);                                                                                \
    }                                                                                         \
  } while (0)

/* A call that must fail with this status, and store an error that says the same; `err` is in scope. */
#define FAILS(call, expected)                                                                 \
  do {                                                                                        \
    lvs_status status_ = (call);                                                              \
    if (status_ != (expected)) {                                                              \
      fprintf(stderr, "%s:%d: %s: %s, not %s\n", __FILE__, __LINE__, #call,                   \
              lvs_status_name(status_), lvs_status_name(expected));                           \
      exit(1);                                                                                \
    }                                                                                         \
    CHECK(lvs_error_status(err) == status_);                                                  \
    CHECK(strlen(lvs_error_message(err)) > 0);                                                \
  } while (0)

static inline lvs_service_key service_key(const char *text) {
  lvs_error *err = NULL;
  lvs_service_key key;
  OK(lvs_service_key_parse(text, &key, &err));
  return key;
}

static inline lvs_service service(const char *text) {
  lvs_service made = LVS_SERVICE_INIT;
  made.key = service_key(text);
  return made;
}

static inline lvs_destination destination(const char *text) {
  lvs_error *err = NULL;
  lvs_destination made = LVS_DESTINATION_INIT;
  OK(lvs_destination_key_parse(text, &made.key, &err));
  return made;
}

static inline lvs_director *embedded(void) {
  lvs_error *err = NULL;
  lvs_director *director = NULL;
  OK(lvs_director_open_embedded(NULL, &director, &err));
  return director;
}

#endif
