/* A process that uses the library is left as it was: no thread, no signal handler or mask, no file descriptor. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

/* What tells: lines of /proc/self/status, and the lowest file descriptor that is free. */
static void describe(char *text, size_t size) {
  static const char *const wanted[] = {"Threads:", "SigBlk:", "SigIgn:", "SigCgt:", NULL};
  char line[256];
  size_t used = 0;
  FILE *status = fopen("/proc/self/status", "r");
  CHECK(status != NULL);
  while (fgets(line, sizeof line, status))
    for (const char *const *name = wanted; *name; name++)
      if (strncmp(line, *name, strlen(*name)) == 0)
        used += (size_t)snprintf(text + used, size - used, "%s", line);
  used += (size_t)snprintf(text + used, size - used, "Free descriptor:\t%d\n", fileno(status));
  fclose(status);
  CHECK(used > 0 && used < size);
}

static void see_nothing_change(void) {
  static const char text[] = "-A -t 192.0.2.1:80 -s mh\n-a -t 192.0.2.1:80 -r 198.51.100.7:80 -g -w 1\n";
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_rules_options options = LVS_RULES_OPTIONS_INIT;
  lvs_rules *rules = NULL;
  lvs_batch *batch = NULL;
  lvs_snapshot *snapshot = NULL;
  lvs_text *listing = NULL;
  lvs_service missing = service("tcp://192.0.2.9:80");
  OK(lvs_rules_parse(text, strlen(text), &options, &rules, &err));
  OK(lvs_batch_new(&batch, &err));
  OK(lvs_rules_to_batch(rules, batch, &err));
  OK(lvs_director_apply(director, batch, LVS_ON_REFUSAL_STOP, NULL, &err));
  OK(lvs_director_advance(director, UINT64_C(60000000000), &err));
  FAILS(lvs_director_update_service(director, &missing, &err), LVS_STATUS_NOT_FOUND);
  OK(lvs_director_snapshot(director, &snapshot, &err));
  OK(lvs_text_new(&listing, &err));
  OK(lvs_snapshot_list(snapshot, NULL, listing, &err));
  CHECK(strstr(lvs_text_data(listing), "198.51.100.7:80") != NULL);
  lvs_text_free(listing);
  lvs_snapshot_free(snapshot);
  lvs_batch_free(batch);
  lvs_rules_free(rules);
  lvs_director_free(director);
  lvs_error_free(err);
}

int main(void) {
  char before[1024], after[1024];
  describe(before, sizeof before);
  CHECK(strstr(before, "Threads:\t1\n") != NULL);
  see_nothing_change();
  describe(after, sizeof after);
  if (strcmp(before, after) != 0)
    fprintf(stderr, "before:\n%safter:\n%s", before, after);
  CHECK(strcmp(before, after) == 0);
  return 0;
}
