/* A panic inside the library comes out as a status. Links the library that was built with its test hooks. */
#include "check.h"

lvs_status lvs_test_panic(lvs_error **err);
lvs_status lvs_test_panic_inside(const lvs_director *director, lvs_error **err);

int main(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded(), *other = embedded();
  lvs_service web = service("tcp://192.0.2.1:80");

  FAILS(lvs_test_panic(&err), LVS_STATUS_PANIC);
  CHECK(strstr(lvs_error_message(err), "as the test asked") != NULL);
  CHECK(lvs_test_panic(NULL) == LVS_STATUS_PANIC);
  OK(lvs_director_add_service(director, &web, &err));

  /* A director that may be half changed refuses what follows; others go on. */
  FAILS(lvs_test_panic_inside(director, &err), LVS_STATUS_PANIC);
  FAILS(lvs_director_flush(director, &err), LVS_STATUS_PANIC);
  CHECK(strstr(lvs_error_message(err), "half changed") != NULL);
  CHECK(lvs_director_is_embedded(director));
  OK(lvs_director_add_service(other, &web, &err));

  lvs_director_free(director);
  lvs_director_free(other);
  lvs_error_free(err);
  return 0;
}
