/*
 * A monitoring agent: every service and every real server as Prometheus text, again and again.
 *
 *     agent --rules cluster.rules          on an embedded director with some traffic: needs nothing
 *     agent --kernel                       on the running kernel: needs CAP_NET_ADMIN
 *
 *     --interval SECONDS   how often, 15 by default
 *     --count N            how many times, for ever by default
 *     --output FILE        replace FILE each time, as node_exporter's textfile collector wants it
 *
 * One snapshot a round gives everything: 64-bit counters, the kernel's own rates, SCTP, firewall marks and IPv6, which the
 * text files in /proc/net do not. All buffers are kept from round to round.
 */
#include "common.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

/* Text that grows and is used again. */
struct buffer {
  char *data;
  size_t len, space;
};

static void *grown(void *memory, size_t size) {
  void *more = realloc(memory, size);
  if (more == NULL) {
    fputs("agent: out of memory\n", stderr);
    exit(1);
  }
  return more;
}

static void print(struct buffer *out, const char *format, ...) {
  for (;;) {
    va_list arguments;
    va_start(arguments, format);
    size_t left = out->space - out->len;
    int needed = vsnprintf(out->data + out->len, left, format, arguments);
    va_end(arguments);
    if (needed < 0)
      return;
    if ((size_t)needed < left) {
      out->len += (size_t)needed;
      return;
    }
    out->space = 2 * (out->len + (size_t)needed + 1);
    out->data = grown(out->data, out->space);
  }
}

/* One service or real server: where its labels are, and its numbers. */
struct row {
  size_t labels;
  lvs_stats stats;
  uint64_t weight, active, inactive, persistent;
};

struct rows {
  struct row *rows;
  size_t len, space;
};

static struct row *add(struct rows *rows) {
  if (rows->len == rows->space) {
    rows->space = rows->space ? 2 * rows->space : 64;
    rows->rows = grown(rows->rows, rows->space * sizeof *rows->rows);
  }
  return memset(&rows->rows[rows->len++], 0, sizeof *rows->rows);
}

struct metric {
  const char *name, *type, *help;
  size_t offset;
};

#define STATS(name, type, help, field) {name, type, help, offsetof(struct row, stats.field)}

static const struct metric for_both[] = {
    STATS("connections_total", "counter", "Connections scheduled.", counters.connections),
    STATS("packets_in_total", "counter", "Packets from clients.", counters.packets_in),
    STATS("packets_out_total", "counter", "Packets to clients, as far as they pass the director.", counters.packets_out),
    STATS("bytes_in_total", "counter", "Bytes from clients.", counters.bytes_in),
    STATS("bytes_out_total", "counter", "Bytes to clients, as far as they pass the director.", counters.bytes_out),
    STATS("connections_per_second", "gauge", "Connections a second, by the kernel's estimator.", rates.connections),
    STATS("packets_in_per_second", "gauge", "Packets a second from clients.", rates.packets_in),
    STATS("packets_out_per_second", "gauge", "Packets a second to clients.", rates.packets_out),
    STATS("bytes_in_per_second", "gauge", "Bytes a second from clients.", rates.bytes_in),
    STATS("bytes_out_per_second", "gauge", "Bytes a second to clients.", rates.bytes_out),
};

static const struct metric for_servers[] = {
    {"weight", "gauge", "Weight; 0 is quiesced.", offsetof(struct row, weight)},
    {"active_connections", "gauge", "Active connections.", offsetof(struct row, active)},
    {"inactive_connections", "gauge", "Inactive connections; UDP ones always count here.", offsetof(struct row, inactive)},
    {"persistent_connections", "gauge", "Persistence templates.", offsetof(struct row, persistent)},
};

static void write_metrics(struct buffer *out, const struct buffer *labels, const char *prefix, const struct rows *rows,
                          const struct metric *metrics, size_t count) {
  for (const struct metric *metric = metrics; metric < metrics + count; metric++) {
    print(out, "# HELP %s_%s %s\n# TYPE %s_%s %s\n", prefix, metric->name, metric->help, prefix, metric->name,
          metric->type);
    for (size_t i = 0; i < rows->len; i++) {
      uint64_t value;
      memcpy(&value, (const char *)&rows->rows[i] + metric->offset, sizeof value);
      print(out, "%s_%s{%s} %llu\n", prefix, metric->name, labels->data + rows->rows[i].labels,
            (unsigned long long)value);
    }
  }
}

static const char *protocol_name(uint16_t protocol, char *number, size_t size) {
  switch (protocol) {
  case LVS_PROTOCOL_TCP:
    return "tcp";
  case LVS_PROTOCOL_UDP:
    return "udp";
  case LVS_PROTOCOL_SCTP:
    return "sctp";
  default:
    snprintf(number, size, "%u", protocol);
    return number;
  }
}

static void service_labels(struct buffer *labels, const lvs_service_key *key) {
  char addr[LVS_ADDRESS_STRLEN], number[8];
  if (key->fwmark != 0) {
    print(labels, "fwmark=\"%u\",family=\"%s\"", key->fwmark, key->addr.family == LVS_FAMILY_IPV6 ? "ipv6" : "ipv4");
    return;
  }
  lvs_address_format(&key->addr, addr, sizeof addr);
  print(labels, "protocol=\"%s\",address=\"%s\",port=\"%u\"", protocol_name(key->protocol, number, sizeof number), addr,
        key->port);
}

