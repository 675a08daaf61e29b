/* What a caller gets wrong: always a status, never a crash. */
#include "check.h"

static void every_pointer_may_be_null(void);

static void records_with_wrong_sizes_are_refused(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_service made = service("tcp://192.0.2.1:80");
  static const uint32_t sizes[] = {0, 1, 4, 87, 4097, 0xffffffffu};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    made.struct_size = sizes[i];
    FAILS(lvs_director_add_service(director, &made, &err), LVS_STATUS_INVALID_INPUT);
    CHECK(strstr(lvs_error_message(err), "LVS_SERVICE_INIT") != NULL);
    lvs_info info = LVS_INFO_INIT;
    info.struct_size = i == 3 ? 5 : sizes[i];
    FAILS(lvs_director_info(director, &info, &err), LVS_STATUS_INVALID_INPUT);
  }
  lvs_error_free(err);
  lvs_director_free(director);
}

static void records_of_a_newer_program_are_taken_if_their_tail_is_zero(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  struct {
    lvs_service service;
    uint64_t later[4];
  } newer;
  memset(&newer, 0, sizeof newer);
  newer.service = service("tcp://192.0.2.1:80");
  newer.service.struct_size = sizeof newer;
  OK(lvs_director_add_service(director, &newer.service, &err));
  newer.later[3] = 1;
  FAILS(lvs_director_update_service(director, &newer.service, &err), LVS_STATUS_INVALID_INPUT);
  OK(lvs_director_service(director, &newer.service.key, &newer.service, NULL, &err));
  CHECK(newer.service.struct_size == sizeof newer && newer.later[3] == 0);
  lvs_error_free(err);
  lvs_director_free(director);
}

