/* What other languages call instead of macros: initialisers, names, comparisons, single entries, edits in place. */
#include "check.h"

/* The function makes what the macro makes; a program of another release gets as much as it has. */
#define SAME_AS_MACRO(type, function, INIT)                                                   \
  do {                                                                                        \
    static const type expected = INIT;                                                        \
    type made;                                                                                \
    memset(&made, 0xa5, sizeof made);                                                         \
    OK(function(&made, sizeof made, &err));                                                   \
    CHECK(memcmp(&made, &expected, sizeof made) == 0);                                        \
    struct {                                                                                  \
      type record;                                                                            \
      uint64_t more;                                                                          \
    } newer;                                                                                  \
    memset(&newer, 0xa5, sizeof newer);                                                       \
    OK(function(&newer.record, sizeof newer, &err));                                          \
    CHECK(newer.more == 0 && newer.record.struct_size == sizeof newer);                       \
    FAILS(function(NULL, sizeof made, &err), LVS_STATUS_INVALID_INPUT);                       \
    FAILS(function(&made, 3, &err), LVS_STATUS_INVALID_INPUT);                                \
    FAILS(function(&made, 100000, &err), LVS_STATUS_INVALID_INPUT);                           \
  } while (0)

static void initialisers_agree_with_the_macros(void) {
  lvs_error *err = NULL;
  SAME_AS_MACRO(lvs_diagnostic, lvs_diagnostic_init, LVS_DIAGNOSTIC_INIT);
  SAME_AS_MACRO(lvs_service, lvs_service_init, LVS_SERVICE_INIT);
  SAME_AS_MACRO(lvs_service_state, lvs_service_state_init, LVS_SERVICE_STATE_INIT);
  SAME_AS_MACRO(lvs_destination, lvs_destination_init, LVS_DESTINATION_INIT);
  SAME_AS_MACRO(lvs_destination_state, lvs_destination_state_init, LVS_DESTINATION_STATE_INIT);
  SAME_AS_MACRO(lvs_timeouts, lvs_timeouts_init, LVS_TIMEOUTS_INIT);
  SAME_AS_MACRO(lvs_daemon, lvs_daemon_init, LVS_DAEMON_INIT);
  SAME_AS_MACRO(lvs_info, lvs_info_init, LVS_INFO_INIT);
  SAME_AS_MACRO(lvs_kernel_options, lvs_kernel_options_init, LVS_KERNEL_OPTIONS_INIT);
  SAME_AS_MACRO(lvs_embedded_options, lvs_embedded_options_init, LVS_EMBEDDED_OPTIONS_INIT);
  SAME_AS_MACRO(lvs_settings, lvs_settings_init, LVS_SETTINGS_INIT);
  SAME_AS_MACRO(lvs_proc_status, lvs_proc_status_init, LVS_PROC_STATUS_INIT);
  SAME_AS_MACRO(lvs_packet, lvs_packet_init, LVS_PACKET_INIT);
  SAME_AS_MACRO(lvs_flow, lvs_flow_init, LVS_FLOW_INIT);
  SAME_AS_MACRO(lvs_verdict, lvs_verdict_init, LVS_VERDICT_INIT);
  SAME_AS_MACRO(lvs_connection, lvs_connection_init, LVS_CONNECTION_INIT);
  SAME_AS_MACRO(lvs_connection_filter, lvs_connection_filter_init, LVS_CONNECTION_FILTER_INIT);
  SAME_AS_MACRO(lvs_connection_sum, lvs_connection_sum_init, LVS_CONNECTION_SUM_INIT);
  SAME_AS_MACRO(lvs_operation, lvs_operation_init, LVS_OPERATION_INIT);
  SAME_AS_MACRO(lvs_drain_options, lvs_drain_options_init, LVS_DRAIN_OPTIONS_INIT);
  SAME_AS_MACRO(lvs_remaining, lvs_remaining_init, LVS_REMAINING_INIT);
  SAME_AS_MACRO(lvs_health_policy, lvs_health_policy_init, LVS_HEALTH_POLICY_INIT);
  SAME_AS_MACRO(lvs_change, lvs_change_init, LVS_CHANGE_INIT);
  SAME_AS_MACRO(lvs_event, lvs_event_init, LVS_EVENT_INIT);
  SAME_AS_MACRO(lvs_rules_options, lvs_rules_options_init, LVS_RULES_OPTIONS_INIT);
  SAME_AS_MACRO(lvs_loss, lvs_loss_init, LVS_LOSS_INIT);
  SAME_AS_MACRO(lvs_listing_options, lvs_listing_options_init, LVS_LISTING_OPTIONS_INIT);
  SAME_AS_MACRO(lvs_scheduler, lvs_scheduler_init, LVS_SCHEDULER_INIT);
  SAME_AS_MACRO(lvs_balancer_options, lvs_balancer_options_init, LVS_BALANCER_OPTIONS_INIT);
  SAME_AS_MACRO(lvs_request, lvs_request_init, LVS_REQUEST_INIT);
  SAME_AS_MACRO(lvs_balancer_destination, lvs_balancer_destination_init, LVS_BALANCER_DESTINATION_INIT);
  lvs_error_free(err);
}

