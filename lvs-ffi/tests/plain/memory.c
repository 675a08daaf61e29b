/*
 * Running out of memory: whole sequences of calls, again and again, each time with another allocation that fails.
 *
 * Each run is a process of its own, so that an abort is seen as one. In it the n-th allocation fails, once or from there on.
 * A call must then give LVS_STATUS_NO_MEMORY with an error to read; the handles must still work when there is memory
 * again; and in the end everything must have been given back. The program stands in for the allocator itself: it is not run
 * under valgrind or AddressSanitizer, which do the same.
 */
#include "../check.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

static bool counting;      /* Inside of a call of the library. */
static bool lasting;       /* Everything after the first failure fails, too. */
static unsigned long made; /* Allocations so far. */
static unsigned long fail; /* The one that fails, from 1; 0 for none. */
static long held;          /* Blocks that have not been given back. */
static bool failed;

static bool refuse(void) {
  if (!counting)
    return false;
  made++;
  if (fail != 0 && (made == fail || (lasting && made > fail))) {
    failed = true;
    errno = ENOMEM;
    return true;
  }
  return false;
}

static void *kept(void *block) {
  if (block != NULL)
    __atomic_add_fetch(&held, 1, __ATOMIC_RELAXED);
  return block;
}

void *malloc(size_t size) { return refuse() ? NULL : kept(__libc_malloc(size)); }
void *calloc(size_t count, size_t size) { return refuse() ? NULL : kept(__libc_calloc(count, size)); }
void *realloc(void *old, size_t size) {
  if (refuse())
    return NULL;
  void *made = __libc_realloc(old, size);
  return old == NULL ? kept(made) : made;
}
void *memalign(size_t alignment, size_t size) { return refuse() ? NULL : kept(__libc_memalign(alignment, size)); }
void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void **out, size_t alignment, size_t size) {
  if (refuse())
    return ENOMEM;
  *out = kept(__libc_memalign(alignment, size));
  return *out == NULL ? ENOMEM : 0;
}
void free(void *block) {
  if (block != NULL)
    __atomic_sub_fetch(&held, 1, __ATOMIC_RELAXED);
  __libc_free(block);
}

/* A call that may lack memory: if so, it says so in full, and is made again with memory to spare. */
#define CALL(call)                                                                            \
  do {                                                                                        \
    counting = true;                                                                          \
    lvs_status status_ = (call);                                                              \
    counting = false;                                                                         \
    if (status_ != LVS_STATUS_OK) {                                                           \
      CHECK(failed && status_ == LVS_STATUS_NO_MEMORY);                                       \
      CHECK(lvs_error_status(err) == LVS_STATUS_NO_MEMORY);                                   \
      CHECK(strcmp(lvs_error_message(err), "out of memory") == 0);                            \
      CHECK(lvs_error_errno(err) == ENOMEM);                                                  \
      lvs_error_free(err);                                                                    \
      err = NULL;                                                                             \
      fail = 0;                                                                               \
      OK(call);                                                                               \
    }                                                                                         \
  } while (0)

enum { SERVICES = 30, SERVERS = 3 };

static lvs_director *filled(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  for (unsigned i = 0; i < SERVICES; i++) {
    lvs_service web = service("tcp://192.0.2.1:80");
    web.key.port = (uint16_t)(80 + i);
    OK(lvs_director_add_service(director, &web, &err));
    for (unsigned j = 0; j < SERVERS; j++) {
      lvs_destination server = destination("198.51.100.1:80");
      server.forwarding = LVS_FORWARDING_MASQUERADE;
      server.key.addr.bytes[3] = (uint8_t)(1 + j);
      OK(lvs_director_add_destination(director, &web.key, &server, &err));
    }
    for (uint16_t port = 1000; port < 1020; port++) {
      lvs_flow flow = LVS_FLOW_INIT;
      lvs_verdict verdict = LVS_VERDICT_INIT;
      OK(lvs_address_parse("203.0.113.1", &flow.client, &err));
      flow.service = web.key.addr;
      flow.client_port = port;
      flow.service_port = web.key.port;
      OK(lvs_director_open_flow(director, &flow, &verdict, NULL, &err));
    }
  }
  return director;
}