static void nonsense_in_fields_is_refused(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_service good = service("tcp://192.0.2.1:80"), bad;
  lvs_destination server = destination("198.51.100.7:80"), odd;
  OK(lvs_director_add_service(director, &good, &err));

#define REFUSED(change)                                                                \
  do {                                                                                 \
    bad = good;                                                                        \
    odd = server;                                                                      \
    change;                                                                            \
    FAILS(lvs_director_update_service(director, &bad, &err), LVS_STATUS_INVALID_INPUT); \
  } while (0)
#define REFUSED_DESTINATION(change)                                                                 \
  do {                                                                                              \
    odd = server;                                                                                   \
    change;                                                                                         \
    FAILS(lvs_director_add_destination(director, &good.key, &odd, &err), LVS_STATUS_INVALID_INPUT); \
  } while (0)
  REFUSED(memset(bad.scheduler, 'x', sizeof bad.scheduler));
  REFUSED(memset(bad.engine, 'x', sizeof bad.engine));
  REFUSED(strcpy(bad.engine, "seventeen-bytes-x"));
  REFUSED(strcpy(bad.scheduler, "\xff\xfe"));
  REFUSED(strcpy(bad.scheduler, "\xc3"));
  REFUSED(bad.key.addr.family = 0);
  REFUSED(bad.key.addr.family = 1);
  REFUSED(bad.key.addr.reserved = 1);
  REFUSED(bad.key.addr.bytes[4] = 1);
  REFUSED(bad.key.reserved = 1);
  REFUSED(bad.key.fwmark = 7);
  REFUSED((bad.key = service_key("tcp://[2001:db8::1]:80"), bad.netmask = 0));
  REFUSED((bad.key = service_key("tcp://[2001:db8::1]:80"), bad.netmask = 129));
  REFUSED_DESTINATION(odd.forwarding = 8);
  REFUSED_DESTINATION(odd.forwarding = 0xffffffffu);
  REFUSED_DESTINATION(odd.tunnel = 256);
  REFUSED_DESTINATION(odd.key.reserved = 1);
  REFUSED_DESTINATION(odd.key.addr.family = 77);

  lvs_daemon daemon = LVS_DAEMON_INIT;
  strcpy(daemon.interface, "eth0");
  daemon.role = 3;
  FAILS(lvs_director_start_daemon(director, &daemon, &err), LVS_STATUS_INVALID_INPUT);
  daemon.role = LVS_ROLE_MASTER;
  daemon.reserved[2] = 1;
  FAILS(lvs_director_start_daemon(director, &daemon, &err), LVS_STATUS_INVALID_INPUT);
  daemon.reserved[2] = 0;
  daemon.group.family = 5;
  FAILS(lvs_director_start_daemon(director, &daemon, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_director_stop_daemon(director, 0, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_director_stop_daemon(director, 0xffffffffu, &err), LVS_STATUS_INVALID_INPUT);
  lvs_error_free(err);
  lvs_director_free(director);
}

static void huge_counts_are_refused(void) {
  lvs_error *err = NULL;
  lvs_director *director = NULL;
  lvs_embedded_options options = LVS_EMBEDDED_OPTIONS_INIT;
  lvs_interface one = {"eth0", 1500};
  options.interfaces = &one;
  options.interfaces_len = SIZE_MAX;
  FAILS(lvs_director_open_embedded(&options, &director, &err), LVS_STATUS_INVALID_INPUT);
  options.interfaces_len = SIZE_MAX / sizeof one;
  FAILS(lvs_director_open_embedded(&options, &director, &err), LVS_STATUS_INVALID_INPUT);
  options.interfaces_len = 0;
  options.local_len = 1;
  FAILS(lvs_director_open_embedded(&options, &director, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(director == NULL);
  director = embedded();
  lvs_snapshot *snapshot = NULL;
  OK(lvs_director_snapshot(director, &snapshot, &err));
  FAILS(lvs_snapshot_service_get(snapshot, SIZE_MAX, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_snapshot_destinations_len(snapshot, SIZE_MAX) == 0);
  lvs_snapshot_free(snapshot);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void text_that_is_not_utf_8_is_refused(void) {
  lvs_error *err = NULL;
  lvs_address addr;
  lvs_service_key key;
  lvs_destination_key server;
  static const char bad[] = "\xf0\x28\x8c\x28";
  FAILS(lvs_address_parse(bad, &addr, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_service_key_parse(bad, &key, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_destination_key_parse(bad, &server, &err), LVS_STATUS_INVALID_INPUT);
  lvs_error_free(err);
}

static void an_error_variable_is_used_again_and_again(void) {
  lvs_error *err = NULL;
  lvs_address addr;
  for (int i = 0; i < 100; i++)
    FAILS(lvs_address_parse("nobody", &addr, &err), LVS_STATUS_INVALID_INPUT);
  lvs_error *kept = err;
  OK(lvs_address_parse("192.0.2.1", &addr, &err));
  CHECK(err == kept);
  CHECK(lvs_address_parse("nobody", &addr, NULL) == LVS_STATUS_INVALID_INPUT);
  lvs_error_free(err);
  err = NULL;
  lvs_error_free(err); /* twice, as the rules allow it */
}

static void every_pointer_may_be_null(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_service made = service("tcp://192.0.2.1:80");
  lvs_destination server = destination("198.51.100.7:80");
  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  lvs_batch *batch = NULL;
  lvs_table *table = NULL;
  lvs_snapshot *snapshot = NULL;
  bool present;
  OK(lvs_director_add_service(director, &made, &err));
  OK(lvs_director_snapshot(director, &snapshot, &err));
  OK(lvs_snapshot_to_table(snapshot, &table, &err));
  OK(lvs_batch_new(&batch, &err));

#define NULL_REFUSED(call) FAILS(call, LVS_STATUS_INVALID_INPUT)
  NULL_REFUSED(lvs_address_parse(NULL, &made.key.addr, &err));
  NULL_REFUSED(lvs_address_parse("192.0.2.1", NULL, &err));
  NULL_REFUSED(lvs_service_key_parse(NULL, &made.key, &err));
  NULL_REFUSED(lvs_service_key_parse("fwmark:1", NULL, &err));
  NULL_REFUSED(lvs_service_key_endpoint(6, NULL, 1, &made.key, &err));
  NULL_REFUSED(lvs_service_key_endpoint(6, "192.0.2.1", 1, NULL, &err));
  NULL_REFUSED(lvs_service_key_fwmark(1, 2, NULL, &err));
  NULL_REFUSED(lvs_destination_key_parse(NULL, &server.key, &err));
  NULL_REFUSED(lvs_destination_key_parse("198.51.100.7:80", NULL, &err));
  NULL_REFUSED(lvs_director_open_embedded(NULL, NULL, &err));
  NULL_REFUSED(lvs_director_info(director, NULL, &err));
  NULL_REFUSED(lvs_director_services(director, NULL, &err));
  NULL_REFUSED(lvs_director_service(director, NULL, NULL, NULL, &err));
  NULL_REFUSED(lvs_director_destinations(director, NULL, NULL, &err));
  NULL_REFUSED(lvs_director_destinations(director, &made.key, NULL, &err));
  NULL_REFUSED(lvs_director_snapshot(director, NULL, &err));
  NULL_REFUSED(lvs_director_timeouts(director, NULL, &err));
  NULL_REFUSED(lvs_director_daemons(director, NULL, 0, NULL, &err));
  NULL_REFUSED(lvs_director_daemons(director, NULL, 1, &(size_t){0}, &err));
  NULL_REFUSED(lvs_director_add_service(director, NULL, &err));
  NULL_REFUSED(lvs_director_update_service(director, NULL, &err));
  NULL_REFUSED(lvs_director_remove_service(director, NULL, &err));
  NULL_REFUSED(lvs_director_add_destination(director, NULL, &server, &err));
  NULL_REFUSED(lvs_director_add_destination(director, &made.key, NULL, &err));
  NULL_REFUSED(lvs_director_update_destination(director, &made.key, NULL, &err));
  NULL_REFUSED(lvs_director_remove_destination(director, &made.key, NULL, &err));
  NULL_REFUSED(lvs_director_set_timeouts(director, NULL, &err));
  NULL_REFUSED(lvs_director_start_daemon(director, NULL, &err));
  NULL_REFUSED(lvs_director_apply(director, NULL, 0, NULL, &err));
  NULL_REFUSED(lvs_director_now(director, NULL, &err));
  NULL_REFUSED(lvs_director_totals(director, NULL, &err));
  NULL_REFUSED(lvs_director_settings(director, NULL, &err));
  NULL_REFUSED(lvs_director_set_settings(director, NULL, &err));
  NULL_REFUSED(lvs_director_add_service(NULL, &made, &err));
  NULL_REFUSED(lvs_director_snapshot(NULL, &snapshot, &err));
  NULL_REFUSED(lvs_director_advance(NULL, 1, &err));
  NULL_REFUSED(lvs_director_flush(NULL, &err));
  NULL_REFUSED(lvs_director_apply(NULL, batch, 0, NULL, &err));

  NULL_REFUSED(lvs_batch_new(NULL, &err));
  NULL_REFUSED(lvs_batch_add_service(NULL, &made, &err));
  NULL_REFUSED(lvs_batch_add_service(batch, NULL, &err));
  NULL_REFUSED(lvs_batch_update_service(batch, NULL, &err));
  NULL_REFUSED(lvs_batch_remove_service(batch, NULL, &err));
  NULL_REFUSED(lvs_batch_add_destination(batch, NULL, &server, &err));
  NULL_REFUSED(lvs_batch_update_destination(batch, &made.key, NULL, &err));
  NULL_REFUSED(lvs_batch_remove_destination(batch, &made.key, NULL, &err));
  NULL_REFUSED(lvs_batch_set_timeouts(batch, NULL, &err));
  NULL_REFUSED(lvs_batch_start_daemon(batch, NULL, &err));
  NULL_REFUSED(lvs_batch_stop_daemon(NULL, LVS_ROLE_MASTER, &err));
  NULL_REFUSED(lvs_batch_zero(NULL, NULL, &err));
  NULL_REFUSED(lvs_batch_flush(NULL, &err));
  CHECK(lvs_batch_len(NULL) == 0);
  lvs_batch_clear(NULL);

  NULL_REFUSED(lvs_report_refused_get(NULL, 0, NULL, NULL, &err));
  CHECK(lvs_report_answered(NULL) == 0 && lvs_report_sent(NULL) == 0 && lvs_report_applied(NULL) == 0);
  CHECK(!lvs_report_is_complete(NULL) && lvs_report_refused_len(NULL) == 0);
  CHECK(lvs_report_interrupted(NULL) == NULL);

  NULL_REFUSED(lvs_snapshot_service_get(NULL, 0, NULL, NULL, &err));
  NULL_REFUSED(lvs_snapshot_destination_get(NULL, 0, 0, NULL, NULL, &err));
  NULL_REFUSED(lvs_snapshot_find(snapshot, &made.key, NULL, &err));
  NULL_REFUSED(lvs_snapshot_find(snapshot, NULL, &(size_t){0}, &err));
  NULL_REFUSED(lvs_snapshot_info(snapshot, NULL, &err));
  NULL_REFUSED(lvs_snapshot_timeouts(snapshot, NULL, &err));
  NULL_REFUSED(lvs_snapshot_daemon_get(NULL, 0, NULL, &err));
  NULL_REFUSED(lvs_snapshot_to_table(snapshot, NULL, &err));
  NULL_REFUSED(lvs_snapshot_to_table(NULL, &table, &err));
  CHECK(lvs_snapshot_services_len(NULL) == 0 && lvs_snapshot_destinations_len(NULL, 0) == 0);
  CHECK(lvs_snapshot_daemons_len(NULL) == 0 && lvs_snapshot_coverage(NULL) == 0);
  CHECK(lvs_snapshot_complete(NULL) == 0);
  lvs_snapshot_sort(NULL);

  NULL_REFUSED(lvs_table_new(NULL, &err));
  NULL_REFUSED(lvs_table_add_service(table, NULL, &err));
  NULL_REFUSED(lvs_table_add_destination(table, &made.key, NULL, &err));
  NULL_REFUSED(lvs_table_add_daemon(table, NULL, &err));
  NULL_REFUSED(lvs_table_set_timeouts(NULL, &timeouts, &err));
  NULL_REFUSED(lvs_table_service_get(table, 0, NULL, &err));
  NULL_REFUSED(lvs_table_destination_get(NULL, 0, 0, NULL, &err));
  NULL_REFUSED(lvs_table_timeouts(table, NULL, &present, &err));
  NULL_REFUSED(lvs_table_timeouts(table, &timeouts, NULL, &err));
  NULL_REFUSED(lvs_table_daemon_get(NULL, 0, NULL, &err));
  NULL_REFUSED(lvs_table_clone(NULL, &table, &err));
  NULL_REFUSED(lvs_table_clone(table, NULL, &err));
  CHECK(lvs_table_services_len(NULL) == 0 && lvs_table_destinations_len(NULL, 0) == 0);
  CHECK(lvs_table_daemons_len(NULL) == 0 && !lvs_table_equal(NULL, NULL) && !lvs_table_equal(table, NULL));
  lvs_table_sort(NULL);

  NULL_REFUSED(lvs_service_list_get(NULL, 0, NULL, NULL, &err));
  NULL_REFUSED(lvs_destination_list_get(NULL, 0, NULL, NULL, &err));
  CHECK(lvs_service_list_len(NULL) == 0 && lvs_destination_list_len(NULL) == 0);
  NULL_REFUSED(lvs_text_new(NULL, &err));
  CHECK(lvs_text_len(NULL) == 0 && strcmp(lvs_text_data(NULL), "") == 0);
  CHECK(lvs_address_format(NULL, NULL, 0) == 0);
  CHECK(lvs_service_key_format(NULL, NULL, 9) == 0 && lvs_destination_key_format(NULL, NULL, 9) == 0);
  CHECK(!lvs_service_key_equal(NULL, &made.key) && !lvs_service_key_equal(&made.key, NULL));

  lvs_batch_free(batch);
  lvs_table_free(table);
  lvs_snapshot_free(snapshot);
  lvs_director_free(director);
  lvs_error_free(err);

  lvs_batch_free(NULL);
  lvs_report_free(NULL);
  lvs_table_free(NULL);
  lvs_snapshot_free(NULL);
  lvs_director_free(NULL);
  lvs_service_list_free(NULL);
  lvs_destination_list_free(NULL);
  lvs_text_free(NULL);
  lvs_error_free(NULL);
}

static void contradictory_kernel_options_are_refused(void) {
  lvs_error *err = NULL;
  lvs_director *director = NULL;
  lvs_kernel_options options = LVS_KERNEL_OPTIONS_INIT;
  options.namespace_pid = 1;
  options.namespace_path = "/proc/1/ns/net";
  FAILS(lvs_director_open_kernel(&options, &director, &err), LVS_STATUS_INVALID_INPUT);
  options.namespace_pid = 0;
  options.transport = 3;
  FAILS(lvs_director_open_kernel(&options, &director, &err), LVS_STATUS_INVALID_INPUT);
  options.namespace_path = NULL;
  options.namespace_name = "\xff";
  FAILS(lvs_director_open_kernel(&options, &director, &err), LVS_STATUS_INVALID_INPUT);
  options.transport = LVS_TRANSPORT_NETLINK;
  options.namespace_name = "../../etc/passwd";
  CHECK(lvs_director_open_kernel(&options, &director, &err) != LVS_STATUS_OK);
  FAILS(lvs_director_open_kernel(NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(director == NULL);
  lvs_error_free(err);
}

int main(void) {
  contradictory_kernel_options_are_refused();
  every_pointer_may_be_null();
  records_with_wrong_sizes_are_refused();
  records_of_a_newer_program_are_taken_if_their_tail_is_zero();
  nonsense_in_fields_is_refused();
  huge_counts_are_refused();
  text_that_is_not_utf_8_is_refused();
  an_error_variable_is_used_again_and_again();
  return 0;
}
