/*
 * A plugin for collectd: every service and every real server, on the kernel or on a rules file.
 *
 *     cc -shared -fPIC -DHAVE_CONFIG_H -I.. -I/usr/include/collectd $(pkg-config --cflags lvs) \
 *         -o lvs.so lvs.c $(pkg-config --libs lvs)
 *
 *     LoadPlugin lvs
 *     <Plugin lvs>
 *       Rules "cluster.rules"     # an embedded director with some traffic; without it, the kernel, with CAP_NET_ADMIN
 *     </Plugin>
 *
 * The plugin instance is the service (tcp_192.0.2.1_80, fwmark_7_ipv6), the type instance the real server (198.51.100.1_80) or
 * "total". Connections, packets and octets are counters of 64 bits, as IPVS has them; collectd makes rates of them.
 */
#include <collectd/core/daemon/collectd.h>

#include <collectd/core/daemon/plugin.h>

#include "common.h"

static char *rules;
static lvs_director *director;
static unsigned rounds;

static const char *keys[] = {"Rules"};

static int configure(const char *key, const char *value) {
  if (strcasecmp(key, "Rules") != 0)
    return -1;
  free(rules);
  rules = strdup(value);
  return rules == NULL ? 1 : 0;
}

static int start(void) {
  lvs_error *err = NULL;
  char reason[512];
  if (open_director(rules, &director, &err) == LVS_STATUS_OK)
    return 0;
  plugin_log(LOG_ERR, "lvs plugin: %s", why_not_open(rules, err, reason, sizeof reason));
  lvs_error_free(err);
  return -1; /* collectd then does not ask for values */
}

static void dispatch(const char *service, const char *server, const char *type, value_t *values, size_t len) {
  value_list_t list = VALUE_LIST_INIT;
  list.values = values;
  list.values_len = len;
  snprintf(list.plugin, sizeof list.plugin, "lvs");
  snprintf(list.plugin_instance, sizeof list.plugin_instance, "%s", service);
  snprintf(list.type, sizeof list.type, "%s", type);
  snprintf(list.type_instance, sizeof list.type_instance, "%s", server);
  plugin_dispatch_values(&list);
}

static void dispatch_stats(const char *service, const char *server, const lvs_counters *total) {
  value_t connections = {.derive = (derive_t)total->connections};
  value_t packets[] = {{.derive = (derive_t)total->packets_in}, {.derive = (derive_t)total->packets_out}};
  value_t octets[] = {{.derive = (derive_t)total->bytes_in}, {.derive = (derive_t)total->bytes_out}};
  dispatch(service, server, "connections", &connections, 1);
  dispatch(service, server, "if_packets", packets, 2);
  dispatch(service, server, "if_octets", octets, 2);
}

static void dispatch_gauge(const char *service, const char *server, const char *what, uint32_t number) {
  char name[DATA_MAX_NAME_LEN];
  value_t value = {.gauge = number};
  snprintf(name, sizeof name, "%s-%s", what, server);
  dispatch(service, name, "gauge", &value, 1);
}

/* Without a slash, which separates the parts of collectd's names, and without brackets. */
static void service_name(const lvs_service_key *key, char *name, size_t size) {
  char addr[LVS_ADDRESS_STRLEN];
  if (key->fwmark != 0) {
    snprintf(name, size, "fwmark_%u%s", key->fwmark, key->addr.family == LVS_FAMILY_IPV6 ? "_ipv6" : "");
    return;
  }
  lvs_address_format(&key->addr, addr, sizeof addr);
  const char *protocol = key->protocol == LVS_PROTOCOL_TCP   ? "tcp"
                         : key->protocol == LVS_PROTOCOL_UDP ? "udp"
                                                             : "sctp";
  snprintf(name, size, "%s_%s_%u", protocol, addr, key->port);
}

static int values(void) {
  lvs_error *err = NULL;
  lvs_snapshot *snapshot = NULL;
  if (lvs_director_is_embedded(director))
    traffic(director, rounds++, 2);
  lvs_status status = lvs_director_snapshot(director, &snapshot, &err);
  for (size_t i = 0; status == LVS_STATUS_OK && i < lvs_snapshot_services_len(snapshot); i++) {
    lvs_service service = LVS_SERVICE_INIT;
    lvs_service_state state = LVS_SERVICE_STATE_INIT;
    char service_key[LVS_SERVICE_KEY_STRLEN];
    status = lvs_snapshot_service_get(snapshot, i, &service, &state, &err);
    if (status != LVS_STATUS_OK)
      break;
    service_name(&service.key, service_key, sizeof service_key);
    dispatch_stats(service_key, "total", &state.stats.counters);
    for (size_t j = 0; j < lvs_snapshot_destinations_len(snapshot, i); j++) {
      lvs_destination server = LVS_DESTINATION_INIT;
      lvs_destination_state counts = LVS_DESTINATION_STATE_INIT;
      char addr[LVS_ADDRESS_STRLEN], server_key[LVS_DESTINATION_KEY_STRLEN];
      status = lvs_snapshot_destination_get(snapshot, i, j, &server, &counts, &err);
      if (status != LVS_STATUS_OK)
        break;
      lvs_address_format(&server.key.addr, addr, sizeof addr);
      snprintf(server_key, sizeof server_key, "%s_%u", addr, server.key.port);
      dispatch_stats(service_key, server_key, &counts.stats.counters);
      dispatch_gauge(service_key, server_key, "weight", server.weight);
      dispatch_gauge(service_key, server_key, "active", counts.active);
      dispatch_gauge(service_key, server_key, "inactive", counts.inactive);
    }
  }
  lvs_snapshot_free(snapshot);
  if (status == LVS_STATUS_OK)
    return 0;
  plugin_log(LOG_ERR, "lvs plugin: %s", lvs_error_message(err));
  lvs_error_free(err);
  return -1; /* collectd asks less often until it works again */
}

static int stop(void) {
  lvs_director_free(director);
  director = NULL;
  free(rules);
  rules = NULL;
  return 0;
}

void module_register(void) {
  plugin_register_config("lvs", configure, keys, sizeof keys / sizeof *keys);
  plugin_register_init("lvs", start);
  plugin_register_read("lvs", values);
  plugin_register_shutdown("lvs", stop);
}
