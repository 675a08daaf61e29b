/*
 * An AgentX sub-agent for net-snmp's snmpd: services and real servers as two tables, on the kernel or on a rules file.
 *
 *     cc -I.. $(pkg-config --cflags lvs) -o lvs_snmp lvs_snmp.c $(pkg-config --libs lvs) -lnetsnmpagent -lnetsnmp
 *
 *     lvs_snmp --kernel                       with CAP_NET_ADMIN; snmpd.conf says "master agentx"
 *     lvs_snmp --rules cluster.rules --agentx unix:/run/agentx
 *
 * The objects are below netSnmpPlaypen (.1.3.6.1.4.1.8072.9999.9999), which is for experiments: take an arc of your own.
 * They are lvsServices (.1.1: name, connections, packets in and out, bytes in and out, from column 2) and lvsServers (.1.2: name,
 * weight, active and inactive connections, connections, bytes in and out, from column 3). Indexes are places in the order of the
 * keys, as `ipvsadm -L` has it.
 */
#include <net-snmp/net-snmp-config.h>

#include <net-snmp/net-snmp-includes.h>

#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "common.h"

#include <signal.h>
#include <time.h>

enum { MAX_AGE = 1 };

/* Columns; 1 and 2 are the indexes of the servers' table, 1 that of the services'. */
enum { SERVICE_NAME = 2, SERVICE_CONNECTIONS, SERVICE_PACKETS_IN, SERVICE_PACKETS_OUT, SERVICE_BYTES_IN, SERVICE_BYTES_OUT };
enum { SERVER_NAME = 3, SERVER_WEIGHT, SERVER_ACTIVE, SERVER_INACTIVE, SERVER_CONNECTIONS, SERVER_BYTES_IN, SERVER_BYTES_OUT };

static const oid services_oid[] = {1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1, 1};
static const oid servers_oid[] = {1, 3, 6, 1, 4, 1, 8072, 9999, 9999, 1, 2};

static lvs_director *director;
static lvs_snapshot *snapshot;
static unsigned rounds;
static volatile sig_atomic_t stopped;

static void stop(int signal) {
  (void)signal;
  stopped = 1;
}

/* One snapshot for both tables, read again when it is older than a second. */
static void refresh(void) {
  static time_t read_at;
  lvs_error *err = NULL;
  lvs_snapshot *fresh = NULL;
  time_t now = time(NULL);
  if (snapshot != NULL && now - read_at <= MAX_AGE && now >= read_at)
    return;
  if (lvs_director_is_embedded(director))
    traffic(director, rounds++, 2);
  if (lvs_director_snapshot(director, &fresh, &err) != LVS_STATUS_OK) {
    snmp_log(LOG_ERR, "lvs_snmp: %s\n", lvs_error_message(err));
    lvs_error_free(err);
  } else {
    lvs_snapshot_sort(fresh);
  }
  /* Old numbers are worse than none. */
  lvs_snapshot_free(snapshot);
  snapshot = fresh;
  read_at = now;
}

/* A row: places from 0. */
struct row {
  size_t service, server;
};

static netsnmp_variable_list *index_of(const struct row *row, netsnmp_variable_list *indexes, bool servers) {
  unsigned long service = row->service + 1, server = row->server + 1;
  snmp_set_var_value(indexes, &service, sizeof service);
  if (servers)
    snmp_set_var_value(indexes->next_variable, &server, sizeof server);
  return indexes;
}

/* The row at `row`, or the first one after it that there is; NULL if there is none. */
static netsnmp_variable_list *settle(struct row *row, netsnmp_variable_list *indexes, bool servers) {
  while (snapshot != NULL && row->service < lvs_snapshot_services_len(snapshot)) {
    if (!servers || row->server < lvs_snapshot_destinations_len(snapshot, row->service))
      return index_of(row, indexes, servers);
    row->service++;
    row->server = 0;
  }
  return NULL;
}

