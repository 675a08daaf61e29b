/* Random sequences of calls on handles that live long, compared with a model of a few lines: what a call
 * answers, what the director then holds, and that a handle shows what it showed when it was made.
 * LVS_TEST_STEPS=1000000 makes it a long run, LVS_TEST_SEED=7 another one. */
#include "check.h"

static const char *const SERVICES[] = {"tcp://192.0.2.1:80", "udp://192.0.2.1:80",    "sctp://192.0.2.2:80",
                                       "fwmark:7",           "tcp://[2001:db8::1]:80", "fwmark:7/ipv6"};
static const char *const SERVERS[] = {"198.51.100.7:8080", "198.51.100.7:8081", "198.51.100.8:80",
                                      "[2001:db8:1::7]:80", "[2001:db8:1::8]:80"};
enum { SERVICE_COUNT = 6, SERVER_COUNT = 5, IPV4_SERVICES = 4, IPV4_SERVERS = 3, HANDLES = 12 };

/* A weight of 0 to 2^31 - 1, or ABSENT. */
enum { ABSENT = -1 };
typedef struct model {
  bool here[SERVICE_COUNT];
  int64_t weight[SERVICE_COUNT][SERVER_COUNT];
} model;

typedef enum kind { ADD_SERVICE, REMOVE_SERVICE, ADD_SERVER, UPDATE_SERVER, REMOVE_SERVER, KINDS } kind;
typedef struct change {
  kind kind;
  size_t service, server;
  uint32_t weight;
} change;

/* A snapshot, what it held, and what it was made into. */
typedef struct kept {
  lvs_snapshot *snapshot;
  lvs_table *table;
  model model;
} kept;

static uint64_t state;

static uint64_t below(uint64_t limit) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (state >> 11) % limit;
}

static bool same_family(size_t service, size_t server) {
  return (service < IPV4_SERVICES) == (server < IPV4_SERVERS);
}

static model empty(void) {
  model made;
  for (size_t i = 0; i < SERVICE_COUNT; i++) {
    made.here[i] = false;
    for (size_t j = 0; j < SERVER_COUNT; j++) made.weight[i][j] = ABSENT;
  }
  return made;
}

static bool equal(const model *a, const model *b) {
  for (size_t i = 0; i < SERVICE_COUNT; i++) {
    if (a->here[i] != b->here[i]) return false;
    for (size_t j = 0; j < SERVER_COUNT; j++)
      if (a->weight[i][j] != b->weight[i][j]) return false;
  }
  return true;
}

/* What a change does to a model, and what the call for it returns. */
static lvs_status expected(model *model, const change *change) {
  bool *here = &model->here[change->service];
  int64_t *weight = &model->weight[change->service][change->server];
  if (change->kind == ADD_SERVICE) {
    if (*here) return LVS_STATUS_ALREADY_EXISTS;
    *here = true;
    return LVS_STATUS_OK;
  }
  if (!*here) return LVS_STATUS_NOT_FOUND;
  if (change->kind == REMOVE_SERVICE) {
    *here = false;
    for (size_t j = 0; j < SERVER_COUNT; j++) model->weight[change->service][j] = ABSENT;
    return LVS_STATUS_OK;
  }
  if (change->kind == ADD_SERVER) {
    if (*weight != ABSENT) return LVS_STATUS_ALREADY_EXISTS;
  } else if (*weight == ABSENT) {
    return LVS_STATUS_NOT_FOUND;
  }
  *weight = change->kind == REMOVE_SERVER ? ABSENT : (int64_t)change->weight;
  return LVS_STATUS_OK;
}

static change random_change(void) {
  change made = {(kind)below(KINDS), below(SERVICE_COUNT), below(SERVER_COUNT), (uint32_t)below(5)};
  if (below(8) == 0) made.weight = 0x7fffffff;
  while (!same_family(made.service, made.server)) made.server = below(SERVER_COUNT);
  return made;
}