static void everything_with_a_number_has_a_name(void) {
  for (uint32_t cause = LVS_CAUSE_NONE; cause <= LVS_CAUSE_CHANGING; cause++)
    CHECK(strcmp(lvs_cause_name(cause), "unknown cause") != 0);
  CHECK(strcmp(lvs_cause_name(LVS_CAUSE_CHANGING + 1), "unknown cause") == 0);
  CHECK(strcmp(lvs_cause_name(LVS_CAUSE_MODULE_MISSING), "module missing") == 0);
  for (uint32_t kind = LVS_EVENT_KIND_SERVICE_APPEARED; kind <= LVS_EVENT_KIND_DAEMON_STOPPED; kind++)
    CHECK(strcmp(lvs_event_kind_name(kind), "unknown") != 0);
  CHECK(strcmp(lvs_event_kind_name(0), "unknown") == 0);
  for (uint32_t kind = LVS_CHANGE_KIND_SERVER_UP; kind <= LVS_CHANGE_KIND_WEIGHT_LIMITED; kind++)
    CHECK(strcmp(lvs_change_kind_name(kind), "unknown") != 0);
  CHECK(strcmp(lvs_change_kind_name(99), "unknown") == 0);
}

static void the_name_of_an_event_is_that_of_its_json(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_watcher *watcher = NULL;
  lvs_snapshot *snapshot = NULL;
  lvs_text *text = NULL;
  lvs_service web = service("tcp://192.0.2.1:80");
  lvs_destination server = destination("198.51.100.1:80");
  OK(lvs_watcher_new(&watcher, &err));
  OK(lvs_text_new(&text, &err));
  OK(lvs_director_add_service(director, &web, &err));
  OK(lvs_director_add_destination(director, &web.key, &server, &err));
  for (int look = 0; look < 4; look++) {
    OK(lvs_director_snapshot(director, &snapshot, &err));
    OK(lvs_watcher_observe(watcher, snapshot, (uint64_t)look * 1000000000u, &err));
    lvs_snapshot_free(snapshot);
    CHECK(lvs_watcher_events_len(watcher) > 0);
    OK(lvs_watcher_events_to_json(watcher, text, &err));
    const char *json = lvs_text_data(text);
    for (size_t i = 0; i < lvs_watcher_events_len(watcher); i++) {
      lvs_event event = LVS_EVENT_INIT;
      char expected[64];
      OK(lvs_watcher_event_get(watcher, i, &event, &err));
      snprintf(expected, sizeof expected, "\"event\":\"%s\"", lvs_event_kind_name(event.kind));
      json = strstr(json, expected);
      CHECK(json != NULL);
      json++;
    }
    lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
    timeouts.tcp = 77;
    server.weight = 5;
    if (look == 0) {
      OK(lvs_director_update_destination(director, &web.key, &server, &err));
      OK(lvs_director_set_timeouts(director, &timeouts, &err));
    } else if (look == 1) {
      OK(lvs_director_remove_destination(director, &web.key, &server.key, &err));
    } else {
      OK(lvs_director_flush(director, &err));
    }
    if (look == 2)
      break;
  }
  lvs_text_free(text);
  lvs_watcher_free(watcher);
  lvs_director_free(director);
}

