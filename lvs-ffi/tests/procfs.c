/* The kernel's text files and tunables, read from copies: the kernel's own are read in the lab. */
#define _GNU_SOURCE
#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/tmp/lvs-procfs-XXXXXX";

static void put(const char *name, const char *text) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen(path, "w");
  CHECK(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void drop(const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", directory, name);
  CHECK(unlink(path) == 0);
}

struct seen {
  unsigned count, stop_after;
  uint64_t sum;
  char name[32];
};

static bool see_cpu(uint32_t cpu, const lvs_counters *counters, void *user) {
  struct seen *seen = user;
  seen->sum += cpu + counters->connections + counters->bytes_out;
  return ++seen->count != seen->stop_after;
}

static bool see_helper(const lvs_helper *helper, void *user) {
  struct seen *seen = user;
  CHECK(helper->name_len < sizeof seen->name);
  memcpy(seen->name, helper->name, helper->name_len);
  CHECK(helper->protocol == LVS_PROTOCOL_TCP && helper->use_count == 3);
  seen->sum += helper->port;
  return ++seen->count != seen->stop_after;
}

static bool see_connection(const lvs_connection *connection, void *user) {
  struct seen *seen = user;
  CHECK(connection->state == LVS_STATE_ESTABLISHED && connection->target_port == 80);
  seen->sum += connection->origin;
  return ++seen->count != seen->stop_after;
}

static void statistics_are_read_from_the_kernels_text(void) {
  lvs_error *err = NULL;
  lvs_procfs *procfs = NULL;
  lvs_stats stats = {{0, 0, 0, 0, 0}, {0, 0, 0, 0, 0}};
  struct seen seen = {0, 0, 0, ""};
  OK(lvs_procfs_new(directory, &procfs, &err));
  FAILS(lvs_procfs_stats(procfs, &stats, &err), LVS_STATUS_NOT_FOUND);
  put("ip_vs_stats",
      "   Total Incoming Outgoing         Incoming         Outgoing\n"
      "   Conns  Packets  Packets            Bytes            Bytes\n"
      "       A       1F        0              5DC                0\n\n"
      " Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n"
      "       1        2        0               40                0\n");
  OK(lvs_procfs_stats(procfs, &stats, &err));
  CHECK(stats.counters.connections == 10 && stats.counters.bytes_in == 1500 && stats.rates.bytes_in == 64);

  lvs_proc_status status = LVS_PROC_STATUS_INIT;
  FAILS(lvs_procfs_status(procfs, &status, &err), LVS_STATUS_NOT_FOUND);
  put("ip_vs_status",
      "Conns:\t3\nConn buckets:\t256 (8 bits, lfactor -4)\nConn buckets empty:\t253 (98%)\n"
      "Conn buckets len-1:\t3 (100%)\nServices:\t1\n");
  OK(lvs_procfs_status(procfs, &status, &err));
  CHECK(status.connections.entries == 3 && status.connections.buckets == 256 && status.connections.lfactor == -4);
  CHECK(status.connections.lengths[0] == 253 && status.connections.lengths[1] == 3 && status.services.entries == 1);

  put("ip_vs_stats_percpu",
      "       Total Incoming Outgoing         Incoming         Outgoing\n"
      "CPU    Conns  Packets  Packets            Bytes            Bytes\n"
      "  0        A        A        0              190                1\n"
      "  1        5        5        0               C8                2\n"
      "  ~        F        F        0              258                3\n\n"
      "     Conns/s   Pkts/s   Pkts/s          Bytes/s          Bytes/s\n"
      "           0        0        0                0                0\n");
  OK(lvs_procfs_visit_cpus(procfs, see_cpu, &seen, &err));
  CHECK(seen.count == 2 && seen.sum == 0 + 10 + 1 + 1 + 5 + 2);
  seen.stop_after = 3;
  OK(lvs_procfs_visit_cpus(procfs, see_cpu, &seen, &err));
  CHECK(seen.count == 3);
  put("ip_vs_stats_percpu", "no table\n");
  FAILS(lvs_procfs_visit_cpus(procfs, see_cpu, &seen, &err), LVS_STATUS_DECODE);
  FAILS(lvs_procfs_visit_cpus(procfs, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  drop("ip_vs_stats");
  drop("ip_vs_stats_percpu");
  lvs_procfs_free(procfs);
  lvs_error_free(err);
}

static void helpers_and_connections_are_shown_one_by_one(void) {
  lvs_error *err = NULL;
  lvs_procfs *procfs = NULL;
  lvs_connection_filter filter = LVS_CONNECTION_FILTER_INIT;
  struct seen seen = {0, 0, 0, ""};
  OK(lvs_procfs_new(directory, &procfs, &err));
  put("ip_vs_app", "prot port    usecnt name\nTCP  21      3      ftp              \n");
  OK(lvs_procfs_visit_helpers(procfs, see_helper, &seen, &err));
  CHECK(seen.count == 1 && seen.sum == 21 && strcmp(seen.name, "ftp") == 0);

  put("ip_vs_conn_sync",
      "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Origin Expires\n"
      "TCP CB007109 9C40 C0000201 0050 C6336407 0050 ESTABLISHED LOCAL      899\n"
      "TCP CB00710A 9C41 C0000201 0050 C6336408 0050 ESTABLISHED SYNC       899\n");
  memset(&seen, 0, sizeof seen);
  OK(lvs_procfs_visit_connections(procfs, LVS_CONNECTION_FILE_ORIGINS, NULL, see_connection, &seen, &err));
  CHECK(seen.count == 2 && seen.sum == LVS_ORIGIN_LOCAL + LVS_ORIGIN_SYNC);
  memset(&seen, 0, sizeof seen);
  filter.conditions = LVS_FILTER_ORIGIN;
  filter.origin = LVS_ORIGIN_SYNC;
  OK(lvs_procfs_visit_connections(procfs, LVS_CONNECTION_FILE_ORIGINS, &filter, see_connection, &seen, &err));
  CHECK(seen.count == 1 && seen.sum == LVS_ORIGIN_SYNC);
  FAILS(lvs_procfs_visit_connections(procfs, LVS_CONNECTION_FILE_ENGINES, NULL, see_connection, &seen, &err),
        LVS_STATUS_NOT_FOUND);
  FAILS(lvs_procfs_visit_connections(procfs, 2, NULL, see_connection, &seen, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_procfs_visit_helpers(NULL, see_helper, &seen, &err), LVS_STATUS_INVALID_INPUT);
  drop("ip_vs_app");
  drop("ip_vs_conn_sync");
  drop("ip_vs_status");
  lvs_procfs_free(procfs);
  lvs_procfs_free(NULL);
  lvs_error_free(err);
}

static void tunables_are_checked_before_they_are_written(void) {
  lvs_error *err = NULL;
  lvs_sysctls *sysctls = NULL;
  lvs_text *text = NULL;
  put("drop_entry", "0\n");
  put("of_a_later_kernel", "7\n");
  OK(lvs_text_new(&text, &err));
  OK(lvs_sysctls_new(directory, &sysctls, &err));
  OK(lvs_sysctls_names(sysctls, text, &err));
  CHECK(strcmp(lvs_text_data(text), "drop_entry\nof_a_later_kernel\n") == 0);
  OK(lvs_sysctls_set(sysctls, "drop_entry", "3", &err));
  OK(lvs_sysctls_get(sysctls, "drop_entry", text, &err));
  CHECK(strcmp(lvs_text_data(text), "3") == 0);
  OK(lvs_sysctls_set(sysctls, "of_a_later_kernel", "8", &err));
  OK(lvs_sysctls_get(sysctls, "of_a_later_kernel", text, &err));
  CHECK(strcmp(lvs_text_data(text), "8") == 0);

  FAILS(lvs_sysctls_set(sysctls, "drop_entry", "4", &err), LVS_STATUS_INVALID_INPUT);
  CHECK(strcmp(lvs_error_message(err), "drop_entry takes 0, 1, 2 or 3, not \"4\"") == 0);
  FAILS(lvs_sysctls_set(sysctls, "conn_reuse_mode", "1", &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_sysctls_get(sysctls, "../drop_entry", text, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_sysctls_get(sysctls, NULL, text, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_sysctls_names(sysctls, NULL, &err), LVS_STATUS_INVALID_INPUT);
  drop("drop_entry");
  drop("of_a_later_kernel");
  lvs_sysctls_free(sysctls);
  lvs_sysctls_free(NULL);
  lvs_text_free(text);
  lvs_error_free(err);
}

int main(void) {
  CHECK(mkdtemp(directory) != NULL);
  statistics_are_read_from_the_kernels_text();
  helpers_and_connections_are_shown_one_by_one();
  tunables_are_checked_before_they_are_written();
  CHECK(rmdir(directory) == 0);
  return 0;
}
