/* The check plug-in on the kernel. */
#define main check_main
#define OK CHECK_OK
#include "../../../examples/c/check_lvs.c"
#undef OK
#undef main
#include "../check.h"

int main(void) {
  char *all[] = {"check_lvs", "--kernel", "-w", "2", "-c", "1", NULL};
  char *one[] = {"check_lvs", "--kernel", "-s", "tcp://192.0.2.9:80", NULL};
  lvs_error *err = NULL;
  lvs_director *director = NULL;
  lvs_service web = service("tcp://192.0.2.1:80");
  lvs_destination server = destination("198.51.100.7:80");
  OK(lvs_director_open_kernel(NULL, &director, &err));
  OK(lvs_director_add_service(director, &web, &err));
  CHECK(check_main(6, all) == CRITICAL);
  OK(lvs_director_add_destination(director, &web.key, &server, &err));
  CHECK(check_main(6, all) == WARNING);
  server = destination("198.51.100.8:80");
  OK(lvs_director_add_destination(director, &web.key, &server, &err));
  CHECK(check_main(6, all) == CHECK_OK);
  CHECK(check_main(4, one) == UNKNOWN);
  lvs_director_free(director);
  return 0;
}
