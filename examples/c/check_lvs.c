/*
 * A check for Nagios, Icinga and compatible systems: are there enough real servers?
 *
 *     check_lvs --kernel -w 2 -c 1
 *     check_lvs --rules cluster.rules -s tcp://192.0.2.1:80 -w 3 -c 2
 *
 *     -s SERVICE   only this service (tcp://192.0.2.1:80, udp://[2001:db8::1]:53, fwmark:7/ipv6); all by default
 *     -w N         WARNING when a service has fewer than N real servers in use
 *     -c N         CRITICAL when a service has fewer than N real servers in use, 1 by default
 *     -W N         WARNING when a service has more than N active connections
 *     -C N         CRITICAL when a service has more than N active connections
 *     --allow-empty  a table without services is OK; it is CRITICAL by default, as after `ipvsadm -C`
 *
 * A real server is in use when its weight is above 0. One line of output with performance data; the exit status is 0 OK,
 * 1 WARNING, 2 CRITICAL, 3 UNKNOWN (the table could not be read, the service does not exist, the output could not be
 * written). Nothing is cut: a monitoring system that limits the length of a plugin's output cuts the performance data last.
 */
#include "common.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>

enum { OK, WARNING, CRITICAL, UNKNOWN };

static const char *const names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

/* A limit that is not set. */
#define NONE ULLONG_MAX

struct limits {
  unsigned long long servers_warning, servers_critical;
  unsigned long long connections_warning, connections_critical; /* NONE: no limit */
};

/* Text that grows. */
struct text {
  char *chars; /* NULL while it is empty */
  size_t len, size;
  bool failed; /* memory ran out */
};

static void append(struct text *text, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int more = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (more < 0 || text->failed)
    return;
  if (text->len + (size_t)more + 1 > text->size) {
    size_t size = 2 * (text->len + (size_t)more + 1);
    char *chars = realloc(text->chars, size);
    if (chars == NULL) {
      text->failed = true;
      return;
    }
    text->chars = chars;
    text->size = size;
  }
  va_start(arguments, format);
  vsnprintf(text->chars + text->len, text->size - text->len, format, arguments);
  va_end(arguments);
  text->len += (size_t)more;
}

/* The problems of each severity, and the performance data. */
struct findings {
  unsigned services, servers, in_use;
  struct text problems[UNKNOWN], performance;
};

/* A range of the plugin guidelines: an alert above the limit, or an empty string. */
static const char *above(unsigned long long limit, char *buffer, size_t size) {
  if (limit == NONE)
    return "";
  snprintf(buffer, size, "%llu", limit);
  return buffer;
}

