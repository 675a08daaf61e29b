/* Plans, scopes, drains, health and watching: what keeps a cluster right. */
#include "check.h"

static const uint64_t SECOND = UINT64_C(1000000000);

/* A web service with two servers, as a table. */
static lvs_table *web_table(const char *first, const char *second) {
  lvs_error *err = NULL;
  lvs_table *table = NULL;
  lvs_service web = service("tcp://192.0.2.1:80");
  OK(lvs_table_new(&table, &err));
  OK(lvs_table_add_service(table, &web, &err));
  lvs_destination server = destination(first);
  OK(lvs_table_add_destination(table, &web.key, &server, &err));
  server = destination(second);
  OK(lvs_table_add_destination(table, &web.key, &server, &err));
  return table;
}

static lvs_snapshot *look(lvs_director *director) {
  lvs_error *err = NULL;
  lvs_snapshot *snapshot = NULL;
  OK(lvs_director_snapshot(director, &snapshot, &err));
  return snapshot;
}

static void a_plan_adds_before_it_removes(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_table *old = web_table("198.51.100.1:80", "198.51.100.2:80");
  lvs_table *new = web_table("198.51.100.2:80", "198.51.100.3:80");
  lvs_plan *plan = NULL;
  lvs_outcome *outcome = NULL;
  lvs_text *text = NULL;
  OK(lvs_text_new(&text, &err));

  OK(lvs_director_reconcile(director, old, NULL, 0, LVS_ON_FAILURE_KEEP, &plan, &outcome, &err));
  CHECK(lvs_plan_len(plan) == 3 && lvs_outcome_is_complete(outcome) && lvs_outcome_done_len(outcome) == 3);
  lvs_outcome_free(outcome);
  lvs_plan_free(plan);

  OK(lvs_plan_between(old, new, NULL, 0, &plan, &err));
  CHECK(lvs_plan_len(plan) == 2);
  OK(lvs_plan_describe(plan, text, &err));
  CHECK(strcmp(lvs_text_data(text), "+ tcp://192.0.2.1:80 -> 198.51.100.3:80 weight 1 direct\n"
                                    "- tcp://192.0.2.1:80 -> 198.51.100.1:80\n") == 0);
  /* A plan goes through JSON and comes back as it was. */
  lvs_plan *read = NULL;
  lvs_text *again = NULL;
  OK(lvs_text_new(&again, &err));
  OK(lvs_plan_to_json(plan, text, &err));
  OK(lvs_plan_from_json(lvs_text_data(text), &read, &err));
  CHECK(lvs_plan_len(read) == 2);
  OK(lvs_plan_to_json(read, again, &err));
  CHECK(strcmp(lvs_text_data(text), lvs_text_data(again)) == 0);
  lvs_plan_free(read);
  lvs_text_free(again);
  uint32_t phase = 99;
  lvs_operation operation = LVS_OPERATION_INIT;
  lvs_destination server = LVS_DESTINATION_INIT;
  OK(lvs_plan_step_get(plan, 0, &phase, &operation, NULL, &server, &err));
  CHECK(phase == LVS_PHASE_ADD && operation.kind == LVS_OPERATION_KIND_ADD_DESTINATION);
  CHECK(operation.service.port == 80 && server.key.addr.bytes[3] == 3);
  OK(lvs_plan_step_get(plan, 1, NULL, &operation, NULL, NULL, &err));
  CHECK(operation.kind == LVS_OPERATION_KIND_REMOVE_DESTINATION && operation.destination.addr.bytes[3] == 1);
  FAILS(lvs_plan_step_get(plan, 2, NULL, NULL, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  OK(lvs_director_apply_plan(director, plan, LVS_ON_FAILURE_KEEP, NULL, &err));

  /* Once more: what it adds is there, so it is refused, and nothing is removed. */
  outcome = NULL;
  FAILS(lvs_director_apply_plan(director, plan, LVS_ON_FAILURE_UNDO, &outcome, &err), LVS_STATUS_ALREADY_EXISTS);
  CHECK(!lvs_outcome_is_complete(outcome) && lvs_outcome_done_len(outcome) == 0);
  CHECK(lvs_outcome_refused_len(outcome) == 1 && lvs_outcome_interrupted(outcome) == NULL);
  size_t step = 99;
  const lvs_error *why = NULL;
  OK(lvs_outcome_refused_get(outcome, 0, &step, &why, &err));
  CHECK(step == 0 && lvs_error_cause(why) == LVS_CAUSE_DESTINATION_EXISTS);
  size_t because = 99;
  CHECK(lvs_outcome_held_len(outcome) == 0 && lvs_outcome_held_len(NULL) == 0);
  FAILS(lvs_outcome_held_get(outcome, 0, &step, &because, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_outcome_undone(outcome) && lvs_outcome_undo_refused_len(outcome) == 0);
  FAILS(lvs_outcome_undo_refused_get(outcome, 0, &why, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_outcome_done_get(outcome, 0, &step, &err), LVS_STATUS_INVALID_INPUT);
  lvs_outcome_free(outcome);

  /* Without giving up: the removal is held up by what was to stand in. */
  FAILS(lvs_director_apply_plan(director, plan, LVS_ON_FAILURE_KEEP, &outcome, &err), LVS_STATUS_ALREADY_EXISTS);
  CHECK(lvs_outcome_held_len(outcome) == 1);
  OK(lvs_outcome_held_get(outcome, 0, &step, &because, &err));
  CHECK(step == 1 && because == 0);
  lvs_outcome_free(outcome);
  lvs_plan_free(plan);

  /* Nothing at all is wanted only if that is said. */
  lvs_table *nothing = NULL;
  OK(lvs_table_new(&nothing, &err));
  FAILS(lvs_plan_between(old, nothing, NULL, 0, &plan, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(strstr(lvs_error_message(err), "1 would be removed") != NULL);
  FAILS(lvs_plan_between(old, nothing, NULL, 1u << 31, &plan, &err), LVS_STATUS_INVALID_INPUT);
  OK(lvs_plan_rollback(old, nothing, NULL, &plan, &err));
  CHECK(lvs_plan_len(plan) == 1);
  lvs_plan_free(plan);
  lvs_table_free(nothing);

  /* Direct routing does not rewrite ports. */
  lvs_table *flawed = web_table("198.51.100.1:8000", "198.51.100.2:80");
  FAILS(lvs_director_reconcile(director, flawed, NULL, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(strstr(lvs_error_message(err), "use port 80, or masquerade") != NULL);
  OK(lvs_table_lint(flawed, text, &err));
  CHECK(strstr(lvs_text_data(text), "198.51.100.1:8000") != NULL);
  OK(lvs_plan_between(old, flawed, NULL, LVS_PLAN_UNCHECKED, &plan, &err));
  lvs_plan_free(plan);
  OK(lvs_table_lint(old, text, &err));
  CHECK(lvs_text_len(text) == 0);
  lvs_table_free(flawed);

  /* A director that is asked knows its schedulers; two tables do not. */
  lvs_table *slip = NULL;
  lvs_service other = service("tcp://192.0.2.2:80");
  memcpy(other.scheduler, "nosuch", sizeof "nosuch");
  OK(lvs_table_new(&slip, &err));
  OK(lvs_table_add_service(slip, &other, &err));
  FAILS(lvs_director_plan(director, slip, NULL, 0, &plan, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(strstr(lvs_error_message(err), "no scheduler nosuch") != NULL);
  OK(lvs_plan_between(old, slip, NULL, 0, &plan, &err));
  lvs_plan_free(plan);
  lvs_table_free(slip);

  /* Only additions: what is withheld is told, and stays as it is. */
  uint32_t adding = LVS_PLAN_ALLOW_ADD_SERVICE | LVS_PLAN_ALLOW_ADD_DESTINATION;
  OK(lvs_plan_between(old, new, NULL, adding, &plan, &err));
  CHECK(lvs_plan_len(plan) == 1 && lvs_plan_withheld_len(plan) == 1 && lvs_plan_withheld_len(NULL) == 0);
  OK(lvs_plan_withheld_get(plan, 0, &operation, NULL, NULL, &err));
  CHECK(operation.kind == LVS_OPERATION_KIND_REMOVE_DESTINATION && operation.destination.addr.bytes[3] == 1);
  FAILS(lvs_plan_withheld_get(plan, 1, NULL, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_plan_free(plan);
  OK(lvs_director_plan(director, old, NULL, LVS_PLAN_ALLOW_SET_TIMEOUTS, &plan, &err));
  CHECK(lvs_plan_len(plan) == 0 && lvs_plan_withheld_len(plan) == 2);
  lvs_plan_free(plan);

  OK(lvs_director_reconcile(director, new, NULL, 0, LVS_ON_FAILURE_KEEP, &plan, &outcome, &err));
  CHECK(lvs_plan_len(plan) == 0);
  lvs_plan_free(plan);
  lvs_outcome_free(outcome);
  OK(lvs_director_reconcile(director, old, NULL, 0, LVS_ON_FAILURE_KEEP, NULL, &outcome, &err));
  OK(lvs_outcome_done_get(outcome, 1, &step, &err));
  CHECK(step == 1);
  lvs_outcome_free(outcome);
  FAILS(lvs_director_reconcile(director, old, NULL, 0, 3, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_director_apply_plan(director, NULL, 0, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_plan_between(NULL, new, NULL, 0, &plan, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_plan_describe(NULL, text, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_plan_len(NULL) == 0 && !lvs_outcome_is_complete(NULL) && !lvs_outcome_undone(NULL));
  CHECK(lvs_outcome_done_len(NULL) == 0 && lvs_outcome_refused_len(NULL) == 0);
  CHECK(lvs_outcome_undo_refused_len(NULL) == 0 && lvs_outcome_interrupted(NULL) == NULL);
  lvs_plan_free(NULL);
  lvs_outcome_free(NULL);
  lvs_text_free(text);
  lvs_table_free(old);
  lvs_table_free(new);
  lvs_director_free(director);
  lvs_error_free(err);
}

static bool is_web(const lvs_service_key *key, void *user) { return key->port == *(uint16_t *)user; }

static void a_scope_protects_what_others_own(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_service foreign = service("udp://203.0.113.1:53");
  lvs_table *ours = web_table("198.51.100.1:80", "198.51.100.2:80");
  lvs_scope *network = NULL, *marks = NULL, *ports = NULL, *mine = NULL, *both = NULL, *neither = NULL;
  lvs_address net;
  uint16_t web = 80;
  OK(lvs_address_parse("192.0.2.0", &net, &err));
  OK(lvs_scope_network(&net, 24, &network, &err));
  OK(lvs_scope_marks(100, 200, &marks, &err));
  OK(lvs_scope_or(network, marks, &mine, &err));
  OK(lvs_scope_ports(80, 443, &ports, &err));
  OK(lvs_scope_and(network, ports, &both, &err));
  OK(lvs_scope_inverted(both, &neither, &err));
  lvs_scope_free(network);
  lvs_scope_free(marks);
  lvs_scope_free(ports);

  lvs_service_key key = service_key("tcp://192.0.2.9:22");
  CHECK(lvs_scope_owns(mine, &key) && !lvs_scope_owns(both, &key) && lvs_scope_owns(neither, &key));
  key = service_key("fwmark:150/ipv6");
  CHECK(lvs_scope_owns(mine, &key) && lvs_scope_owns(NULL, &key) && !lvs_scope_owns(mine, NULL));
  CHECK(!lvs_scope_owns(mine, &foreign.key));

  OK(lvs_director_add_service(director, &foreign, &err));
  OK(lvs_director_reconcile(director, ours, mine, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err));
  lvs_snapshot *snapshot = look(director);
  CHECK(lvs_snapshot_services_len(snapshot) == 2);
  lvs_snapshot_free(snapshot);

  lvs_table *mine_alone = NULL;
  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  timeouts.tcp = 60;
  OK(lvs_table_set_timeouts(ours, &timeouts, &err));
  FAILS(lvs_director_reconcile(director, ours, mine, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(strstr(lvs_error_message(err), "timeouts are wanted but outside of the scope") != NULL);
  OK(lvs_table_restricted_to(ours, mine, &mine_alone, &err));
  OK(lvs_director_reconcile(director, mine_alone, mine, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err));
  lvs_table_free(mine_alone);
  lvs_scope *wider = NULL;
  OK(lvs_scope_with(mine, true, false, &wider, &err));
  OK(lvs_director_reconcile(director, ours, wider, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err));
  OK(lvs_table_set_timeouts(ours, NULL, &err));
  lvs_scope_free(wider);
  OK(lvs_scope_services(ours, &wider, &err));
  key = service_key("tcp 192.0.2.1:80");
  CHECK(lvs_scope_owns(wider, &key) && !lvs_scope_owns(wider, &foreign.key));
  lvs_scope_free(wider);
  lvs_scope_free(mine);

  OK(lvs_scope_matching(is_web, &web, &mine, &err));
  OK(lvs_director_reconcile(director, ours, mine, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err));
  web = 81;
  FAILS(lvs_director_reconcile(director, ours, mine, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(strstr(lvs_error_message(err), "outside of the scope") != NULL);

  FAILS(lvs_scope_network(&net, 33, &network, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_scope_network(NULL, 24, &network, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_scope_matching(NULL, NULL, &network, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_scope_or(NULL, mine, &network, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_scope_and(mine, NULL, &network, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_scope_inverted(mine, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_scope_marks(1, 2, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_scope_ports(1, 2, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_scope_free(NULL);
  lvs_scope_free(mine);
  lvs_scope_free(both);
  lvs_scope_free(neither);
  lvs_table_free(ours);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void a_batch_is_read_back_and_described(void) {
  lvs_error *err = NULL;
  lvs_batch *batch = NULL;
  lvs_text *text = NULL;
  lvs_service web = service("tcp://192.0.2.1:80"), read = LVS_SERVICE_INIT;
  lvs_destination server = destination("198.51.100.1:80"), same = LVS_DESTINATION_INIT;
  lvs_operation operation = LVS_OPERATION_INIT;
  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  lvs_daemon daemon = LVS_DAEMON_INIT;
  strcpy(daemon.interface, "eth0");
  timeouts.udp = 9;
  server.weight = 7;
  OK(lvs_batch_new(&batch, &err));
  OK(lvs_text_new(&text, &err));
  OK(lvs_batch_add_service(batch, &web, &err));
  OK(lvs_batch_update_destination(batch, &web.key, &server, &err));
  OK(lvs_batch_set_timeouts(batch, &timeouts, &err));
  OK(lvs_batch_start_daemon(batch, &daemon, &err));
  OK(lvs_batch_stop_daemon(batch, LVS_ROLE_BACKUP, &err));
  OK(lvs_batch_zero(batch, NULL, &err));
  OK(lvs_batch_flush(batch, &err));

  OK(lvs_batch_get(batch, 0, &operation, &read, &same, &err));
  CHECK(operation.kind == LVS_OPERATION_KIND_ADD_SERVICE && memcmp(&read, &web, sizeof web) == 0);
  OK(lvs_batch_get(batch, 1, &operation, NULL, &same, &err));
  CHECK(operation.kind == LVS_OPERATION_KIND_UPDATE_DESTINATION && same.weight == 7);
  OK(lvs_batch_get_timeouts(batch, 2, &timeouts, &err));
  CHECK(timeouts.udp == 9);
  OK(lvs_batch_get_daemon(batch, 3, &daemon, &err));
  OK(lvs_batch_get(batch, 4, &operation, NULL, NULL, &err));
  CHECK(operation.role == LVS_ROLE_BACKUP && operation.service.addr.family == 0);
  OK(lvs_batch_get(batch, 5, &operation, NULL, NULL, &err));
  CHECK(operation.kind == LVS_OPERATION_KIND_ZERO);
  FAILS(lvs_batch_get(batch, 7, NULL, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_batch_get_timeouts(batch, 0, &timeouts, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_batch_get_daemon(batch, 0, &daemon, &err), LVS_STATUS_NOT_FOUND);

  OK(lvs_batch_describe(batch, text, &err));
  CHECK(strncmp(lvs_text_data(text), "add service tcp://192.0.2.1:80\nupdate destination", 49) == 0);
  FAILS(lvs_batch_describe(batch, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_text_free(text);
  lvs_batch_free(batch);
  lvs_error_free(err);
}

static void a_server_is_drained_without_cutting_a_connection(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_table *table = web_table("198.51.100.1:80", "198.51.100.2:80");
  lvs_drain *drain = NULL;
  lvs_batch *due = NULL;
  lvs_drain_options options = LVS_DRAIN_OPTIONS_INIT;
  lvs_remaining remaining = LVS_REMAINING_INIT;
  lvs_flow flow = LVS_FLOW_INIT;
  lvs_verdict verdict = LVS_VERDICT_INIT;
  bool done = true;

  OK(lvs_director_reconcile(director, table, NULL, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err));
  OK(lvs_address_parse("203.0.113.9", &flow.client, &err));
  OK(lvs_address_parse("192.0.2.1", &flow.service, &err));
  flow.client_port = 40000;
  flow.service_port = 80;
  OK(lvs_director_open_flow(director, &flow, &verdict, NULL, &err));

  options.service = service_key("tcp://192.0.2.1:80");
  options.destination = verdict.destination;
  OK(lvs_drain_new(&options, &drain, &err));
  OK(lvs_drain_resume(drain, table, &err));
  OK(lvs_batch_new(&due, &err));
  unsigned steps = 0;
  for (uint64_t now = 0; !done || steps == 0; now += SECOND) {
    lvs_snapshot *snapshot = look(director);
    OK(lvs_drain_step(drain, snapshot, now, due, &done, &err));
    OK(lvs_director_apply(director, due, LVS_ON_REFUSAL_CONTINUE, NULL, &err));
    if (steps == 1) {
      CHECK(lvs_drain_waiting_len(drain) == 1 && lvs_drain_cut_len(drain) == 0);
      OK(lvs_drain_waiting_get(drain, 0, &remaining, &err));
      CHECK(remaining.active == 1 && remaining.destination.addr.bytes[3] == verdict.destination.addr.bytes[3]);
      FAILS(lvs_drain_cut_get(drain, 0, &remaining, &err), LVS_STATUS_INVALID_INPUT);
      OK(lvs_director_close_flow(director, &flow, &err));
    }
    lvs_snapshot_free(snapshot);
    CHECK(++steps < 10);
  }
  lvs_destination_list *left = NULL;
  OK(lvs_director_destinations(director, &options.service, &left, &err));
  CHECK(lvs_destination_list_len(left) == 1);
  lvs_destination_list_free(left);
  lvs_drain_free(drain);

  /* A deadline cuts, a cancelled drain gives the weight back. */
  OK(lvs_director_reconcile(director, table, NULL, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err));
  options.target = LVS_DRAIN_TARGET_REAL_SERVER;
  options.deadline = SECOND;
  OK(lvs_drain_new(&options, &drain, &err));
  lvs_snapshot *snapshot = look(director);
  OK(lvs_drain_step(drain, snapshot, 0, due, &done, &err));
  OK(lvs_director_apply(director, due, LVS_ON_REFUSAL_CONTINUE, NULL, &err));
  lvs_snapshot_free(snapshot);
  snapshot = look(director);
  OK(lvs_drain_cancel(drain, snapshot, due, &err));
  CHECK(lvs_batch_len(due) == 1);
  lvs_snapshot_free(snapshot);
  lvs_drain_free(drain);

  options.target = 3;
  FAILS(lvs_drain_new(&options, &drain, &err), LVS_STATUS_INVALID_INPUT);
  options.target = LVS_DRAIN_TARGET_SERVICE;
  options.udp = 4;
  FAILS(lvs_drain_new(&options, &drain, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_drain_new(NULL, &drain, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_drain_step(NULL, NULL, 0, due, &done, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_drain_waiting_get(NULL, 0, &remaining, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_drain_cancel(NULL, NULL, due, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_drain_resume(NULL, table, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_drain_waiting_len(NULL) == 0 && lvs_drain_cut_len(NULL) == 0);
  lvs_drain_free(NULL);
  lvs_batch_free(due);
  lvs_table_free(table);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void a_server_that_fails_is_inhibited(void) {
  lvs_error *err = NULL;
  lvs_table *table = web_table("198.51.100.1:80", "198.51.100.2:80"), *wanted = NULL;
  lvs_health *health = NULL;
  lvs_health_policy policy = LVS_HEALTH_POLICY_INIT;
  lvs_change change = LVS_CHANGE_INIT;
  lvs_destination sorry = destination("198.51.100.99:80"), server = LVS_DESTINATION_INIT;
  lvs_service_key web = service_key("tcp://192.0.2.1:80");
  lvs_destination_key one = destination("198.51.100.1:80").key;
  bool up = false;

  policy.fall = 2;
  policy.sorry_server = &sorry;
  policy.damping_falls = 2;
  policy.damping_window = 100 * SECOND;
  policy.damping_hold = 50 * SECOND;
  OK(lvs_health_new(&health, &err));
  OK(lvs_health_watch(health, table, 0, &policy, &err));
  OK(lvs_health_watch(health, table, 0, &policy, &err));
  CHECK(lvs_health_changes_len(health) == 0);
  FAILS(lvs_health_watch(health, table, 1, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_health_next_change(health, 0) == LVS_NEVER);

  OK(lvs_health_report(health, &web, &one, LVS_PROBE_DOWN, 0, SECOND, &err));
  CHECK(lvs_health_changes_len(health) == 0);
  OK(lvs_health_report(health, &web, &one, LVS_PROBE_DOWN, 0, 2 * SECOND, &err));
  CHECK(lvs_health_changes_len(health) == 1);
  OK(lvs_health_change_get(health, 0, &change, &err));
  CHECK(change.kind == LVS_CHANGE_KIND_SERVER_DOWN && change.destination.addr.bytes[3] == 1);
  OK(lvs_health_is_up(health, &web, &one, &up, &err));
  CHECK(!up);
  OK(lvs_health_has_quorum(health, &web, &up, &err));
  CHECK(up);

  lvs_address host = destination("198.51.100.2:80").key.addr;
  OK(lvs_health_report_host(health, &host, LVS_PROBE_DOWN, 0, 3 * SECOND, &err));
  OK(lvs_health_report_host(health, &host, LVS_PROBE_DOWN, 0, 4 * SECOND, &err));
  CHECK(lvs_health_changes_len(health) == 2);
  OK(lvs_health_change_get(health, 1, &change, &err));
  CHECK(change.kind == LVS_CHANGE_KIND_QUORUM_LOST && change.destination.addr.family == 0);
  OK(lvs_health_wanted(health, 4 * SECOND, &wanted, &err));
  CHECK(lvs_table_destinations_len(wanted, 0) == 3);
  OK(lvs_table_destination_get(wanted, 0, 2, &server, &err));
  CHECK(server.key.addr.bytes[3] == 99 && server.weight == 1);
  lvs_table_free(wanted);

  OK(lvs_health_report(health, &web, &one, LVS_PROBE_UP_WITH_WEIGHT, 5, 5 * SECOND, &err));
  OK(lvs_health_wanted(health, 5 * SECOND, &wanted, &err));
  OK(lvs_table_destination_get(wanted, 0, 0, &server, &err));
  CHECK(server.weight == 5);
  lvs_table_free(wanted);
  OK(lvs_health_report(health, &web, &one, LVS_PROBE_DOWN, 0, 6 * SECOND, &err));
  OK(lvs_health_report(health, &web, &one, LVS_PROBE_DOWN, 0, 7 * SECOND, &err));
  CHECK(lvs_health_next_change(health, 7 * SECOND) == 57 * SECOND);
  OK(lvs_health_tick(health, 58 * SECOND, &err));

  FAILS(lvs_health_report(health, &web, &one, 4, 0, SECOND, &err), LVS_STATUS_INVALID_INPUT);
  OK(lvs_health_report(health, &web, &one, LVS_PROBE_UNKNOWN, 0, 58 * SECOND, &err));
  CHECK(lvs_health_changes_len(health) == 0);
  FAILS(lvs_health_report_host(health, NULL, 0, 0, SECOND, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_health_change_get(health, 99, &change, &err), LVS_STATUS_INVALID_INPUT);
  /* Watched again, it keeps what it knows; so does a saved state on another clock. */
  lvs_text *state = NULL;
  lvs_health *restarted = NULL;
  OK(lvs_text_new(&state, &err));
  OK(lvs_health_watch(health, table, 0, &policy, &err));
  OK(lvs_health_is_up(health, &web, &one, &up, &err));
  CHECK(!up);
  OK(lvs_health_save(health, 100 * SECOND, state, &err));
  OK(lvs_health_new(&restarted, &err));
  OK(lvs_health_watch(restarted, table, 0, &policy, &err));
  OK(lvs_health_restore(restarted, lvs_text_data(state), 0, 0, &err));
  OK(lvs_health_is_up(restarted, &web, &one, &up, &err));
  CHECK(!up);
  FAILS(lvs_health_restore(restarted, "{", 0, 0, &err), LVS_STATUS_DECODE);
  FAILS(lvs_health_restore(restarted, NULL, 0, 0, &err), LVS_STATUS_INVALID_INPUT);

  /* An override decides until it ends. */
  OK(lvs_health_set_override(restarted, &web, &one, LVS_FORCED_UP, 0, "the check is wrong", 10 * SECOND, &err));
  CHECK(lvs_health_changes_len(restarted) == 2);
  OK(lvs_health_tick(restarted, 10 * SECOND, &err));
  CHECK(lvs_health_changes_len(restarted) == 3);
  OK(lvs_health_change_get(restarted, 0, &change, &err));
  CHECK(change.kind == LVS_CHANGE_KIND_OVERRIDE_EXPIRED);
  OK(lvs_health_set_override(restarted, &web, &one, LVS_FORCED_WEIGHT, 0, "", LVS_NEVER, &err));
  OK(lvs_health_clear_override(restarted, &web, &one, &err));
  FAILS(lvs_health_set_override(restarted, &web, &one, LVS_FORCED_WEIGHT, 1u << 31, "", LVS_NEVER, &err),
        LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_health_set_override(restarted, &web, &one, 3, 0, "", LVS_NEVER, &err), LVS_STATUS_INVALID_INPUT);

  /* Weights that servers ask for are bounded. */
  OK(lvs_health_report(restarted, &web, &one, LVS_PROBE_UP_WITH_WEIGHT, 1u << 31, 11 * SECOND, &err));
  OK(lvs_health_change_get(restarted, 0, &change, &err));
  CHECK(change.kind == LVS_CHANGE_KIND_WEIGHT_LIMITED && change.asked == 1u << 31);
  OK(lvs_health_set_weight(restarted, &web, &one, 7, &err));
  OK(lvs_health_start_from(restarted, table, true, &err));
  policy.quorum = 100;
  OK(lvs_health_watch(restarted, table, 0, &policy, &err));
  OK(lvs_health_warnings(restarted, state, &err));
  CHECK(strstr(lvs_text_data(state), "the quorum 100 is never reached") != NULL);
  policy.quorum = 1;
  OK(lvs_health_unwatch(restarted, &web, &err));
  FAILS(lvs_health_unwatch(restarted, &web, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_health_set_weight(restarted, &web, &one, 7, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_health_clear_override(restarted, &web, &one, &err), LVS_STATUS_NOT_FOUND);
  lvs_health_free(restarted);
  lvs_text_free(state);

  one.port = 81;
  FAILS(lvs_health_report(health, &web, &one, LVS_PROBE_UP, 0, SECOND, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_health_is_up(health, &web, &one, &up, &err), LVS_STATUS_NOT_FOUND);
  web.port = 81;
  FAILS(lvs_health_has_quorum(health, &web, &up, &err), LVS_STATUS_NOT_FOUND);
  lvs_health_free(health);
  OK(lvs_health_new(&health, &err));
  policy.rise = 0;
  FAILS(lvs_health_watch(health, table, 0, &policy, &err), LVS_STATUS_INVALID_INPUT);
  policy.rise = 1;
  sorry = destination("198.51.100.1:80");
  FAILS(lvs_health_watch(health, table, 0, &policy, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_health_tick(NULL, 0, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_health_wanted(NULL, 0, &wanted, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_health_changes_len(NULL) == 0 && lvs_health_next_change(NULL, 0) == LVS_NEVER);
  lvs_health_free(NULL);
  lvs_health_free(health);
  lvs_table_free(table);
  lvs_error_free(err);
}

static void differences_between_two_looks_are_events(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_table *table = web_table("198.51.100.1:80", "198.51.100.2:80");
  lvs_watcher *watcher = NULL;
  lvs_event event = LVS_EVENT_INIT;
  lvs_destination before = LVS_DESTINATION_INIT, after = LVS_DESTINATION_INIT;
  lvs_service was = LVS_SERVICE_INIT, is = LVS_SERVICE_INIT;
  lvs_daemon daemon = LVS_DAEMON_INIT;
  OK(lvs_director_reconcile(director, table, NULL, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err));
  OK(lvs_watcher_new(&watcher, &err));
  lvs_snapshot *snapshot = look(director);
  OK(lvs_watcher_observe(watcher, snapshot, 0, &err));
  CHECK(lvs_watcher_events_len(watcher) == 3);
  OK(lvs_watcher_event_get(watcher, 0, &event, &err));
  CHECK(event.kind == LVS_EVENT_KIND_SERVICE_APPEARED && event.service.port == 80);
  OK(lvs_watcher_event_service(watcher, 0, &was, &is, &err));
  CHECK(was.key.port == 0 && is.key.port == 80);
  OK(lvs_watcher_observe(watcher, snapshot, SECOND, &err));
  CHECK(lvs_watcher_events_len(watcher) == 0);
  lvs_snapshot_free(snapshot);

  lvs_destination server = destination("198.51.100.1:80");
  lvs_service_key web = service_key("tcp://192.0.2.1:80");
  server.weight = 9;
  OK(lvs_director_update_destination(director, &web, &server, &err));
  strcpy(daemon.interface, "lo");
  OK(lvs_director_start_daemon(director, &daemon, &err));
  lvs_flow flow = LVS_FLOW_INIT;
  flow.client = destination("203.0.113.9:1").key.addr;
  flow.service = web.addr;
  flow.client_port = 40000;
  flow.service_port = 80;
  OK(lvs_director_open_flow(director, &flow, NULL, NULL, &err));
  OK(lvs_director_advance(director, 4 * SECOND, &err));
  snapshot = look(director);
  OK(lvs_watcher_observe(watcher, snapshot, 5 * SECOND, &err));
  lvs_snapshot_free(snapshot);
  bool counted = false, changed = false, started = false;
  for (size_t i = 0; i < lvs_watcher_events_len(watcher); i++) {
    OK(lvs_watcher_event_get(watcher, i, &event, &err));
    if (event.kind == LVS_EVENT_KIND_COUNTED && event.destination.addr.family == 0) {
      CHECK(event.delta.connections == 1 && event.elapsed == 4 * SECOND);
      CHECK(event.window == 4 * SECOND && event.window_delta.connections == 1);
      counted = true;
    } else if (event.kind == LVS_EVENT_KIND_DESTINATION_CHANGED) {
      OK(lvs_watcher_event_destination(watcher, i, &before, &after, &err));
      CHECK(before.weight == 1 && after.weight == 9);
      FAILS(lvs_watcher_event_service(watcher, i, NULL, NULL, &err), LVS_STATUS_NOT_FOUND);
      changed = true;
    } else if (event.kind == LVS_EVENT_KIND_DAEMON_STARTED) {
      OK(lvs_watcher_event_daemon(watcher, i, &daemon, &err));
      FAILS(lvs_watcher_event_destination(watcher, i, NULL, NULL, &err), LVS_STATUS_NOT_FOUND);
      started = true;
    } else {
      FAILS(lvs_watcher_event_daemon(watcher, i, &daemon, &err), LVS_STATUS_NOT_FOUND);
    }
  }
  CHECK(counted && changed && started);
  FAILS(lvs_watcher_event_get(watcher, 99, &event, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_watcher_observe(watcher, NULL, 0, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_watcher_new(NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_watcher_events_len(NULL) == 0);
  lvs_watcher_free(NULL);
  lvs_watcher_free(watcher);
  lvs_table_free(table);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void a_look_at_a_director_is_a_look_at_its_snapshot(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_table *table = web_table("198.51.100.1:80", "198.51.100.2:80");
  lvs_service_key web = service_key("tcp://192.0.2.1:80");
  lvs_destination server = destination("198.51.100.1:80");
  lvs_watcher *whole = NULL, *looking = NULL;
  lvs_event expected = LVS_EVENT_INIT, event = LVS_EVENT_INIT;
  OK(lvs_watcher_new(&whole, &err));
  OK(lvs_watcher_new(&looking, &err));
  OK(lvs_director_reconcile(director, table, NULL, 0, LVS_ON_FAILURE_KEEP, NULL, NULL, &err));
  for (unsigned turn = 0; turn < 12; turn++) {
    lvs_snapshot *snapshot = look(director);
    OK(lvs_watcher_observe(whole, snapshot, turn * SECOND, &err));
    OK(lvs_watcher_look(looking, director, turn * SECOND, &err));
    lvs_snapshot_free(snapshot);
    CHECK(lvs_watcher_events_len(looking) == (turn == 0 ? 3 : 1));
    for (size_t i = 0; i < lvs_watcher_events_len(whole); i++) {
      OK(lvs_watcher_event_get(whole, i, &expected, &err));
      OK(lvs_watcher_event_get(looking, i, &event, &err));
      CHECK(memcmp(&event, &expected, sizeof event) == 0);
    }
    server.weight = turn + 2;
    OK(lvs_director_update_destination(director, &web, &server, &err));
  }
  FAILS(lvs_watcher_look(NULL, director, 0, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_watcher_look(looking, NULL, 0, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_watcher_events_len(looking) == 1); /* of the look before */
  lvs_watcher_free(whole);
  lvs_watcher_free(looking);
  lvs_table_free(table);
  lvs_director_free(director);
  lvs_error_free(err);
}

int main(void) {
  a_plan_adds_before_it_removes();
  a_scope_protects_what_others_own();
  a_batch_is_read_back_and_described();
  a_server_is_drained_without_cutting_a_connection();
  a_server_that_fails_is_inhibited();
  differences_between_two_looks_are_events();
  a_look_at_a_director_is_a_look_at_its_snapshot();
  return 0;
}
