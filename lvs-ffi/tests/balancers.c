/* The schedulers by themselves. */
#include "check.h"

static void fourteen_schedulers_have_names(void) {
  lvs_error *err = NULL;
  lvs_scheduler scheduler = LVS_SCHEDULER_INIT;
  CHECK(lvs_schedulers_len() == 14);
  for (size_t i = 0; i < 14; i++) {
    lvs_balancer *balancer = NULL;
    OK(lvs_schedulers_get(i, &scheduler, &err));
    CHECK(scheduler.name[0] != '\0' && scheduler.title[0] != '\0');
    CHECK((scheduler.deterministic == 0) == (strcmp(scheduler.name, "twos") == 0));
    OK(lvs_balancer_new(scheduler.name, NULL, &balancer, &err));
    lvs_balancer_free(balancer);
  }
  CHECK(strcmp(scheduler.title, "power of two choices") == 0);
  FAILS(lvs_schedulers_get(14, &scheduler, &err), LVS_STATUS_INVALID_INPUT);
  lvs_error_free(err);
}

static void weighted_least_connections_chooses_as_the_kernel_does(void) {
  static const unsigned expected[] = {3, 2, 1, 1, 2, 1};
  lvs_error *err = NULL;
  lvs_balancer *balancer = NULL;
  lvs_balancer_destination state = LVS_BALANCER_DESTINATION_INIT;
  lvs_request request = LVS_REQUEST_INIT;
  uint32_t number = 99, last = 0;
  bool found = false;
  OK(lvs_balancer_new("wlc", NULL, &balancer, &err));
  OK(lvs_address_parse("203.0.113.9", &request.client, &err));
  OK(lvs_address_parse("192.0.2.1", &request.target, &err));
  request.client_port = 40000;
  request.target_port = 80;
  OK(lvs_balancer_pick(balancer, &request, &number, &found, &err));
  CHECK(!found && number == 99);
  for (uint8_t host = 1; host <= 3; host++) {
    lvs_destination server = destination("198.51.100.0:80");
    server.key.addr.bytes[3] = host;
    server.weight = 4u - host;
    OK(lvs_balancer_add(balancer, &server, &last, &err));
    FAILS(lvs_balancer_add(balancer, &server, &number, &err), LVS_STATUS_ALREADY_EXISTS);
  }
  CHECK(lvs_balancer_len(balancer) == 3);
  for (unsigned i = 0; i < 6; i++) {
    OK(lvs_balancer_pick(balancer, &request, &number, &found, &err));
    CHECK(found);
    OK(lvs_balancer_count(balancer, number, LVS_BALANCER_EVENT_CONNECTION_ADDED, &err));
    OK(lvs_balancer_count(balancer, number, LVS_BALANCER_EVENT_CONNECTION_ACTIVATED, &err));
    OK(lvs_balancer_get(balancer, number, &state, &err));
    CHECK(state.key.addr.bytes[3] == expected[i] && state.active > 0 && state.listed);
  }
  OK(lvs_balancer_edit(balancer, number, 0, 5, 2, &err));
  OK(lvs_balancer_get(balancer, number, &state, &err));
  CHECK(state.weight == 0);
  OK(lvs_balancer_remove(balancer, number, &err));
  OK(lvs_balancer_release(balancer, number, &found, &err));
  CHECK(!found && lvs_balancer_len(balancer) == 2);
  OK(lvs_balancer_count(balancer, number, LVS_BALANCER_EVENT_CONNECTION_DEACTIVATED, &err));
  OK(lvs_balancer_count(balancer, number, LVS_BALANCER_EVENT_INACTIVE_REMOVED, &err));
  OK(lvs_balancer_count(balancer, number, LVS_BALANCER_EVENT_ACTIVE_REMOVED, &err));
  OK(lvs_balancer_count(balancer, number, LVS_BALANCER_EVENT_ACTIVE_REMOVED, &err));
  OK(lvs_balancer_count(balancer, number, LVS_BALANCER_EVENT_TEMPLATE_ADDED, &err));
  OK(lvs_balancer_count(balancer, number, LVS_BALANCER_EVENT_TEMPLATE_REMOVED, &err));
  OK(lvs_balancer_release(balancer, number, &found, &err));
  CHECK(found);
  FAILS(lvs_balancer_get(balancer, number, &state, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_balancer_count(balancer, last, 7, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_balancer_edit(balancer, last, 2147483648u, 0, 0, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_balancer_edit(balancer, 77, 1, 0, 0, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_balancer_remove(balancer, 0xffffffffu, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_balancer_release(balancer, 77, &found, &err), LVS_STATUS_NOT_FOUND);
  request.protocol = 256;
  FAILS(lvs_balancer_pick(balancer, &request, &number, &found, &err), LVS_STATUS_INVALID_INPUT);
  lvs_balancer_free(balancer);
  lvs_error_free(err);
}

static void options_are_checked_and_time_is_told(void) {
  lvs_error *err = NULL;
  lvs_balancer *balancer = NULL;
  lvs_balancer_options options = LVS_BALANCER_OPTIONS_INIT;
  lvs_destination server = destination("198.51.100.1:80");
  lvs_request request = LVS_REQUEST_INIT;
  uint32_t number = 0;
  bool found = false;
  options.profile = LVS_PROFILE_OLD;
  OK(lvs_address_parse("203.0.113.9", &request.client, &err));
  OK(lvs_address_parse("192.0.2.1", &request.target, &err));
  OK(lvs_balancer_new("lblc", &options, &balancer, &err));
  CHECK(lvs_balancer_next_tick(balancer) == LVS_NEVER); /* nothing is remembered yet */
  OK(lvs_balancer_add(balancer, &server, &number, &err));
  OK(lvs_balancer_pick(balancer, &request, &number, &found, &err));
  CHECK(found && lvs_balancer_next_tick(balancer) != LVS_NEVER);
  OK(lvs_balancer_tick(balancer, 120000, &err));
  CHECK(lvs_balancer_next_tick(balancer) > 120000);
  OK(lvs_balancer_tick(balancer, UINT64_MAX, &err));
  CHECK(lvs_balancer_next_tick(balancer) == LVS_NEVER);
  lvs_balancer_free(balancer);
  balancer = NULL;
  options.profile = 3;
  FAILS(lvs_balancer_new("sh", &options, &balancer, &err), LVS_STATUS_INVALID_INPUT);
  options.profile = 0;
  options.family = 3;
  FAILS(lvs_balancer_new("sh", &options, &balancer, &err), LVS_STATUS_INVALID_INPUT);
  options.family = LVS_FAMILY_IPV4;
  options.sh_table_bits = 64;
  FAILS(lvs_balancer_new("sh", &options, &balancer, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_balancer_new("nosuch", NULL, &balancer, &err), LVS_STATUS_UNSUPPORTED);
  FAILS(lvs_balancer_new(NULL, NULL, &balancer, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_balancer_new("rr", NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_balancer_tick(NULL, 0, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_balancer_add(NULL, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(balancer == NULL && lvs_balancer_len(NULL) == 0 && lvs_balancer_next_tick(NULL) == LVS_NEVER);
  lvs_balancer_free(NULL);
  lvs_error_free(err);
}

int main(void) {
  fourteen_schedulers_have_names();
  weighted_least_connections_chooses_as_the_kernel_does();
  options_are_checked_and_time_is_told();
  return 0;
}
