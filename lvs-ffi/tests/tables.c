/* Snapshots, tables, batches and texts. */
#include "check.h"

/* Three services: IPv4 with two servers, IPv6 SCTP with one, a mark with none. */
static lvs_director *three_services(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_service made = service("tcp://192.0.2.1:80");
  lvs_destination one = destination("198.51.100.1:80"), two = destination("198.51.100.2:80");
  OK(lvs_director_add_service(director, &made, &err));
  OK(lvs_director_add_destination(director, &made.key, &one, &err));
  OK(lvs_director_add_destination(director, &made.key, &two, &err));
  made.key = service_key("sctp://[2001:db8::1]:9");
  one = destination("[2001:db8::7]:9");
  OK(lvs_director_add_service(director, &made, &err));
  OK(lvs_director_add_destination(director, &made.key, &one, &err));
  made.key = service_key("fwmark:7");
  OK(lvs_director_add_service(director, &made, &err));
  return director;
}

static void a_snapshot_holds_everything_and_outlives_its_director(void) {
  lvs_error *err = NULL;
  lvs_director *director = three_services();
  lvs_snapshot *snapshot = NULL;
  lvs_daemon daemon = LVS_DAEMON_INIT, running = LVS_DAEMON_INIT;
  strcpy(daemon.interface, "lo");
  OK(lvs_director_start_daemon(director, &daemon, &err));
  OK(lvs_director_snapshot(director, &snapshot, &err));
  lvs_director_free(director);

  CHECK(lvs_snapshot_services_len(snapshot) == 3);
  CHECK(lvs_snapshot_complete(snapshot) == (LVS_COMPLETE_IPV4 | LVS_COMPLETE_IPV6));
  CHECK(lvs_snapshot_coverage(snapshot) == (LVS_COVERAGE_IPV6 | LVS_COVERAGE_TUNNELS | LVS_COVERAGE_ENGINES |
                                            LVS_COVERAGE_STATS64 | LVS_COVERAGE_DAEMON_DETAILS));
  size_t index = 99;
  lvs_service_key key = service_key("sctp://[2001:db8::1]:9");
  OK(lvs_snapshot_find(snapshot, &key, &index, &err));
  CHECK(lvs_snapshot_destinations_len(snapshot, index) == 1);
  lvs_destination server = LVS_DESTINATION_INIT;
  lvs_destination_state counts = LVS_DESTINATION_STATE_INIT;
  OK(lvs_snapshot_destination_get(snapshot, index, 0, &server, &counts, &err));
  CHECK(server.key.port == 9 && server.key.addr.family == LVS_FAMILY_IPV6);
  CHECK(counts.present == (LVS_STATS_PRESENT | LVS_STATS32_PRESENT | LVS_STATS64_PRESENT));
  FAILS(lvs_snapshot_destination_get(snapshot, index, 1, &server, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_snapshot_destination_get(snapshot, 3, 0, &server, NULL, &err), LVS_STATUS_INVALID_INPUT);
  key = service_key("sctp://[2001:db8::1]:10");
  FAILS(lvs_snapshot_find(snapshot, &key, &index, &err), LVS_STATUS_NOT_FOUND);

  lvs_snapshot_sort(snapshot);
  lvs_service read = LVS_SERVICE_INIT;
  lvs_service_state state = LVS_SERVICE_STATE_INIT;
  OK(lvs_snapshot_service_get(snapshot, 0, &read, &state, &err));
  CHECK(read.key.protocol == LVS_PROTOCOL_TCP);
  OK(lvs_snapshot_destination_get(snapshot, 0, 0, &server, NULL, &err));
  CHECK(server.key.addr.bytes[3] == 1);

  lvs_info info = LVS_INFO_INIT;
  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  OK(lvs_snapshot_info(snapshot, &info, &err));
  OK(lvs_snapshot_timeouts(snapshot, &timeouts, &err));
  CHECK(info.version_major == 1 && timeouts.tcp == 900);
  CHECK(lvs_snapshot_daemons_len(snapshot) == 1);
  OK(lvs_snapshot_daemon_get(snapshot, 0, &running, &err));
  CHECK(strcmp(running.interface, "lo") == 0 && running.ttl == 1);
  FAILS(lvs_snapshot_daemon_get(snapshot, 1, &running, &err), LVS_STATUS_INVALID_INPUT);
  lvs_snapshot_free(snapshot);
  lvs_error_free(err);
}

static void a_table_is_built_by_hand_and_compared(void) {
  lvs_error *err = NULL;
  lvs_director *director = three_services();
  lvs_snapshot *snapshot = NULL;
  lvs_table *held = NULL, *built = NULL, *copy = NULL;
  OK(lvs_director_snapshot(director, &snapshot, &err));
  OK(lvs_snapshot_to_table(snapshot, &held, &err));

  OK(lvs_table_new(&built, &err));
  lvs_service made = service("fwmark:7");
  OK(lvs_table_add_service(built, &made, &err));
  made.key = service_key("sctp://[2001:db8::1]:9");
  OK(lvs_table_add_service(built, &made, &err));
  FAILS(lvs_table_add_service(built, &made, &err), LVS_STATUS_ALREADY_EXISTS);
  lvs_destination server = destination("[2001:db8::7]:9");
  OK(lvs_table_add_destination(built, &made.key, &server, &err));
  FAILS(lvs_table_add_destination(built, &made.key, &server, &err), LVS_STATUS_ALREADY_EXISTS);
  made.key = service_key("tcp://192.0.2.1:80");
  FAILS(lvs_table_add_destination(built, &made.key, &server, &err), LVS_STATUS_NOT_FOUND);
  OK(lvs_table_add_service(built, &made, &err));
  server = destination("198.51.100.2:80");
  OK(lvs_table_add_destination(built, &made.key, &server, &err));
  server = destination("198.51.100.1:80");
  OK(lvs_table_add_destination(built, &made.key, &server, &err));

  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  bool present = true;
  OK(lvs_table_timeouts(built, &timeouts, &present, &err));
  CHECK(!present);
  OK(lvs_table_timeouts(held, &timeouts, &present, &err));
  CHECK(present && timeouts.tcp_fin == 120);
  OK(lvs_table_set_timeouts(built, &timeouts, &err));

  CHECK(!lvs_table_equal(held, built));
  lvs_table_sort(held);
  lvs_table_sort(built);
  CHECK(lvs_table_equal(held, built));
  OK(lvs_table_clone(built, &copy, &err));
  CHECK(lvs_table_equal(built, copy));

  lvs_daemon backup = LVS_DAEMON_INIT, read = LVS_DAEMON_INIT;
  backup.role = LVS_ROLE_BACKUP;
  strcpy(backup.interface, "eth0");
  CHECK(lvs_address_parse("224.0.0.81", &backup.group, NULL) == LVS_STATUS_OK);
  OK(lvs_table_add_daemon(built, &backup, &err));
  FAILS(lvs_table_add_daemon(built, &backup, &err), LVS_STATUS_ALREADY_EXISTS);
  CHECK(lvs_table_daemons_len(built) == 1 && !lvs_table_equal(built, copy));
  OK(lvs_table_daemon_get(built, 0, &read, &err));
  CHECK(memcmp(&read, &backup, sizeof read) == 0);
  OK(lvs_table_set_timeouts(built, NULL, &err));
  OK(lvs_table_timeouts(built, &timeouts, &present, &err));
  CHECK(!present);

  lvs_service first = LVS_SERVICE_INIT;
  CHECK(lvs_table_services_len(built) == 3 && lvs_table_destinations_len(built, 0) == 2);
  OK(lvs_table_service_get(built, 0, &first, &err));
  OK(lvs_table_destination_get(built, 0, 1, &server, &err));
  CHECK(first.key.port == 80 && server.key.addr.bytes[3] == 2);
  lvs_table_free(copy);
  lvs_table_free(built);
  lvs_table_free(held);
  lvs_snapshot_free(snapshot);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void a_batch_reports_on_each_operation(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_batch *batch = NULL;
  lvs_report *report = NULL;
  lvs_service web = service("tcp://192.0.2.1:80");
  lvs_service_key nobody = service_key("tcp://192.0.2.99:80");
  lvs_destination server = destination("198.51.100.7:80");
  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  lvs_daemon daemon = LVS_DAEMON_INIT;
  strcpy(daemon.interface, "eth0");
  timeouts.udp = 30;

  OK(lvs_batch_new(&batch, &err));
  OK(lvs_batch_flush(batch, &err));
  OK(lvs_batch_add_service(batch, &web, &err));
  OK(lvs_batch_add_service(batch, &web, &err)); /* 2: refused */
  OK(lvs_batch_add_destination(batch, &web.key, &server, &err));
  OK(lvs_batch_add_destination(batch, &nobody, &server, &err)); /* 4: refused */
  server.weight = 9;
  OK(lvs_batch_update_destination(batch, &web.key, &server, &err));
  OK(lvs_batch_update_service(batch, &web, &err));
  OK(lvs_batch_set_timeouts(batch, &timeouts, &err));
  OK(lvs_batch_start_daemon(batch, &daemon, &err));
  OK(lvs_batch_stop_daemon(batch, LVS_ROLE_MASTER, &err));
  OK(lvs_batch_zero(batch, &web.key, &err));
  OK(lvs_batch_zero(batch, NULL, &err));
  OK(lvs_batch_remove_destination(batch, &web.key, &server.key, &err));
  OK(lvs_batch_remove_service(batch, &web.key, &err));
  CHECK(lvs_batch_len(batch) == 14);

  FAILS(lvs_director_apply(director, batch, LVS_ON_REFUSAL_CONTINUE, &report, &err), LVS_STATUS_ALREADY_EXISTS);
  CHECK(report != NULL && !lvs_report_is_complete(report));
  CHECK(lvs_report_answered(report) == 14 && lvs_report_sent(report) == 14 && lvs_report_applied(report) == 12);
  CHECK(lvs_report_refused_len(report) == 2 && lvs_report_interrupted(report) == NULL);
  size_t operation = 99;
  const lvs_error *why = NULL;
  OK(lvs_report_refused_get(report, 1, &operation, &why, &err));
  CHECK(operation == 4 && lvs_error_cause(why) == LVS_CAUSE_SERVICE_NOT_FOUND);
  OK(lvs_report_refused_get(report, 0, &operation, NULL, &err));
  CHECK(operation == 2);
  OK(lvs_report_refused_get(report, 0, NULL, &why, &err));
  CHECK(lvs_error_status(why) == LVS_STATUS_ALREADY_EXISTS);
  FAILS(lvs_report_refused_get(report, 2, &operation, &why, &err), LVS_STATUS_INVALID_INPUT);
  lvs_report_free(report);

  report = NULL;
  FAILS(lvs_director_apply(director, batch, LVS_ON_REFUSAL_STOP, &report, &err), LVS_STATUS_ALREADY_EXISTS);
  CHECK(lvs_report_answered(report) == 3 && lvs_report_applied(report) == 2);
  lvs_report_free(report);
  FAILS(lvs_director_apply(director, batch, 2, NULL, &err), LVS_STATUS_INVALID_INPUT);

  lvs_batch_clear(batch);
  CHECK(lvs_batch_len(batch) == 0);
  report = NULL;
  OK(lvs_director_apply(director, batch, LVS_ON_REFUSAL_CONTINUE, &report, NULL));
  CHECK(lvs_report_is_complete(report));
  lvs_report_free(report);
  lvs_batch_free(batch);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void a_new_text_is_empty(void) {
  lvs_error *err = NULL;
  lvs_text *text = NULL;
  OK(lvs_text_new(&text, &err));
  CHECK(lvs_text_len(text) == 0 && strcmp(lvs_text_data(text), "") == 0);
  lvs_text_free(text);
}

int main(void) {
  a_snapshot_holds_everything_and_outlives_its_director();
  a_table_is_built_by_hand_and_compared();
  a_batch_reports_on_each_operation();
  a_new_text_is_empty();
  return 0;
}