static void snapshots(void) {
  lvs_error *err = NULL;
  lvs_director *director = filled();
  lvs_snapshot *snapshot = NULL;
  lvs_table *table = NULL, *copy = NULL, *part = NULL;
  CALL(lvs_director_snapshot(director, &snapshot, &err));
  CHECK(lvs_snapshot_services_len(snapshot) == SERVICES);
  CHECK(lvs_snapshot_destinations_len(snapshot, SERVICES - 1) == SERVERS);
  CALL(lvs_snapshot_to_table(snapshot, &table, &err));
  CALL(lvs_table_clone(table, &copy, &err));
  CHECK(lvs_table_equal(table, copy));
  CALL(lvs_table_restricted_to(table, NULL, &part, &err));
  CHECK(lvs_table_services_len(part) == SERVICES);
  lvs_table_free(part);
  lvs_table_free(copy);
  lvs_table_free(table);
  lvs_snapshot_free(snapshot);
  lvs_director_free(director);
}

static void lists(void) {
  lvs_error *err = NULL;
  lvs_director *director = filled();
  lvs_service_list *services = NULL;
  lvs_destination_list *destinations = NULL;
  lvs_service_key key = service_key("tcp://192.0.2.1:81");
  lvs_destination server = LVS_DESTINATION_INIT;
  lvs_destination_key one = destination("198.51.100.1:80").key;
  CALL(lvs_director_services(director, &services, &err));
  CHECK(lvs_service_list_len(services) == SERVICES);
  CALL(lvs_director_destinations(director, &key, &destinations, &err));
  CHECK(lvs_destination_list_len(destinations) == SERVERS);
  CALL(lvs_director_destination(director, &key, &one, &server, NULL, &err));
  lvs_destination_list_free(destinations);
  lvs_service_list_free(services);
  lvs_director_free(director);
}

static void connections(void) {
  lvs_error *err = NULL;
  lvs_director *director = filled();
  lvs_connections *list = NULL;
  lvs_connection_sums *sums = NULL;
  CALL(lvs_connections_new(&list, &err));
  CALL(lvs_connections_read(list, director, NULL, &err));
  CHECK(lvs_connections_len(list) == SERVICES * 20);
  OK(lvs_director_sum_connections(director, NULL, LVS_SUM_BY_DESTINATION, &sums, &err));
  CHECK(lvs_connection_sums_len(sums) > 0);
  lvs_connection_sums_free(sums);
  lvs_connections_free(list);
  lvs_director_free(director);
}

static void tables(void) {
  lvs_error *err = NULL;
  lvs_table *table = NULL;
  lvs_batch *batch = NULL;
  lvs_daemon daemon = LVS_DAEMON_INIT;
  strcpy(daemon.interface, "eth0");
  CALL(lvs_table_new(&table, &err));
  CALL(lvs_batch_new(&batch, &err));
  for (unsigned i = 0; i < SERVICES; i++) {
    lvs_service web = service("tcp://192.0.2.1:80");
    web.key.port = (uint16_t)(80 + i);
    CALL(lvs_table_add_service(table, &web, &err));
    CALL(lvs_batch_add_service(batch, &web, &err));
    for (unsigned j = 0; j < SERVERS; j++) {
      lvs_destination server = destination("198.51.100.1:80");
      server.key.addr.bytes[3] = (uint8_t)(1 + j);
      CALL(lvs_table_add_destination(table, &web.key, &server, &err));
      CALL(lvs_batch_add_destination(batch, &web.key, &server, &err));
    }
  }
  CALL(lvs_table_add_daemon(table, &daemon, &err));
  CHECK(lvs_table_services_len(table) == SERVICES && lvs_table_destinations_len(table, 3) == SERVERS);
  CHECK(lvs_batch_len(batch) == SERVICES * (1 + SERVERS));
  lvs_batch_free(batch);
  lvs_table_free(table);
}

static const char RULES[] = "-A -t 192.0.2.1:80 -s wrr -p 300\n"
                            "# a remark\n"
                            "-a -t 192.0.2.1:80 -r 198.51.100.1:80 -m -w 3\n"
                            "-a -t 192.0.2.1:80 -r 198.51.100.2:80 -m -w 2\n"
                            "-A -f 7 -6 -s sh -b sh-port\n"
                            "-a -f 7 -6 -r [2001:db8::1] -i -w 1\n"
                            "-A -u 192.0.2.1:53\n"
                            "--set 100 20 30\n";

