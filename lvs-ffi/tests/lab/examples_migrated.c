/* What a program written against libipvs becomes, on the kernel. */
#define main migrated_main
#include "../../../examples/c/migrated.c"
#undef main
#include "../check.h"

int main(void) {
  char *arguments[] = {"migrated", "--kernel", NULL};
  lvs_error *err = NULL;
  lvs_director *director = NULL;
  lvs_snapshot *snapshot = NULL;
  CHECK(migrated_main(2, arguments) == 0);
  CHECK(migrated_main(2, arguments) == 0); /* what is there already is no mistake */
  OK(lvs_director_open_kernel(NULL, &director, &err));
  OK(lvs_director_snapshot(director, &snapshot, &err));
  CHECK(lvs_snapshot_services_len(snapshot) == 1 && lvs_snapshot_destinations_len(snapshot, 0) == 1);
  lvs_snapshot_free(snapshot);
  lvs_director_free(director);
  return 0;
}