static void judge(struct findings *findings, const lvs_service_key *key, unsigned long long servers,
                  unsigned long long in_use, unsigned long long active, const struct limits *limits) {
  char name[LVS_SERVICE_KEY_STRLEN], warning[24], critical[24];
  int state = OK;
  lvs_service_key_format(key, name, sizeof name);
  if (in_use < limits->servers_critical || (limits->connections_critical != NONE && active > limits->connections_critical))
    state = CRITICAL;
  else if (in_use < limits->servers_warning || (limits->connections_warning != NONE && active > limits->connections_warning))
    state = WARNING;
  if (state != OK)
    append(&findings->problems[state], "%s%s has %llu of %llu real servers in use and %llu active connections",
           findings->problems[state].len > 0 ? "; " : "", name, in_use, servers, active);
  append(&findings->performance, " '%s servers'=%llu;%llu:;%llu:;0;%llu '%s active'=%llu;%s;%s;0", name, in_use,
         limits->servers_warning, limits->servers_critical, servers, name, active,
         above(limits->connections_warning, warning, sizeof warning),
         above(limits->connections_critical, critical, sizeof critical));
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

/* The one line of output, and the exit status: UNKNOWN if it does not get out. */
static int say(int state, const char *what, const struct text *performance) {
  printf("LVS %s - %s", names[state], what);
  if (performance != NULL && performance->len > 0)
    printf(" |%s", performance->chars);
  putchar('\n');
  if (fflush(stdout) != 0 || ferror(stdout)) {
    fprintf(stderr, "check_lvs: cannot write: %s\n", strerror(errno));
    return UNKNOWN;
  }
  return state;
}

static int unknown(lvs_error *err) {
  int state = say(UNKNOWN, lvs_error_message(err), NULL);
  lvs_error_free(err);
  return state;
}

static int usage(void) {
  return say(UNKNOWN,
             "usage: check_lvs --kernel | --rules FILE [-s SERVICE] [-w N] [-c N] [-W N] [-C N] [--allow-empty]", NULL);
}

/* Reads a limit: digits alone, and no more than fits. */
static bool number(const char *text, unsigned long long *limit) {
  char *end = NULL;
  errno = 0;
  *limit = strtoull(text, &end, 10);
  return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

/* What was found as one line: the worst first. */
static int report(struct findings *findings, bool allow_empty) {
  struct text what = {0};
  int state = OK;
  if (findings->services == 0 && !allow_empty) {
    state = CRITICAL;
    append(&what, "the table has no services");
  } else if (findings->problems[CRITICAL].len > 0 || findings->problems[WARNING].len > 0) {
    state = findings->problems[CRITICAL].len > 0 ? CRITICAL : WARNING;
    for (int each = CRITICAL; each > OK; each--)
      if (findings->problems[each].len > 0)
        append(&what, "%s%s", what.len > 0 ? "; " : "", findings->problems[each].chars);
  } else {
    append(&what, "%u services, %u of %u real servers in use", findings->services, findings->in_use, findings->servers);
  }
  bool failed = what.failed || findings->performance.failed;
  for (int each = OK; each < UNKNOWN; each++)
    failed = failed || findings->problems[each].failed;
  state = failed ? say(UNKNOWN, "out of memory", NULL) : say(state, what.chars, &findings->performance);
  free(what.chars);
  return state;
}

int main(int argc, char **argv) {
  const char *rules = NULL;
  bool kernel = false, one = false, allow_empty = false;
  lvs_service_key key;
  lvs_error *err = NULL;
  struct limits limits = {0, 1, NONE, NONE};
  for (int i = 1; i < argc; i++) {
    const char *option = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    unsigned long long *limit = NULL;
    if (strcmp(option, "--kernel") == 0) {
      kernel = true;
      continue;
    }
    if (strcmp(option, "--allow-empty") == 0) {
      allow_empty = true;
      continue;
    }
    if (value == NULL)
      return usage();
    i++;
    if (strcmp(option, "--rules") == 0) {
      rules = value;
    } else if (strcmp(option, "-s") == 0) {
      if (lvs_service_key_parse(value, &key, &err) != LVS_STATUS_OK)
        return unknown(err);
      one = true;
    } else {
      if (strcmp(option, "-w") == 0)
        limit = &limits.servers_warning;
      else if (strcmp(option, "-c") == 0)
        limit = &limits.servers_critical;
      else if (strcmp(option, "-W") == 0)
        limit = &limits.connections_warning;
      else if (strcmp(option, "-C") == 0)
        limit = &limits.connections_critical;
      else
        return usage();
      if (!number(value, limit)) {
        struct text what = {0};
        append(&what, "%s takes a number of 0 or more, not \"%s\"", option, value);
        int state = say(UNKNOWN, what.chars != NULL ? what.chars : "out of memory", NULL);
        free(what.chars);
        return state;
      }
    }
  }
  if (kernel == (rules != NULL))
    return usage();

  lvs_director *director = NULL;
  struct findings findings = {0};
  int state;
  if (open_director(rules, &director, &err) != LVS_STATUS_OK) {
    char reason[PATH_MAX];
    state = say(UNKNOWN, why_not_open(rules, err, reason, sizeof reason), NULL);
    lvs_error_free(err);
    return state;
  }
  lvs_status status = check(director, one ? &key : NULL, &limits, &findings, &err);
  lvs_director_free(director);
  state = status == LVS_STATUS_OK ? report(&findings, allow_empty) : unknown(err);
  for (int each = OK; each < UNKNOWN; each++)
    free(findings.problems[each].chars);
  free(findings.performance.chars);
  return state;
}
