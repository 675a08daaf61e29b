/*
 * What a program written against libipvs becomes; migrating-from-libipvs.md shows the two side by side.
 *
 *     migrated             on an embedded director: needs nothing
 *     migrated --kernel    on the running kernel: needs CAP_NET_ADMIN
 */
#include <lvs.h>

#include <stdio.h>
#include <string.h>

/* Tells anything but "it is there already". */
static void tell(lvs_status status, const lvs_error *err) {
  if (status != LVS_STATUS_OK && status != LVS_STATUS_ALREADY_EXISTS)
    fprintf(stderr, "%s\n", lvs_error_message(err));
}

int main(int argc, char **argv) {
  lvs_error *err = NULL;
  lvs_director *director = NULL;
  lvs_service svc = LVS_SERVICE_INIT;
  lvs_destination dest = LVS_DESTINATION_INIT;
  lvs_snapshot *snapshot = NULL;
  lvs_status status;

  if (argc > 1 && strcmp(argv[1], "--kernel") == 0)
    status = lvs_director_open_kernel(NULL, &director, &err);
  else
    status = lvs_director_open_embedded(NULL, &director, &err);
  if (status != LVS_STATUS_OK) {
    fprintf(stderr, "%s\n", lvs_error_message(err));
    lvs_error_free(err);
    return 1;
  }

  status = lvs_service_key_parse("tcp://192.0.2.1:80", &svc.key, &err);
  if (status == LVS_STATUS_OK)
    status = lvs_destination_key_parse("198.51.100.7:8080", &dest.key, &err);
  if (status != LVS_STATUS_OK)
    goto out;
  tell(lvs_director_add_service(director, &svc, &err), err);
  dest.forwarding = LVS_FORWARDING_MASQUERADE;
  dest.weight = 3;
  tell(lvs_director_add_destination(director, &svc.key, &dest, &err), err);

  status = lvs_director_snapshot(director, &snapshot, &err);
  if (status != LVS_STATUS_OK)
    goto out;
  lvs_snapshot_sort(snapshot);
  for (size_t i = 0; i < lvs_snapshot_services_len(snapshot); i++) {
    lvs_service entry = LVS_SERVICE_INIT;
    lvs_service_state state = LVS_SERVICE_STATE_INIT;
    char name[LVS_SERVICE_KEY_STRLEN];
    status = lvs_snapshot_service_get(snapshot, i, &entry, &state, &err);
    if (status != LVS_STATUS_OK)
      goto out;
    lvs_service_key_format(&entry.key, name, sizeof name);
    printf("%s %s: %llu connections\n", name, entry.scheduler,
           (unsigned long long)state.stats.counters.connections);
    for (size_t j = 0; j < lvs_snapshot_destinations_len(snapshot, i); j++) {
      lvs_destination d = LVS_DESTINATION_INIT;
      lvs_destination_state counts = LVS_DESTINATION_STATE_INIT;
      char server[LVS_DESTINATION_KEY_STRLEN];
      status = lvs_snapshot_destination_get(snapshot, i, j, &d, &counts, &err);
      if (status != LVS_STATUS_OK)
        goto out;
      lvs_destination_key_format(&d.key, server, sizeof server);
      printf("  %s weight %u: %u active\n", server, d.weight, counts.active);
    }
  }
out:
  if (status != LVS_STATUS_OK)
    fprintf(stderr, "%s\n", lvs_error_message(err));
  lvs_snapshot_free(snapshot);
  lvs_director_free(director);
  lvs_error_free(err);
  if (fflush(stdout) != 0 || ferror(stdout)) {
    perror("stdout");
    return 1;
  }
  return status == LVS_STATUS_OK ? 0 : 1;
}