static lvs_destination server(const change *change) {
  lvs_destination made = destination(SERVERS[change->server]);
  made.forwarding = LVS_FORWARDING_MASQUERADE;
  made.weight = change->weight;
  return made;
}

/* A change by a call of the director, an operation of a batch, and an edit of a table. */
#define MADE_BY(name, type, prefix)                                                             \
  static lvs_status name(type *handle, const change *change, lvs_error **err) {                 \
    lvs_service made = service(SERVICES[change->service]);                                      \
    lvs_destination to = server(change);                                                        \
    switch (change->kind) {                                                                     \
      case ADD_SERVICE: return prefix##_add_service(handle, &made, err);                        \
      case REMOVE_SERVICE: return prefix##_remove_service(handle, &made.key, err);              \
      case ADD_SERVER: return prefix##_add_destination(handle, &made.key, &to, err);            \
      case UPDATE_SERVER: return prefix##_update_destination(handle, &made.key, &to, err);      \
      default: return prefix##_remove_destination(handle, &made.key, &to.key, err);             \
    }                                                                                           \
  }
MADE_BY(on_director, lvs_director, lvs_director)
MADE_BY(on_batch, lvs_batch, lvs_batch)
MADE_BY(on_table, lvs_table, lvs_table)

static void answers(lvs_status got, lvs_status wanted, lvs_error **err) {
  if (got != wanted) {
    fprintf(stderr, "%s, not %s: %s\n", lvs_status_name(got), lvs_status_name(wanted), lvs_error_message(*err));
    exit(1);
  }
  CHECK(got == LVS_STATUS_OK || lvs_error_status(*err) == got);
  /* An error may be kept for the next call, or released. */
  if (below(2) == 0) {
    lvs_error_free(*err);
    *err = NULL;
  }
}