static void rules(void) {
  lvs_error *err = NULL;
  lvs_rules *parsed = NULL;
  lvs_table *table = NULL;
  lvs_batch *batch = NULL;
  lvs_text *text = NULL;
  CALL(lvs_rules_parse(RULES, strlen(RULES), NULL, &parsed, &err));
  CALL(lvs_rules_to_table(parsed, &table, &err));
  CALL(lvs_batch_new(&batch, &err));
  CALL(lvs_rules_to_batch(parsed, batch, &err));
  CHECK(lvs_batch_len(batch) == 7 && lvs_table_services_len(table) == 3);
  CALL(lvs_text_new(&text, &err));
  lvs_text_free(text);
  lvs_batch_free(batch);
  lvs_table_free(table);
  lvs_rules_free(parsed);
}

static void plans(void) {
  lvs_error *err = NULL;
  lvs_director *director = filled();
  lvs_snapshot *snapshot = NULL;
  lvs_rules *parsed = NULL;
  lvs_table *wanted = NULL, *current = NULL;
  lvs_plan *plan = NULL;
  OK(lvs_director_snapshot(director, &snapshot, &err));
  OK(lvs_snapshot_to_table(snapshot, &current, &err));
  OK(lvs_rules_parse(RULES, strlen(RULES), NULL, &parsed, &err));
  OK(lvs_rules_to_table(parsed, &wanted, &err));
  CALL(lvs_plan_between(current, wanted, NULL, 0, &plan, &err));
  CHECK(lvs_plan_len(plan) > SERVICES);
  lvs_plan_free(plan);
  lvs_table_free(wanted);
  lvs_table_free(current);
  lvs_rules_free(parsed);
  lvs_snapshot_free(snapshot);
  lvs_director_free(director);
}

static const struct {
  const char *name;
  void (*run)(void);
} SEQUENCES[] = {
    {"snapshots", snapshots}, {"lists", lists}, {"connections", connections},
    {"tables", tables},       {"rules", rules}, {"plans", plans},
};

/* Runs a sequence in a process of its own; returns its status as wait() has it, and how many allocations it made. */
static int run(void (*sequence)(void), unsigned long failing, bool to_the_end, unsigned long *allocations) {
  int channel[2];
  CHECK(pipe(channel) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    if (failing != 0 && freopen("/dev/null", "w", stderr) == NULL)
      _exit(4);
    fail = failing;
    lasting = to_the_end;
    made = 0;
    long before = held;
    sequence();
    if (held != before)
      _exit(2);
    if (failing != 0 && !failed)
      _exit(3);
    if (write(channel[1], &made, sizeof made) != sizeof made)
      _exit(4);
    _exit(0);
  }
  close(channel[1]);
  int status = 0;
  if (read(channel[0], allocations, sizeof *allocations) != sizeof *allocations)
    *allocations = 0;
  close(channel[0]);
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

int main(int argc, char **argv) {
  unsigned long points = 0, aborts = 0, leaks = 0, others = 0;
  for (size_t i = 0; i < sizeof SEQUENCES / sizeof *SEQUENCES; i++) {
    if (argc > 1 && strcmp(argv[1], SEQUENCES[i].name) != 0)
      continue;
    unsigned long allocations = 0, ignored;
    int status = run(SEQUENCES[i].run, 0, false, &allocations);
    if (status != 0 || allocations == 0) {
      fprintf(stderr, "%s: without a failure: status %#x\n", SEQUENCES[i].name, (unsigned)status);
      return 1;
    }
    for (unsigned long n = 1; n <= allocations; n++) {
      for (int to_the_end = 0; to_the_end < 2; to_the_end++) {
        status = run(SEQUENCES[i].run, n, to_the_end != 0, &ignored);
        points++;
        if (status == 0)
          continue;
        if (WIFSIGNALED(status))
          aborts++;
        else if (WEXITSTATUS(status) == 2)
          leaks++;
        else
          others++;
        fprintf(stderr, "%s: allocation %lu of %lu%s: %s\n", SEQUENCES[i].name, n, allocations,
                to_the_end ? " and all that follow" : "",
                WIFSIGNALED(status) ? "aborted" : WEXITSTATUS(status) == 2 ? "leaked" : "another result");
      }
    }
  }
  printf("%lu injection points, %lu aborts, %lu leaks, %lu other failures\n", points, aborts, leaks, others);
  return aborts + leaks + others != 0;
}
