/* Threads that share a director, that own one each, and that read one snapshot. */
#include "check.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 40 };

static lvs_director *shared;
static lvs_snapshot *seen;

/* Adds and removes services of its own on a director, and reads all of them. */
static void work_on(lvs_director *director, unsigned number) {
  lvs_error *err = NULL;
  lvs_batch *batch = NULL;
  OK(lvs_batch_new(&batch, &err));
  for (unsigned round = 0; round < ROUNDS; round++) {
    lvs_service mine = LVS_SERVICE_INIT;
    lvs_destination server = destination("198.51.100.7:80");
    OK(lvs_service_key_fwmark(1 + number * ROUNDS + round, LVS_FAMILY_IPV4, &mine.key, &err));
    lvs_batch_clear(batch);
    OK(lvs_batch_add_service(batch, &mine, &err));
    OK(lvs_batch_add_destination(batch, &mine.key, &server, &err));
    OK(lvs_director_apply(director, batch, LVS_ON_REFUSAL_CONTINUE, NULL, &err));
    FAILS(lvs_director_add_service(director, &mine, &err), LVS_STATUS_ALREADY_EXISTS);

    lvs_snapshot *snapshot = NULL;
    size_t index;
    OK(lvs_director_snapshot(director, &snapshot, &err));
    OK(lvs_snapshot_find(snapshot, &mine.key, &index, &err));
    CHECK(lvs_snapshot_destinations_len(snapshot, index) == 1);
    lvs_snapshot_free(snapshot);
    OK(lvs_director_advance(director, 1000000, &err));
    if (round % 2)
      OK(lvs_director_remove_service(director, &mine.key, &err));
  }
  lvs_batch_free(batch);
  lvs_error_free(err);
}

static void *share(void *argument) {
  work_on(shared, *(unsigned *)argument);
  return NULL;
}

static void *own(void *argument) {
  lvs_director *director = embedded();
  work_on(director, *(unsigned *)argument);
  lvs_director_free(director);
  return NULL;
}

static void *read_on(void *argument) {
  lvs_error *err = NULL;
  size_t count = lvs_snapshot_services_len(seen);
  (void)argument;
  CHECK(count == THREADS * ROUNDS / 2);
  for (size_t i = 0; i < count; i++) {
    lvs_service entry = LVS_SERVICE_INIT;
    lvs_destination_state state = LVS_DESTINATION_STATE_INIT;
    OK(lvs_snapshot_service_get(seen, i, &entry, NULL, &err));
    OK(lvs_snapshot_destination_get(seen, i, 0, NULL, &state, &err));
  }
  return NULL;
}

static void in_threads(void *(*work)(void *)) {
  pthread_t threads[THREADS];
  unsigned numbers[THREADS];
  for (unsigned i = 0; i < THREADS; i++) {
    numbers[i] = i;
    CHECK(pthread_create(&threads[i], NULL, work, &numbers[i]) == 0);
  }
  for (unsigned i = 0; i < THREADS; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void) {
  lvs_error *err = NULL;
  shared = embedded();
  in_threads(share);
  OK(lvs_director_snapshot(shared, &seen, &err));
  in_threads(read_on);
  in_threads(own);
  lvs_snapshot_free(seen);
  lvs_director_free(shared);
  return 0;
}