/* That a snapshot holds what the model does, and that nothing lies beyond its ends. */
static void holds(const lvs_snapshot *snapshot, const model *model) {
  lvs_error *err = NULL;
  size_t services = 0, index;
  for (size_t i = 0; i < SERVICE_COUNT; i++) {
    lvs_service_key key = service_key(SERVICES[i]);
    if (!model->here[i]) {
      FAILS(lvs_snapshot_find(snapshot, &key, &index, &err), LVS_STATUS_NOT_FOUND);
      continue;
    }
    services++;
    OK(lvs_snapshot_find(snapshot, &key, &index, &err));
    size_t servers = 0, found = 0, count = lvs_snapshot_destinations_len(snapshot, index);
    for (size_t j = 0; j < SERVER_COUNT; j++) servers += model->weight[i][j] != ABSENT;
    CHECK(count == servers);
    lvs_destination read = LVS_DESTINATION_INIT;
    for (size_t at = 0; at < count; at++) {
      OK(lvs_snapshot_destination_get(snapshot, index, at, &read, NULL, &err));
      for (size_t j = 0; j < SERVER_COUNT; j++) {
        lvs_destination_key key = destination(SERVERS[j]).key;
        if (lvs_destination_key_equal(&key, &read.key)) found += model->weight[i][j] == (int64_t)read.weight;
      }
    }
    CHECK(found == servers);
    FAILS(lvs_snapshot_destination_get(snapshot, index, count + below(3), &read, NULL, &err),
          LVS_STATUS_INVALID_INPUT);
  }
  CHECK(lvs_snapshot_services_len(snapshot) == services);
  lvs_service beyond = LVS_SERVICE_INIT;
  FAILS(lvs_snapshot_service_get(snapshot, services + below(3), &beyond, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_snapshot_destinations_len(snapshot, services) == 0);
  lvs_error_free(err);
}

static void forget(kept *kept) {
  lvs_snapshot_free(kept->snapshot);
  lvs_table_free(kept->table);
  kept->snapshot = NULL;
  kept->table = NULL;
}

static void keep(kept *kept, const lvs_director *director, const model *model) {
  lvs_error *err = NULL;
  forget(kept);
  OK(lvs_director_snapshot(director, &kept->snapshot, &err));
  if (below(2) == 0) lvs_snapshot_sort(kept->snapshot);
  OK(lvs_snapshot_to_table(kept->snapshot, &kept->table, &err));
  kept->model = *model;
}

/* What is kept, through JSON and through rules and back. */
static void travels(const kept *kept) {
  lvs_error *err = NULL;
  lvs_text *text = NULL;
  OK(lvs_text_new(&text, &err));
  lvs_snapshot *snapshot = NULL;
  OK(lvs_snapshot_to_json(kept->snapshot, text, &err));
  OK(lvs_snapshot_from_json(lvs_text_data(text), &snapshot, &err));
  holds(snapshot, &kept->model);
  lvs_snapshot_free(snapshot);

  lvs_table *read = NULL, *own = NULL;
  OK(lvs_table_clone(kept->table, &own, &err));
  OK(lvs_table_to_json(own, text, &err));
  OK(lvs_table_from_json(lvs_text_data(text), &read, &err));
  CHECK(lvs_table_equal(own, read));
  lvs_table_free(read);
  read = NULL;

  lvs_rules_options lossless = LVS_RULES_OPTIONS_INIT;
  lvs_losses *losses = NULL;
  lvs_rules *rules = NULL;
  OK(lvs_table_emit(own, &lossless, text, &losses, &err));
  CHECK(lvs_losses_len(losses) == 0);
  OK(lvs_rules_parse(lvs_text_data(text), lvs_text_len(text), &lossless, &rules, &err));
  OK(lvs_rules_to_table(rules, &read, &err));
  lvs_table_sort(own);
  lvs_table_sort(read);
  /* Rules say nothing of timeouts that are not set. */
  lvs_plan *plan = NULL;
  OK(lvs_plan_between(own, read, NULL, LVS_PLAN_REMOVE_ALL, &plan, &err));
  CHECK(lvs_plan_len(plan) == 0);
  lvs_plan_free(plan);
  lvs_losses_free(losses);
  lvs_rules_free(rules);
  lvs_table_free(read);
  lvs_table_free(own);
  lvs_text_free(text);
}

/* Several changes in a batch, as it is or through JSON; those that are refused are named. */
static void by_batch(const lvs_director *director, model *model) {
  lvs_error *err = NULL;
  lvs_batch *batch = NULL;
  lvs_text *text = NULL;
  OK(lvs_batch_new(&batch, &err));
  bool refused[6];
  size_t len = below(7);
  for (size_t i = 0; i < len; i++) {
    change change = random_change();
    OK(on_batch(batch, &change, &err));
    refused[i] = expected(model, &change) != LVS_STATUS_OK;
  }
  if (below(2) == 0) {
    OK(lvs_text_new(&text, &err));
    OK(lvs_batch_to_json(batch, text, &err));
    lvs_batch_free(batch);
    batch = NULL;
    OK(lvs_batch_from_json(lvs_text_data(text), &batch, &err));
  }
  CHECK(lvs_batch_len(batch) == len);
  lvs_report *report = NULL;
  lvs_status status = lvs_director_apply(director, batch, LVS_ON_REFUSAL_CONTINUE, &report, &err);
  lvs_batch_free(batch);
  size_t number = 0, operation;
  for (size_t i = 0; i < len; i++) {
    if (!refused[i]) continue;
    const lvs_error *why = NULL;
    OK(lvs_report_refused_get(report, number++, &operation, &why, &err));
    CHECK(operation == i && lvs_error_status(why) != LVS_STATUS_OK);
  }
  CHECK(lvs_report_refused_len(report) == number && (status == LVS_STATUS_OK) == (number == 0));
  CHECK(lvs_report_applied(report) == len - number);
  FAILS(lvs_report_refused_get(report, number, &operation, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_report_free(report);
  lvs_text_free(text);
  lvs_error_free(err);
}

/* A table that was kept some time ago is edited and becomes what the director holds. */
static void by_table(const lvs_director *director, model *model, kept *kept) {
  if (kept->table == NULL) return;
  lvs_error *err = NULL;
  lvs_table *wanted = NULL;
  OK(lvs_table_clone(kept->table, &wanted, &err));
  *model = kept->model;
  for (size_t edits = below(4); edits > 0; edits--) {
    change change = random_change();
    answers(on_table(wanted, &change, &err), expected(model, &change), &err);
  }
  lvs_plan *plan = NULL;
  lvs_outcome *outcome = NULL;
  if (below(2) == 0) {
    OK(lvs_director_reconcile(director, wanted, NULL, LVS_PLAN_REMOVE_ALL, LVS_ON_FAILURE_UNDO, NULL, NULL,
                              &err));
  } else {
    OK(lvs_director_plan(director, wanted, NULL, LVS_PLAN_REMOVE_ALL, &plan, &err));
    OK(lvs_director_apply_plan(director, plan, LVS_ON_FAILURE_KEEP, &outcome, &err));
    CHECK(lvs_outcome_is_complete(outcome) && lvs_outcome_done_len(outcome) == lvs_plan_len(plan));
  }
  lvs_table_free(wanted);
  lvs_plan_free(plan);
  lvs_outcome_free(outcome);
  lvs_error_free(err);
}

/* A watcher tells of something exactly if something is other than it was. */
static void watch(lvs_watcher *watcher, const lvs_director *director, const model *before, const model *model,
                  uint64_t now) {
  lvs_error *err = NULL;
  OK(lvs_watcher_look(watcher, director, now, &err));
  size_t len = lvs_watcher_events_len(watcher);
  CHECK((len == 0) == equal(before, model));
  lvs_event event = LVS_EVENT_INIT;
  for (size_t i = 0; i < len; i++) OK(lvs_watcher_event_get(watcher, i, &event, &err));
  FAILS(lvs_watcher_event_get(watcher, len + below(3), &event, &err), LVS_STATUS_INVALID_INPUT);
  lvs_error_free(err);
}

static uint64_t number(const char *name, uint64_t otherwise) {
  const char *text = getenv(name);
  return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

int main(void) {
  uint64_t steps = number("LVS_TEST_STEPS", 1500);
  state = number("LVS_TEST_SEED", 1) * 0x9e3779b97f4a7c15u + 1;
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_watcher *watcher = NULL;
  OK(lvs_watcher_new(&watcher, &err));
  model model = empty(), seen = empty();
  kept handles[HANDLES];
  for (size_t i = 0; i < HANDLES; i++) handles[i] = (kept){NULL, NULL, empty()};
  OK(lvs_watcher_look(watcher, director, 0, &err));

  for (uint64_t step = 1; step <= steps; step++) {
    kept *some = &handles[below(HANDLES)];
    change change = random_change();
    switch (below(16)) {
      case 0: by_batch(director, &model); break;
      case 1: by_table(director, &model, some); break;
      case 2: keep(some, director, &model); break;
      case 3: if (some->snapshot != NULL) holds(some->snapshot, &some->model); break;
      case 4: if (some->snapshot != NULL) travels(some); break;
      case 5:
        watch(watcher, director, &seen, &model, step * 1000000000);
        seen = model;
        break;
      case 6:
        if (below(8) != 0) break;
        OK(lvs_director_flush(director, &err));
        model = empty();
        break;
      case 7:
        /* What was read outlives what it was read from. */
        if (below(16) != 0) break;
        lvs_director_free(director);
        director = embedded();
        model = empty();
        break;
      default: answers(on_director(director, &change, &err), expected(&model, &change), &err); break;
    }
  }
  keep(&handles[0], director, &model);
  holds(handles[0].snapshot, &model);

  for (size_t i = 0; i < HANDLES; i++) forget(&handles[i]);
  lvs_watcher_free(watcher);
  lvs_director_free(director);
  lvs_error_free(err);
  return 0;
}