static int by_key(const void *a, const void *b) {
  return lvs_destination_key_compare(a, b);
}

static void keys_compare_as_snapshots_sort(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_snapshot *snapshot = NULL;
  static const char *const names[] = {"198.51.100.9:80", "[2001:db8::1]:80", "198.51.100.10:79", "198.51.100.9:9"};
  enum { COUNT = sizeof names / sizeof *names };
  lvs_destination_key keys[COUNT];
  lvs_service web = service("fwmark:7");
  OK(lvs_director_add_service(director, &web, &err));
  for (size_t i = 0; i < COUNT; i++) {
    lvs_destination server = destination(names[i]);
    server.forwarding = LVS_FORWARDING_TUNNEL;
    keys[i] = server.key;
    OK(lvs_director_add_destination(director, &web.key, &server, &err));
  }
  OK(lvs_director_snapshot(director, &snapshot, &err));
  lvs_snapshot_sort(snapshot);
  qsort(keys, COUNT, sizeof *keys, by_key);
  for (size_t i = 0; i < COUNT; i++) {
    lvs_destination server = LVS_DESTINATION_INIT;
    OK(lvs_snapshot_destination_get(snapshot, 0, i, &server, NULL, &err));
    CHECK(lvs_destination_key_equal(&server.key, &keys[i]));
    CHECK(i == 0 || !lvs_destination_key_equal(&server.key, &keys[i - 1]));
  }
  CHECK(!lvs_destination_key_equal(NULL, NULL) && lvs_destination_key_compare(NULL, &keys[0]) < 0);

  lvs_service_key a = service_key("tcp://192.0.2.1:80"), b = service_key("tcp://192.0.2.1:81");
  CHECK(lvs_service_key_compare(&a, &b) < 0 && lvs_service_key_compare(&b, &a) > 0);
  CHECK(lvs_service_key_compare(&a, &a) == 0 && lvs_service_key_compare(NULL, NULL) == 0);
  lvs_snapshot_free(snapshot);
  lvs_director_free(director);
}

static void one_destination_is_read_by_its_key(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_service web = service("tcp://192.0.2.1:80");
  lvs_destination server = destination("198.51.100.1:80"), found = LVS_DESTINATION_INIT;
  lvs_destination_state state = LVS_DESTINATION_STATE_INIT;
  FAILS(lvs_director_destination(director, &web.key, &server.key, &found, &state, &err), LVS_STATUS_NOT_FOUND);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_SERVICE_NOT_FOUND);
  server.weight = 9;
  OK(lvs_director_add_service(director, &web, &err));
  OK(lvs_director_add_destination(director, &web.key, &server, &err));
  OK(lvs_director_destination(director, &web.key, &server.key, &found, &state, &err));
  CHECK(found.weight == 9 && state.active == 0 && lvs_destination_key_equal(&found.key, &server.key));
  OK(lvs_director_destination(director, &web.key, &server.key, NULL, NULL, &err));
  server.key.port = 81;
  FAILS(lvs_director_destination(director, &web.key, &server.key, &found, &state, &err), LVS_STATUS_NOT_FOUND);
  lvs_error_free(err);
  lvs_director_free(director);
}

