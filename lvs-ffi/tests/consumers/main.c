/* What a project of somebody else's does first. */
#include <lvs.h>
#include <stdio.h>

int main(void) {
  lvs_error *err = NULL;
  lvs_director *director = NULL;
  lvs_info info = LVS_INFO_INIT;
  if (lvs_director_open_embedded(NULL, &director, &err) != LVS_STATUS_OK ||
      lvs_director_info(director, &info, &err) != LVS_STATUS_OK) {
    fprintf(stderr, "%s\n", lvs_error_message(err));
    lvs_error_free(err);
    return 1;
  }
  printf("liblvs %s, IPVS %d.%d.%d\n", lvs_version(), info.version_major, info.version_minor, info.version_patch);
  lvs_director_free(director);
  return 0;
}
