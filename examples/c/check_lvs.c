/*
 * A check for Nagios, Icinga and their kin: are there enough real servers?
 *
 *     check_lvs --kernel -w 2 -c 1
 *     check_lvs --rules cluster.rules -s "tcp 192.0.2.1:80" -w 3 -c 2
 *
 *     -s SERVICE   only this service ("tcp 192.0.2.1:80", "udp [2001:db8::1]:53", "fwmark 7 IPv6"); all by default
 *     -w N         WARNING when a service has fewer than N real servers in use
 *     -c N         CRITICAL when a service has fewer than N real servers in use, 1 by default
 *     -W N         WARNING when a service has more than N active connections
 *     -C N         CRITICAL when a service has more than N active connections
 *
 * A real server is in use when its weight is above 0. One line of output with performance data; the exit status is 0 OK,
 * 1 WARNING, 2 CRITICAL, 3 UNKNOWN (the table could not be read, or the service does not exist).
 */
#include "common.h"

#include <string.h>

enum { OK, WARNING, CRITICAL, UNKNOWN };

static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

struct limits {
  unsigned long servers_warning, servers_critical;
  unsigned long connections_warning, connections_critical; /* ULONG_MAX: none */
};

/* What is wrong, the worst first, and the performance data: each cut short if there is very much of it. */
struct findings {
  int state;
  unsigned services, servers, in_use;
  char problems[1024], performance[3072];
};

static void append(char *text, size_t size, const char *more) {
  size_t len = strlen(text);
  if (len + strlen(more) < size)
    strcpy(text + len, more);
}

static void judge(struct findings *findings, const lvs_service_key *key, unsigned long servers, unsigned long in_use,
                  unsigned long long active, const struct limits *limits) {
  char name[LVS_SERVICE_KEY_STRLEN], line[512];
  int state = OK;
  lvs_service_key_format(key, name, sizeof name);
  if (in_use < limits->servers_critical || active > limits->connections_critical)
    state = CRITICAL;
  else if (in_use < limits->servers_warning || active > limits->connections_warning)
    state = WARNING;
  if (state != OK) {
    snprintf(line, sizeof line, "%s%s has %lu of %lu real servers in use and %llu active connections",
             findings->problems[0] ? "; " : "", name, in_use, servers, active);
    append(findings->problems, sizeof findings->problems, line);
  }
  snprintf(line, sizeof line, " '%s servers'=%lu;%lu:;%lu:;0;%lu '%s active'=%llu;;;0", name, in_use,
           limits->servers_warning, limits->servers_critical, servers, name, active);
  append(findings->performance, sizeof findings->performance, line);
  findings->state = state > findings->state ? state : findings->state;
  findings->services++;
  findings->servers += (unsigned)servers;
  findings->in_use += (unsigned)in_use;
}

static lvs_status check(lvs_director *director, const lvs_service_key *only, const struct limits *limits,
                        struct findings *findings, lvs_error **err) {
  lvs_snapshot *snapshot = NULL;
  size_t first = 0, end;
  lvs_status status = lvs_director_snapshot(director, &snapshot, err);
  if (status != LVS_STATUS_OK)
    return status;
  lvs_snapshot_sort(snapshot);
  end = lvs_snapshot_services_len(snapshot);
  if (only != NULL) {
    status = lvs_snapshot_find(snapshot, only, &first, err);
    end = first + 1;
  }
  for (size_t i = first; status == LVS_STATUS_OK && i < end; i++) {
    lvs_service service = LVS_SERVICE_INIT;
    size_t servers = lvs_snapshot_destinations_len(snapshot, i), in_use = 0;
    unsigned long long active = 0;
    status = lvs_snapshot_service_get(snapshot, i, &service, NULL, err);
    for (size_t j = 0; status == LVS_STATUS_OK && j < servers; j++) {
      lvs_destination server = LVS_DESTINATION_INIT;
      lvs_destination_state state = LVS_DESTINATION_STATE_INIT;
      status = lvs_snapshot_destination_get(snapshot, i, j, &server, &state, err);
      in_use += server.weight > 0;
      active += state.active;
    }
    if (status == LVS_STATUS_OK)
      judge(findings, &service.key, servers, in_use, active, limits);
  }
  lvs_snapshot_free(snapshot);
  return status;
}

static int unknown(lvs_error *err) {
  printf("LVS UNKNOWN - %s\n", lvs_error_message(err));
  lvs_error_free(err);
  return UNKNOWN;
}

static int usage(void) {
  puts("LVS UNKNOWN - usage: check_lvs --kernel | --rules FILE [-s SERVICE] [-w N] [-c N] [-W N] [-C N]");
  return UNKNOWN;
}

int main(int argc, char **argv) {
  const char *rules = NULL;
  bool kernel = false, one = false;
  lvs_service_key key;
  lvs_error *err = NULL;
  struct limits limits = {0, 1, (unsigned long)-1, (unsigned long)-1};
  for (int i = 1; i < argc; i++) {
    const char *value = i + 1 < argc ? argv[i + 1] : NULL;
    char *end = NULL;
    if (strcmp(argv[i], "--kernel") == 0) {
      kernel = true;
      continue;
    }
    if (value == NULL)
      return usage();
    i++;
    if (strcmp(argv[i - 1], "--rules") == 0) {
      rules = value;
      continue;
    }
    if (strcmp(argv[i - 1], "-s") == 0) {
      if (lvs_service_key_parse(value, &key, &err) != LVS_STATUS_OK)
        return unknown(err);
      one = true;
      continue;
    }
    unsigned long number = strtoul(value, &end, 10);
    if (*value == '\0' || *end != '\0')
      return usage();
    if (strcmp(argv[i - 1], "-w") == 0)
      limits.servers_warning = number;
    else if (strcmp(argv[i - 1], "-c") == 0)
      limits.servers_critical = number;
    else if (strcmp(argv[i - 1], "-W") == 0)
      limits.connections_warning = number;
    else if (strcmp(argv[i - 1], "-C") == 0)
      limits.connections_critical = number;
    else
      return usage();
  }
  if (kernel == (rules != NULL))
    return usage();

  lvs_director *director = NULL;
  struct findings findings = {0};
  if (open_director(rules, &director, &err) != LVS_STATUS_OK)
    return unknown(err);
  lvs_status status = check(director, one ? &key : NULL, &limits, &findings, &err);
  lvs_director_free(director);
  if (status != LVS_STATUS_OK)
    return unknown(err);
  if (findings.state == OK)
    printf("LVS OK - %u services, %u of %u real servers in use |%s\n", findings.services, findings.in_use,
           findings.servers, findings.performance);
  else
    printf("LVS %s - %s |%s\n", names[findings.state], findings.problems, findings.performance);
  return findings.state;
}