static void a_table_is_edited_in_place(void) {
  lvs_error *err = NULL;
  lvs_table *table = NULL;
  size_t index = 99;
  lvs_service web = service("tcp://192.0.2.1:80"), dns = service("udp://192.0.2.1:53"), read = LVS_SERVICE_INIT;
  lvs_destination one = destination("198.51.100.1:80"), two = destination("198.51.100.2:80"), got = LVS_DESTINATION_INIT;
  OK(lvs_table_new(&table, &err));
  FAILS(lvs_table_update_service(table, &web, &err), LVS_STATUS_NOT_FOUND);
  OK(lvs_table_add_service(table, &web, &err));
  OK(lvs_table_add_service(table, &dns, &err));
  OK(lvs_table_add_destination(table, &web.key, &one, &err));
  OK(lvs_table_add_destination(table, &web.key, &two, &err));

  strcpy(web.scheduler, "rr");
  OK(lvs_table_update_service(table, &web, &err));
  OK(lvs_table_find(table, &web.key, &index, &err));
  OK(lvs_table_service_get(table, index, &read, &err));
  CHECK(index == 0 && strcmp(read.scheduler, "rr") == 0 && lvs_table_destinations_len(table, 0) == 2);

  two.weight = 7;
  OK(lvs_table_update_destination(table, &web.key, &two, &err));
  OK(lvs_table_destination_get(table, 0, 1, &got, &err));
  CHECK(got.weight == 7);
  OK(lvs_table_remove_destination(table, &web.key, &one.key, &err));
  FAILS(lvs_table_remove_destination(table, &web.key, &one.key, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_table_update_destination(table, &web.key, &one, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_table_remove_destination(table, &read.key, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_table_destinations_len(table, 0) == 1);

  OK(lvs_table_remove_service(table, &web.key, &err));
  FAILS(lvs_table_remove_service(table, &web.key, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_table_find(table, &web.key, &index, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_table_update_destination(table, &web.key, &one, &err), LVS_STATUS_NOT_FOUND);
  CHECK(lvs_table_services_len(table) == 1 && index == 0);

  lvs_daemon daemon = LVS_DAEMON_INIT;
  strcpy(daemon.interface, "eth0");
  OK(lvs_table_add_daemon(table, &daemon, &err));
  FAILS(lvs_table_remove_daemon(table, LVS_ROLE_BACKUP, &err), LVS_STATUS_NOT_FOUND);
  OK(lvs_table_remove_daemon(table, LVS_ROLE_MASTER, &err));
  FAILS(lvs_table_remove_daemon(table, 3, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_table_daemons_len(table) == 0);
  lvs_error_free(err);
  lvs_table_free(table);
}

static void outcomes_and_reports_are_written_as_json(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_text *text = NULL;
  lvs_batch *batch = NULL;
  lvs_report *report = NULL;
  lvs_table *wanted = NULL;
  lvs_outcome *outcome = NULL;
  lvs_service web = service("tcp://192.0.2.1:80");
  OK(lvs_text_new(&text, &err));
  OK(lvs_batch_new(&batch, &err));
  OK(lvs_batch_add_service(batch, &web, &err));
  OK(lvs_batch_add_service(batch, &web, &err));
  FAILS(lvs_director_apply(director, batch, LVS_ON_REFUSAL_CONTINUE, &report, &err), LVS_STATUS_ALREADY_EXISTS);
  OK(lvs_report_to_json(report, text, &err));
  CHECK(strstr(lvs_text_data(text), "\"answered\":2") != NULL);
  CHECK(strstr(lvs_text_data(text), "\"cause\":\"the service exists already\"") != NULL);
  FAILS(lvs_report_to_json(NULL, text, &err), LVS_STATUS_INVALID_INPUT);

  OK(lvs_table_new(&wanted, &err));
  strcpy(web.scheduler, "rr");
  OK(lvs_table_add_service(wanted, &web, &err));
  OK(lvs_director_reconcile(director, wanted, NULL, 0, LVS_ON_FAILURE_UNDO, NULL, &outcome, &err));
  OK(lvs_outcome_to_json(outcome, text, &err));
  CHECK(strstr(lvs_text_data(text), "\"done\":[0]") != NULL);
  lvs_error_free(err);
  lvs_outcome_free(outcome);
  lvs_table_free(wanted);
  lvs_report_free(report);
  lvs_batch_free(batch);
  lvs_text_free(text);
  lvs_director_free(director);
}

int main(void) {
  initialisers_agree_with_the_macros();
  everything_with_a_number_has_a_name();
  the_name_of_an_event_is_that_of_its_json();
  keys_compare_as_snapshots_sort();
  one_destination_is_read_by_its_key();
  a_table_is_edited_in_place();
  outcomes_and_reports_are_written_as_json();
  return 0;
}