static netsnmp_variable_list *first(void **loop, void **context, netsnmp_variable_list *indexes,
                                    netsnmp_iterator_info *info) {
  (void)context; /* kept() makes it */
  struct row *row = calloc(1, sizeof *row);
  refresh();
  if (row == NULL)
    return NULL;
  *loop = row;
  return settle(row, indexes, info->myvoid != NULL);
}

static netsnmp_variable_list *next(void **loop, void **context, netsnmp_variable_list *indexes,
                                   netsnmp_iterator_info *info) {
  (void)context;
  struct row *row = *loop;
  if (info->myvoid != NULL)
    row->server++;
  else
    row->service++;
  return settle(row, indexes, info->myvoid != NULL);
}

/* What the handler is given lives longer than the loop. */
static void *kept(void *loop, netsnmp_iterator_info *info) {
  (void)info;
  struct row *row = malloc(sizeof *row);
  if (row != NULL)
    *row = *(struct row *)loop;
  return row;
}

static void freed(void *row, netsnmp_iterator_info *info) {
  (void)info;
  free(row);
}

static void set_counter(netsnmp_variable_list *to, uint64_t number) {
  struct counter64 counter = {.high = number >> 32, .low = number & 0xffffffff};
  snmp_set_var_typed_value(to, ASN_COUNTER64, &counter, sizeof counter);
}

static void set_gauge(netsnmp_variable_list *to, unsigned long number) {
  snmp_set_var_typed_value(to, ASN_GAUGE, &number, sizeof number);
}

static bool service_column(netsnmp_variable_list *to, const struct row *row, unsigned column) {
  lvs_service service = LVS_SERVICE_INIT;
  lvs_service_state state = LVS_SERVICE_STATE_INIT;
  const lvs_counters *total = &state.stats.counters;
  char name[LVS_SERVICE_KEY_STRLEN];
  if (lvs_snapshot_service_get(snapshot, row->service, &service, &state, NULL) != LVS_STATUS_OK)
    return false;
  switch (column) {
  case SERVICE_NAME:
    snmp_set_var_typed_value(to, ASN_OCTET_STR, name, lvs_service_key_format(&service.key, name, sizeof name));
    return true;
  case SERVICE_CONNECTIONS:
    set_counter(to, total->connections);
    return true;
  case SERVICE_PACKETS_IN:
    set_counter(to, total->packets_in);
    return true;
  case SERVICE_PACKETS_OUT:
    set_counter(to, total->packets_out);
    return true;
  case SERVICE_BYTES_IN:
    set_counter(to, total->bytes_in);
    return true;
  case SERVICE_BYTES_OUT:
    set_counter(to, total->bytes_out);
    return true;
  default:
    return false;
  }
}

static bool server_column(netsnmp_variable_list *to, const struct row *row, unsigned column) {
  lvs_destination server = LVS_DESTINATION_INIT;
  lvs_destination_state counts = LVS_DESTINATION_STATE_INIT;
  char name[LVS_DESTINATION_KEY_STRLEN];
  if (lvs_snapshot_destination_get(snapshot, row->service, row->server, &server, &counts, NULL) != LVS_STATUS_OK)
    return false;
  switch (column) {
  case SERVER_NAME:
    snmp_set_var_typed_value(to, ASN_OCTET_STR, name, lvs_destination_key_format(&server.key, name, sizeof name));
    return true;
  case SERVER_WEIGHT:
    set_gauge(to, server.weight);
    return true;
  case SERVER_ACTIVE:
    set_gauge(to, counts.active);
    return true;
  case SERVER_INACTIVE:
    set_gauge(to, counts.inactive);
    return true;
  case SERVER_CONNECTIONS:
    set_counter(to, counts.stats.counters.connections);
    return true;
  case SERVER_BYTES_IN:
    set_counter(to, counts.stats.counters.bytes_in);
    return true;
  case SERVER_BYTES_OUT:
    set_counter(to, counts.stats.counters.bytes_out);
    return true;
  default:
    return false;
  }
}

