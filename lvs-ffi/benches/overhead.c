/* The C side of overhead.rs: the same work through lvs.h. Built into a shared object that the bench loads. */
#include <lvs.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static void must(lvs_status status) {
  if (status != LVS_STATUS_OK)
    abort();
}

/* A director with so many services, each with so many servers: embedded, or the running kernel's. */
lvs_director *bench_fill(bool kernel, unsigned services, unsigned servers) {
  lvs_director *director = NULL;
  lvs_batch *batch = NULL;
  if (kernel)
    must(lvs_director_open_kernel(NULL, &director, NULL));
  else
    must(lvs_director_open_embedded(NULL, &director, NULL));
  must(lvs_batch_new(&batch, NULL));
  for (unsigned i = 0; i < services; i++) {
    lvs_service service = LVS_SERVICE_INIT;
    must(lvs_service_key_endpoint(LVS_PROTOCOL_TCP, "192.0.2.1", (uint16_t)(1 + i), &service.key, NULL));
    must(lvs_batch_add_service(batch, &service, NULL));
    for (unsigned j = 0; j < servers; j++) {
      lvs_destination server = LVS_DESTINATION_INIT;
      must(lvs_destination_key_parse("198.51.100.1:80", &server.key, NULL));
      server.key.addr.bytes[3] = (uint8_t)(1 + j);
      must(lvs_batch_add_destination(batch, &service.key, &server, NULL));
    }
  }
  must(lvs_director_apply(director, batch, LVS_ON_REFUSAL_STOP, NULL, NULL));
  lvs_batch_free(batch);
  return director;
}

/* Takes a snapshot and reads every entry of it, configuration and statistics. */
uint64_t bench_snapshot(const lvs_director *director) {
  lvs_snapshot *snapshot = NULL;
  lvs_service service = LVS_SERVICE_INIT;
  lvs_service_state state = LVS_SERVICE_STATE_INIT;
  lvs_destination server = LVS_DESTINATION_INIT;
  lvs_destination_state counts = LVS_DESTINATION_STATE_INIT;
  uint64_t sum = 0;
  must(lvs_director_snapshot(director, &snapshot, NULL));
  for (size_t i = 0, services = lvs_snapshot_services_len(snapshot); i < services; i++) {
    must(lvs_snapshot_service_get(snapshot, i, &service, &state, NULL));
    sum += service.key.port + (unsigned char)service.scheduler[0] + state.stats.counters.connections +
           state.stats.rates.bytes_in;
    for (size_t j = 0, servers = lvs_snapshot_destinations_len(snapshot, i); j < servers; j++) {
      must(lvs_snapshot_destination_get(snapshot, i, j, &server, &counts, NULL));
      sum += server.weight + server.key.port + counts.active + counts.stats.counters.connections;
    }
  }
  lvs_snapshot_free(snapshot);
  return sum;
}

/* So many calls that do next to nothing. */
uint64_t bench_version(unsigned calls) {
  uint64_t sum = 0;
  for (unsigned i = 0; i < calls; i++)
    sum += lvs_version_number();
  return sum;
}

/* So many reads of an entry of a snapshot. */
uint64_t bench_get(const lvs_director *director, unsigned calls) {
  lvs_snapshot *snapshot = NULL;
  lvs_destination server = LVS_DESTINATION_INIT;
  lvs_destination_state counts = LVS_DESTINATION_STATE_INIT;
  uint64_t sum = 0;
  must(lvs_director_snapshot(director, &snapshot, NULL));
  size_t services = lvs_snapshot_services_len(snapshot);
  for (unsigned i = 0; i < calls; i++) {
    must(lvs_snapshot_destination_get(snapshot, i % services, 0, &server, &counts, NULL));
    sum += server.weight;
  }
  lvs_snapshot_free(snapshot);
  return sum;
}

/* So many calls that take the director's lock. */
uint64_t bench_timeouts(const lvs_director *director, unsigned calls) {
  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  uint64_t sum = 0;
  for (unsigned i = 0; i < calls; i++) {
    must(lvs_director_timeouts(director, &timeouts, NULL));
    sum += timeouts.udp;
  }
  return sum;
}