/* The buffers that live as long as the agent. */
struct agent {
  struct buffer out, labels;
  struct rows services, servers;
};

/* The whole table as text, in agent->out. */
static lvs_status scrape(struct agent *agent, lvs_director *director, lvs_error **err) {
  lvs_snapshot *snapshot = NULL;
  lvs_status status = lvs_director_snapshot(director, &snapshot, err);
  agent->out.len = agent->labels.len = agent->services.len = agent->servers.len = 0;
  if (status == LVS_STATUS_OK)
    lvs_snapshot_sort(snapshot);
  for (size_t i = 0; status == LVS_STATUS_OK && i < lvs_snapshot_services_len(snapshot); i++) {
    lvs_service service = LVS_SERVICE_INIT;
    lvs_service_state state = LVS_SERVICE_STATE_INIT;
    status = lvs_snapshot_service_get(snapshot, i, &service, &state, err);
    if (status != LVS_STATUS_OK)
      break;
    struct row *row = add(&agent->services);
    row->labels = agent->labels.len;
    row->stats = state.stats;
    service_labels(&agent->labels, &service.key);
    print(&agent->labels, "%c", 0);
    for (size_t j = 0; j < lvs_snapshot_destinations_len(snapshot, i); j++) {
      lvs_destination server = LVS_DESTINATION_INIT;
      lvs_destination_state counts = LVS_DESTINATION_STATE_INIT;
      char addr[LVS_ADDRESS_STRLEN];
      status = lvs_snapshot_destination_get(snapshot, i, j, &server, &counts, err);
      if (status != LVS_STATUS_OK)
        break;
      row = add(&agent->servers);
      row->labels = agent->labels.len;
      row->stats = counts.stats;
      row->weight = server.weight;
      row->active = counts.active;
      row->inactive = counts.inactive;
      row->persistent = counts.persistent;
      lvs_address_format(&server.key.addr, addr, sizeof addr);
      service_labels(&agent->labels, &service.key);
      print(&agent->labels, ",server=\"%s\",server_port=\"%u\"%c", addr, server.key.port, 0);
    }
  }
  lvs_snapshot_free(snapshot);
  if (status != LVS_STATUS_OK)
    return status;

  size_t both = sizeof for_both / sizeof *for_both;
  write_metrics(&agent->out, &agent->labels, "lvs_service", &agent->services, for_both, both);
  write_metrics(&agent->out, &agent->labels, "lvs_server", &agent->servers, for_both, both);
  write_metrics(&agent->out, &agent->labels, "lvs_server", &agent->servers, for_servers,
                sizeof for_servers / sizeof *for_servers);
  return LVS_STATUS_OK;
}

/* Writes to stdout, or replaces a file in one step. */
static int deliver(const struct buffer *out, const char *path) {
  char temporary[4096];
  if (path == NULL) {
    fwrite(out->data, 1, out->len, stdout);
    putchar('\n');
    return fflush(stdout);
  }
  if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >= sizeof temporary) {
    errno = ENAMETOOLONG;
    return -1;
  }
  FILE *file = fopen(temporary, "wb");
  if (file == NULL)
    return -1;
  size_t written = fwrite(out->data, 1, out->len, file);
  if (fclose(file) != 0 || written != out->len)
    return -1;
  return rename(temporary, path);
}

static int usage(void) {
  fputs("usage: agent --kernel | --rules FILE [--interval SECONDS] [--count N] [--output FILE]\n", stderr);
  return 2;
}

int main(int argc, char **argv) {
  const char *rules = NULL, *output = NULL;
  bool kernel = false;
  unsigned long interval = 15, count = 0;
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (strcmp(argv[i], "--kernel") == 0) {
      kernel = true;
      continue;
    }
    if (value == NULL)
      return usage();
    if (strcmp(argv[i], "--rules") == 0)
      rules = value;
    else if (strcmp(argv[i], "--interval") == 0)
      interval = strtoul(value, NULL, 10);
    else if (strcmp(argv[i], "--count") == 0)
      count = strtoul(value, NULL, 10);
    else if (strcmp(argv[i], "--output") == 0)
      output = value;
    else
      return usage();
    i++;
  }
  if (kernel == (rules != NULL))
    return usage();

  lvs_error *err = NULL;
  lvs_director *director = NULL;
  struct agent agent = {0};
  int code = 0;
  if (open_director(rules, &director, &err) != LVS_STATUS_OK) {
    char reason[512];
    fprintf(stderr, "agent: %s\n", why_not_open(rules, err, reason, sizeof reason));
    lvs_error_free(err);
    return 1;
  }
  for (unsigned round = 0; count == 0 || round < count; round++) {
    if (round > 0) {
      struct timespec pause = {(time_t)interval, 0};
      nanosleep(&pause, NULL);
    }
    if (!kernel)
      traffic(director, round, interval > 0 ? interval : 1);
    /* A kernel that cannot be asked now may be asked later: say so, and go on. */
    code = 0;
    if (scrape(&agent, director, &err) != LVS_STATUS_OK) {
      fprintf(stderr, "agent: %s\n", lvs_error_message(err));
      code = 1;
    } else if (deliver(&agent.out, output) != 0) {
      perror(output ? output : "stdout");
      code = 1;
    }
  }
  free(agent.out.data);
  free(agent.labels.data);
  free(agent.services.rows);
  free(agent.servers.rows);
  lvs_director_free(director);
  lvs_error_free(err);
  return code;
}