static int answer(netsnmp_mib_handler *handler, netsnmp_handler_registration *registration,
                  netsnmp_agent_request_info *about, netsnmp_request_info *requests) {
  (void)handler;
  bool servers = registration->rootoid[registration->rootoid_len - 1] == servers_oid[OID_LENGTH(servers_oid) - 1];
  if (about->mode != MODE_GET)
    return SNMP_ERR_NOERROR;
  for (netsnmp_request_info *request = requests; request != NULL; request = request->next) {
    const struct row *row = netsnmp_extract_iterator_context(request);
    const netsnmp_table_request_info *table = netsnmp_extract_table_info(request);
    if (request->processed)
      continue;
    if (row == NULL || table == NULL)
      netsnmp_set_request_error(about, request, SNMP_NOSUCHINSTANCE);
    else if (!(servers ? server_column : service_column)(request->requestvb, row, table->colnum))
      netsnmp_set_request_error(about, request, SNMP_NOSUCHOBJECT);
  }
  return SNMP_ERR_NOERROR;
}

static void offer(const char *name, const oid *where, size_t len, unsigned columns, bool servers) {
  netsnmp_handler_registration *registration =
      netsnmp_create_handler_registration(name, answer, where, len, HANDLER_CAN_RONLY);
  netsnmp_table_registration_info *table = SNMP_MALLOC_TYPEDEF(netsnmp_table_registration_info);
  netsnmp_iterator_info *iterator = SNMP_MALLOC_TYPEDEF(netsnmp_iterator_info);
  if (registration == NULL || table == NULL || iterator == NULL)
    exit(1);
  netsnmp_table_helper_add_indexes(table, ASN_UNSIGNED, servers ? ASN_UNSIGNED : 0, 0);
  table->min_column = servers ? SERVER_NAME : SERVICE_NAME;
  table->max_column = columns;
  iterator->get_first_data_point = first;
  iterator->get_next_data_point = next;
  iterator->make_data_context = kept;
  iterator->free_data_context = freed;
  iterator->free_loop_context_at_end = freed;
  iterator->myvoid = servers ? (void *)servers_oid : NULL;
  iterator->table_reginfo = table;
  netsnmp_register_table_iterator2(registration, iterator);
}

static int usage(void) {
  fputs("usage: lvs_snmp --kernel | --rules FILE [--agentx ADDRESS]\n", stderr);
  return 2;
}

int main(int argc, char **argv) {
  const char *rules = NULL, *agentx = NULL;
  bool kernel = false;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--kernel") == 0)
      kernel = true;
    else if (strcmp(argv[i], "--rules") == 0 && i + 1 < argc)
      rules = argv[++i];
    else if (strcmp(argv[i], "--agentx") == 0 && i + 1 < argc)
      agentx = argv[++i];
    else
      return usage();
  }
  if (kernel == (rules != NULL))
    return usage();

  lvs_error *err = NULL;
  if (open_director(rules, &director, &err) != LVS_STATUS_OK) {
    char reason[512];
    fprintf(stderr, "lvs_snmp: %s\n", why_not_open(rules, err, reason, sizeof reason));
    lvs_error_free(err);
    return 1;
  }
  snmp_enable_stderrlog();
  netsnmp_ds_set_boolean(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_ROLE, 1);
  if (agentx != NULL)
    netsnmp_ds_set_string(NETSNMP_DS_APPLICATION_ID, NETSNMP_DS_AGENT_X_SOCKET, agentx);
  init_agent("lvs_snmp");
  offer("lvsServices", services_oid, OID_LENGTH(services_oid), SERVICE_BYTES_OUT, false);
  offer("lvsServers", servers_oid, OID_LENGTH(servers_oid), SERVER_BYTES_OUT, true);
  init_snmp("lvs_snmp");
  signal(SIGTERM, stop);
  signal(SIGINT, stop);
  while (!stopped)
    agent_check_and_process(1);
  snmp_shutdown("lvs_snmp");
  lvs_snapshot_free(snapshot);
  lvs_director_free(director);
  return 0;
}
