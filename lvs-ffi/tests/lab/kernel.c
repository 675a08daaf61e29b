/* The running kernel's director: the calls of the embedded one's tests, against the real thing. */
#define _GNU_SOURCE
#include "../check.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static lvs_director *kernel(void) {
  lvs_error *err = NULL;
  lvs_director *director = NULL;
  OK(lvs_director_open_kernel(NULL, &director, &err));
  CHECK(!lvs_director_is_embedded(director));
  return director;
}

static void services_and_destinations_are_changed_and_read(void) {
  lvs_error *err = NULL;
  lvs_director *director = kernel();
  static const char *const keys[] = {"tcp://192.0.2.1:80", "udp://[2001:db8::1]:53", "sctp://192.0.2.1:9", "fwmark:7/ipv6"};
  static const char *const servers[] = {"198.51.100.7:80", "[2001:db8::53]:53", "198.51.100.9:9", "[2001:db8::7]:0"};
  lvs_snapshot *snapshot = NULL;
  size_t index;
  OK(lvs_director_flush(director, &err));
  for (int i = 0; i < 4; i++) {
    lvs_service made = service(keys[i]), read = LVS_SERVICE_INIT;
    lvs_destination server = destination(servers[i]), same = LVS_DESTINATION_INIT;
    lvs_service_state state = LVS_SERVICE_STATE_INIT;
    lvs_destination_state counts = LVS_DESTINATION_STATE_INIT;
    lvs_destination_list *list = NULL;
    made.flags = LVS_SERVICE_PERSISTENT;
    made.timeout = 300;
    server.weight = 3;
    server.upper_threshold = 100;
    OK(lvs_director_add_service(director, &made, &err));
    FAILS(lvs_director_add_service(director, &made, &err), LVS_STATUS_ALREADY_EXISTS);
    CHECK(lvs_error_cause(err) == LVS_CAUSE_SERVICE_EXISTS && lvs_error_errno(err) == 17);
    OK(lvs_director_add_destination(director, &made.key, &server, &err));
    OK(lvs_director_service(director, &made.key, &read, &state, &err));
    CHECK(memcmp(&made, &read, sizeof made) == 0);
    CHECK(state.present & LVS_STATS64_PRESENT);
    OK(lvs_director_destinations(director, &made.key, &list, &err));
    CHECK(lvs_destination_list_len(list) == 1);
    OK(lvs_destination_list_get(list, 0, &same, &counts, &err));
    CHECK(memcmp(&server, &same, sizeof same) == 0);
    lvs_destination_list_free(list);
    server.weight = 0;
    OK(lvs_director_update_destination(director, &made.key, &server, &err));
    strcpy(made.scheduler, "rr");
    OK(lvs_director_update_service(director, &made, &err));
  }
  OK(lvs_director_snapshot(director, &snapshot, &err));
  CHECK(lvs_snapshot_services_len(snapshot) == 4);
  lvs_service_key key = service_key(keys[3]);
  OK(lvs_snapshot_find(snapshot, &key, &index, &err));
  CHECK(lvs_snapshot_destinations_len(snapshot, index) == 1);
  lvs_snapshot_free(snapshot);

  lvs_service_list *list = NULL;
  OK(lvs_director_services(director, &list, &err));
  CHECK(lvs_service_list_len(list) == 4);
  lvs_service_list_free(list);
  OK(lvs_director_zero(director, &key, &err));
  OK(lvs_director_zero(director, NULL, &err));
  lvs_destination_key server = destination(servers[3]).key;
  OK(lvs_director_remove_destination(director, &key, &server, &err));
  FAILS(lvs_director_remove_destination(director, &key, &server, &err), LVS_STATUS_NOT_FOUND);
  OK(lvs_director_remove_service(director, &key, &err));
  lvs_destination_list *none = NULL;
  FAILS(lvs_director_destinations(director, &key, &none, &err), LVS_STATUS_NOT_FOUND);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_SERVICE_NOT_FOUND);
  lvs_service odd = service("tcp://192.0.2.1:81");
  strcpy(odd.scheduler, "nosuch");
  FAILS(lvs_director_add_service(director, &odd, &err), LVS_STATUS_UNSUPPORTED);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_SCHEDULER_NOT_FOUND && lvs_error_errno(err) == 2);
  OK(lvs_director_flush(director, &err));
  lvs_director_free(director);
  lvs_error_free(err);
}

static void info_timeouts_and_daemons(void) {
  lvs_error *err = NULL;
  lvs_director *director = kernel();
  lvs_info info = LVS_INFO_INIT;
  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  lvs_stats totals;
  lvs_daemon daemon = LVS_DAEMON_INIT, running[2] = {LVS_DAEMON_INIT, LVS_DAEMON_INIT};
  size_t count = 99;
  uint64_t now;
  OK(lvs_director_info(director, &info, &err));
  CHECK(info.version_major == 1 && info.connection_table_size >= 256);
  timeouts.udp = 77;
  OK(lvs_director_set_timeouts(director, &timeouts, &err));
  OK(lvs_director_timeouts(director, &timeouts, &err));
  CHECK(timeouts.udp == 77 && timeouts.tcp == 900);
  OK(lvs_director_daemons(director, running, 2, &count, &err));
  CHECK(count == 0);
  FAILS(lvs_director_stop_daemon(director, LVS_ROLE_MASTER, &err), LVS_STATUS_NOT_FOUND);
  strcpy(daemon.interface, "nosuch0");
  FAILS(lvs_director_start_daemon(director, &daemon, &err), LVS_STATUS_NOT_FOUND);

  OK(lvs_director_totals(director, &totals, &err));

  /* What only the embedded director does. */
  lvs_settings settings = LVS_SETTINGS_INIT;
  lvs_packet packet = LVS_PACKET_INIT;
  lvs_flow flow = LVS_FLOW_INIT;
  packet.source = packet.destination = flow.client = flow.service = service_key("tcp://192.0.2.1:80").addr;
  FAILS(lvs_director_advance(director, 1, &err), LVS_STATUS_UNSUPPORTED);
  FAILS(lvs_director_now(director, &now, &err), LVS_STATUS_UNSUPPORTED);
  FAILS(lvs_director_settings(director, &settings, &err), LVS_STATUS_UNSUPPORTED);
  FAILS(lvs_director_set_settings(director, &settings, &err), LVS_STATUS_UNSUPPORTED);
  FAILS(lvs_director_receive(director, &packet, NULL, NULL, &err), LVS_STATUS_UNSUPPORTED);
  FAILS(lvs_director_open_flow(director, &flow, NULL, NULL, &err), LVS_STATUS_UNSUPPORTED);
  FAILS(lvs_director_send_flow(director, &flow, 1, NULL, NULL, &err), LVS_STATUS_UNSUPPORTED);
  FAILS(lvs_director_close_flow(director, &flow, &err), LVS_STATUS_UNSUPPORTED);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void a_batch_and_a_plan_change_the_kernel(void) {
  static const char text[] = "-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 198.51.100.7:80 -g -w 1\n"
                             "-a -t 192.0.2.9:80 -r 198.51.100.7:80 -g -w 1\n-A -f 7 -s wlc\n";
  lvs_error *err = NULL;
  lvs_director *director = kernel();
  lvs_rules *rules = NULL;
  lvs_batch *batch = NULL;
  lvs_report *report = NULL;
  size_t operation = 99, line = 0;
  OK(lvs_rules_parse(text, strlen(text), NULL, &rules, &err));
  OK(lvs_batch_new(&batch, &err));
  OK(lvs_rules_to_batch(rules, batch, &err));
  FAILS(lvs_director_apply(director, batch, LVS_ON_REFUSAL_CONTINUE, &report, &err), LVS_STATUS_NOT_FOUND);
  CHECK(lvs_report_applied(report) == 3 && lvs_report_refused_len(report) == 1);
  OK(lvs_report_refused_get(report, 0, &operation, NULL, &err));
  OK(lvs_rules_line(rules, operation, &line, &err));
  CHECK(line == 3);
  lvs_report_free(report);

  lvs_table *wanted = NULL, *held = NULL;
  lvs_snapshot *snapshot = NULL;
  lvs_outcome *outcome = NULL;
  lvs_service other = service("udp://192.0.2.1:53");
  OK(lvs_director_snapshot(director, &snapshot, &err));
  OK(lvs_snapshot_to_table(snapshot, &wanted, &err));
  lvs_snapshot_free(snapshot);
  OK(lvs_table_add_service(wanted, &other, &err));
  OK(lvs_director_reconcile(director, wanted, NULL, 0, LVS_ON_FAILURE_UNDO, NULL, &outcome, &err));
  CHECK(lvs_outcome_done_len(outcome) == 1);
  lvs_outcome_free(outcome);
  OK(lvs_director_snapshot(director, &snapshot, &err));
  OK(lvs_snapshot_to_table(snapshot, &held, &err));
  lvs_table_sort(held);
  lvs_table_sort(wanted);
  CHECK(lvs_table_equal(held, wanted));
  lvs_snapshot_free(snapshot);
  lvs_table_free(held);
  lvs_table_free(wanted);
  lvs_batch_free(batch);
  lvs_rules_free(rules);
  OK(lvs_director_flush(director, &err));
  lvs_director_free(director);
  lvs_error_free(err);
}

/* Gives the loopback interface an address, without a program. */
static void own_address(const char *text) {
  struct ifreq request;
  struct sockaddr_in addr = {.sin_family = AF_INET};
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  memset(&request, 0, sizeof request);
  strcpy(request.ifr_name, "lo:1");
  CHECK(inet_pton(AF_INET, text, &addr.sin_addr) == 1);
  memcpy(&request.ifr_addr, &addr, sizeof addr);
  CHECK(ioctl(fd, SIOCSIFADDR, &request) == 0);
  close(fd);
}

static bool count_it(const lvs_connection *connection, void *user) {
  CHECK(connection->protocol == LVS_PROTOCOL_UDP && connection->target_port == 53);
  CHECK(strcmp(lvs_state_name(connection->state), "UDP") == 0 && connection->expires > 0);
  ++*(unsigned *)user;
  return true;
}

static bool sum_up(uint32_t cpu, const lvs_counters *counters, void *user) {
  lvs_counters *sum = user;
  (void)cpu;
  sum->connections += counters->connections;
  sum->packets_in += counters->packets_in;
  return true;
}

static bool count_local(const lvs_connection *connection, void *user) {
  *(unsigned *)user += connection->origin == LVS_ORIGIN_LOCAL && connection->target_port == 53;
  return true;
}

static bool is_known(const lvs_helper *helper, void *user) {
  *(unsigned *)user += helper->name_len == 3 && memcmp(helper->name, "ftp", 3) == 0 && helper->port == 21;
  return true;
}

/* With five connections in the table, all that there ever were. */
static void the_kernels_files_are_read(void) {
  lvs_error *err = NULL;
  lvs_procfs *procfs = NULL;
  lvs_sysctls *sysctls = NULL;
  lvs_text *text = NULL;
  lvs_counters sum = {0, 0, 0, 0, 0};
  lvs_stats stats;
  unsigned local = 0, helpers = 0;
  OK(lvs_procfs_new(NULL, &procfs, &err));
  OK(lvs_procfs_visit_cpus(procfs, sum_up, &sum, &err));
  CHECK(sum.connections == 5 && sum.packets_in == 5);
  OK(lvs_procfs_stats(procfs, &stats, &err));
  CHECK(stats.counters.connections <= sum.connections);
  OK(lvs_procfs_visit_connections(procfs, LVS_CONNECTION_FILE_ORIGINS, NULL, count_local, &local, &err));
  CHECK(local == 5);
  OK(lvs_procfs_visit_helpers(procfs, is_known, &helpers, &err));
  CHECK(helpers <= 1);
  lvs_procfs_free(procfs);

  OK(lvs_text_new(&text, &err));
  OK(lvs_sysctls_new(NULL, &sysctls, &err));
  OK(lvs_sysctls_names(sysctls, text, &err));
  CHECK(strstr(lvs_text_data(text), "drop_entry\n") != NULL);
  OK(lvs_sysctls_set(sysctls, "sync_threshold", "4 60", &err));
  OK(lvs_sysctls_get(sysctls, "sync_threshold", text, &err));
  CHECK(strcmp(lvs_text_data(text), "4\t60") == 0);
  OK(lvs_sysctls_set(sysctls, "sync_threshold", "3 50", &err));
  FAILS(lvs_sysctls_set(sysctls, "drop_entry", "4", &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_sysctls_get(sysctls, "of_no_kernel", text, &err), LVS_STATUS_NOT_FOUND);
  lvs_sysctls_free(sysctls);
  lvs_text_free(text);
  lvs_error_free(err);
}

static void connections_are_read(void) {
  lvs_error *err = NULL;
  lvs_director *director = kernel();
  lvs_service dns = service("udp://192.0.2.1:53");
  lvs_destination server = destination("192.0.2.1:5353");
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(53)};
  unsigned seen = 0;
  own_address("192.0.2.1");
  strcpy(dns.scheduler, "rr");
  server.forwarding = LVS_FORWARDING_MASQUERADE;
  OK(lvs_director_add_service(director, &dns, &err));
  OK(lvs_director_add_destination(director, &dns.key, &server, &err));
  CHECK(inet_pton(AF_INET, "192.0.2.1", &to.sin_addr) == 1);
  for (int i = 0; i < 5; i++) {
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    CHECK(sendto(fd, "question", 8, 0, (struct sockaddr *)&to, sizeof to) == 8);
    close(fd);
  }
  OK(lvs_director_visit_connections(director, NULL, count_it, &seen, &err));
  CHECK(seen == 5);

  lvs_connections *list = NULL;
  lvs_connection entry = LVS_CONNECTION_INIT;
  lvs_connection_filter filter = LVS_CONNECTION_FILTER_INIT;
  lvs_connection_sums *sums = NULL;
  lvs_connection_sum sum = LVS_CONNECTION_SUM_INIT;
  filter.conditions = LVS_FILTER_SERVICE | LVS_FILTER_DESTINATION;
  filter.service = dns.key;
  filter.destination = server.key;
  OK(lvs_connections_new(&list, &err));
  OK(lvs_connections_read(list, director, &filter, &err));
  CHECK(lvs_connections_len(list) == 5);
  OK(lvs_connections_get(list, 4, &entry, &err));
  CHECK(entry.destination_port == 5353 && entry.origin != LVS_ORIGIN_SYNC);
  lvs_connections_free(list);
  OK(lvs_director_sum_connections(director, &filter, LVS_SUM_BY_GROUP, &sums, &err));
  CHECK(lvs_connection_sums_len(sums) == 1);
  OK(lvs_connection_sums_get(sums, 0, &sum, &err));
  CHECK(sum.connections == 5 && sum.inactive == 5);
  lvs_connection_sums_free(sums);
  the_kernels_files_are_read();
  OK(lvs_director_flush(director, &err));
  lvs_director_free(director);
}

static void another_namespace_is_entered_and_left(void) {
  lvs_error *err = NULL;
  lvs_director *here = kernel(), *there = NULL;
  lvs_kernel_options options = LVS_KERNEL_OPTIONS_INIT;
  lvs_service web = service("tcp://192.0.2.1:80");
  lvs_service_list *list = NULL;
  struct stat before, after;
  CHECK(stat("/proc/thread-self/ns/net", &before) == 0);
  options.namespace_path = "/proc/1/ns/net";
  options.load_module = 1;
  options.receive_timeout = UINT64_C(5000000000);
  OK(lvs_director_open_kernel(&options, &there, &err));
  OK(lvs_director_add_service(there, &web, &err));
  OK(lvs_director_services(here, &list, &err));
  CHECK(lvs_service_list_len(list) == 0);
  lvs_service_list_free(list);
  OK(lvs_director_remove_service(there, &web.key, &err));
  lvs_director_free(there);
  CHECK(stat("/proc/thread-self/ns/net", &after) == 0 && before.st_ino == after.st_ino);

  options.namespace_path = NULL;
  options.namespace_pid = (uint32_t)getpid();
  options.receive_timeout = LVS_NEVER;
  options.transport = LVS_TRANSPORT_AUTO;
  OK(lvs_director_open_kernel(&options, &there, &err));
  OK(lvs_director_add_service(there, &web, &err));
  OK(lvs_director_services(here, &list, &err));
  CHECK(lvs_service_list_len(list) == 1);
  lvs_service_list_free(list);
  lvs_director_free(there);

  options.transport = LVS_TRANSPORT_SOCKET_OPTIONS;
  lvs_snapshot *snapshot = NULL;
  OK(lvs_director_open_kernel(&options, &there, &err));
  OK(lvs_director_snapshot(there, &snapshot, &err));
  CHECK(lvs_snapshot_services_len(snapshot) == 1 && (lvs_snapshot_coverage(snapshot) & LVS_COVERAGE_IPV6) == 0);
  lvs_snapshot_free(snapshot);
  OK(lvs_director_flush(there, &err));
  lvs_director_free(there);

  options.namespace_pid = 0;
  options.namespace_name = "nosuch";
  FAILS(lvs_director_open_kernel(&options, &there, &err), LVS_STATUS_NOT_FOUND);
  CHECK(lvs_error_errno(err) == 2);
  lvs_director_free(here);
  lvs_error_free(err);
}

static void *add_marks(void *director) {
  lvs_error *err = NULL;
  static unsigned next;
  for (int i = 0; i < 50; i++) {
    lvs_service mine = LVS_SERVICE_INIT;
    unsigned mark = 1 + __atomic_fetch_add(&next, 1, __ATOMIC_SEQ_CST);
    OK(lvs_service_key_fwmark(mark, LVS_FAMILY_IPV4, &mine.key, &err));
    OK(lvs_director_add_service(director, &mine, &err));
    FAILS(lvs_director_add_service(director, &mine, &err), LVS_STATUS_ALREADY_EXISTS);
  }
  lvs_error_free(err);
  return NULL;
}

static void threads_share_one_socket(void) {
  lvs_error *err = NULL;
  lvs_director *director = kernel();
  pthread_t threads[4];
  lvs_service_list *list = NULL;
  for (int i = 0; i < 4; i++)
    CHECK(pthread_create(&threads[i], NULL, add_marks, director) == 0);
  for (int i = 0; i < 4; i++)
    CHECK(pthread_join(threads[i], NULL) == 0);
  OK(lvs_director_services(director, &list, &err));
  CHECK(lvs_service_list_len(list) == 200);
  lvs_service_list_free(list);
  OK(lvs_director_flush(director, &err));
  lvs_director_free(director);
}

int main(void) {
  services_and_destinations_are_changed_and_read();
  info_timeouts_and_daemons();
  a_batch_and_a_plan_change_the_kernel();
  connections_are_read();
  another_namespace_is_entered_and_left();
  threads_share_one_socket();
  return 0;
}
