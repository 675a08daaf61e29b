/* A director's table, changed and read one call at a time. */
#include "check.h"

static void initialisers_are_the_defaults_of_ipvsadm(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_service made = service("tcp://192.0.2.1:80"), read = LVS_SERVICE_INIT;
  OK(lvs_director_add_service(director, &made, &err));
  OK(lvs_director_service(director, &made.key, &read, NULL, &err));
  CHECK(memcmp(&made, &read, sizeof made) == 0);
  CHECK(strcmp(read.scheduler, "wlc") == 0 && read.flags == 0 && read.netmask == LVS_NETMASK_FULL);

  lvs_destination server = destination("198.51.100.7:80"), same = LVS_DESTINATION_INIT;
  lvs_destination_list *list = NULL;
  OK(lvs_director_add_destination(director, &made.key, &server, &err));
  OK(lvs_director_destinations(director, &made.key, &list, &err));
  CHECK(lvs_destination_list_len(list) == 1);
  OK(lvs_destination_list_get(list, 0, &same, NULL, &err));
  CHECK(memcmp(&server, &same, sizeof same) == 0);
  CHECK(same.weight == 1 && same.forwarding == LVS_FORWARDING_DIRECT);
  lvs_destination_list_free(list);

  lvs_settings settings = LVS_SETTINGS_INIT, first = LVS_SETTINGS_INIT;
  OK(lvs_director_settings(director, &settings, &err));
  CHECK(memcmp(&settings, &first, sizeof first) == 0);
  lvs_director_free(director);
}

static void a_service_is_added_changed_read_and_removed(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_service made = service("udp://[2001:db8::1]:53"), read = LVS_SERVICE_INIT;
  lvs_service_state state = LVS_SERVICE_STATE_INIT;
  lvs_service_list *list = NULL;

  strcpy(made.scheduler, "rr");
  made.flags = LVS_SERVICE_PERSISTENT | LVS_SERVICE_ONE_PACKET;
  made.timeout = 300;
  made.netmask = 64;
  strcpy(made.engine, "sip");
  OK(lvs_director_add_service(director, &made, &err));
  FAILS(lvs_director_add_service(director, &made, &err), LVS_STATUS_ALREADY_EXISTS);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_SERVICE_EXISTS && lvs_error_errno(err) == 17);
  CHECK(strcmp(lvs_error_message(err),
               "cannot add service udp://[2001:db8::1]:53: the service exists already") == 0);

  OK(lvs_director_service(director, &made.key, &read, &state, &err));
  CHECK(read.netmask == 64 && read.timeout == 300 && strcmp(read.engine, "sip") == 0);
  CHECK(state.present & LVS_STATS_PRESENT);
  CHECK(state.stats.counters.connections == 0);

  strcpy(made.scheduler, "sh");
  OK(lvs_director_update_service(director, &made, &err));
  OK(lvs_director_services(director, &list, &err));
  CHECK(lvs_service_list_len(list) == 1);
  OK(lvs_service_list_get(list, 0, &read, &state, &err));
  CHECK(strcmp(read.scheduler, "sh") == 0);
  FAILS(lvs_service_list_get(list, 1, &read, NULL, &err), LVS_STATUS_INVALID_INPUT);

  strcpy(made.scheduler, "nosuch");
  FAILS(lvs_director_update_service(director, &made, &err), LVS_STATUS_UNSUPPORTED);

  OK(lvs_director_zero(director, &made.key, &err));
  OK(lvs_director_zero(director, NULL, &err));
  OK(lvs_director_remove_service(director, &made.key, &err));
  FAILS(lvs_director_remove_service(director, &made.key, &err), LVS_STATUS_NOT_FOUND);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_SERVICE_NOT_FOUND && lvs_error_errno(err) == 3);
  FAILS(lvs_director_service(director, &made.key, &read, NULL, &err), LVS_STATUS_NOT_FOUND);
  FAILS(lvs_director_zero(director, &made.key, &err), LVS_STATUS_NOT_FOUND);

  /* A list outlives its director. */
  lvs_director_free(director);
  OK(lvs_service_list_get(list, 0, &read, NULL, &err));
  lvs_service_list_free(list);
  lvs_error_free(err);
}

static void destinations_are_listed_newest_first(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_service web = service("tcp://192.0.2.1:80");
  lvs_destination one = destination("198.51.100.1:80"), two = destination("198.51.100.2:8080");
  lvs_destination read = LVS_DESTINATION_INIT;
  lvs_destination_state state = LVS_DESTINATION_STATE_INIT;
  lvs_destination_list *list = NULL;

  OK(lvs_director_add_service(director, &web, &err));
  OK(lvs_director_add_destination(director, &web.key, &one, &err));
  two.forwarding = LVS_FORWARDING_TUNNEL;
  two.tunnel = LVS_TUNNEL_GUE;
  two.tunnel_port = 6080;
  two.tunnel_flags = LVS_TUNNEL_CHECKSUM;
  two.upper_threshold = 100;
  two.lower_threshold = 50;
  OK(lvs_director_add_destination(director, &web.key, &two, &err));
  FAILS(lvs_director_add_destination(director, &web.key, &two, &err), LVS_STATUS_ALREADY_EXISTS);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_DESTINATION_EXISTS);

  one.weight = 0;
  OK(lvs_director_update_destination(director, &web.key, &one, &err));
  OK(lvs_director_destinations(director, &web.key, &list, &err));
  CHECK(lvs_destination_list_len(list) == 2);
  OK(lvs_destination_list_get(list, 0, &read, &state, &err));
  CHECK(memcmp(&read, &two, sizeof two) == 0);
  CHECK(state.active == 0 && state.inactive == 0 && state.persistent == 0);
  OK(lvs_destination_list_get(list, 1, &read, NULL, &err));
  CHECK(read.weight == 0);
  lvs_destination_list_free(list);

  one.weight = 2147483648u;
  FAILS(lvs_director_update_destination(director, &web.key, &one, &err), LVS_STATUS_KERNEL);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_OUT_OF_RANGE && lvs_error_errno(err) == 34);

  OK(lvs_director_remove_destination(director, &web.key, &one.key, &err));
  FAILS(lvs_director_remove_destination(director, &web.key, &one.key, &err), LVS_STATUS_NOT_FOUND);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_DESTINATION_NOT_FOUND && lvs_error_errno(err) == 2);

  lvs_service_key nobody = service_key("tcp://192.0.2.99:80");
  list = NULL;
  FAILS(lvs_director_destinations(director, &nobody, &list, &err), LVS_STATUS_NOT_FOUND);
  CHECK(list == NULL);
  OK(lvs_director_flush(director, &err));
  FAILS(lvs_director_destinations(director, &web.key, &list, &err), LVS_STATUS_NOT_FOUND);
  lvs_error_free(err);
  lvs_director_free(director);
}

static void timeouts_info_and_daemons(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  lvs_info info = LVS_INFO_INIT;
  lvs_daemon master = LVS_DAEMON_INIT, daemons[2] = {LVS_DAEMON_INIT, LVS_DAEMON_INIT};
  size_t count = 99;

  OK(lvs_director_timeouts(director, &timeouts, &err));
  CHECK(timeouts.tcp == 900 && timeouts.tcp_fin == 120 && timeouts.udp == 300);
  timeouts.tcp = 0;
  timeouts.tcp_fin = 60;
  timeouts.udp = 10;
  OK(lvs_director_set_timeouts(director, &timeouts, &err));
  OK(lvs_director_timeouts(director, &timeouts, &err));
  CHECK(timeouts.tcp == 900 && timeouts.tcp_fin == 60 && timeouts.udp == 10);
  timeouts.tcp = 8589935;
  FAILS(lvs_director_set_timeouts(director, &timeouts, &err), LVS_STATUS_KERNEL);

  OK(lvs_director_info(director, &info, &err));
  CHECK(info.version_major == 1 && info.version_minor == 2 && info.version_patch == 1);
  CHECK(info.connection_table_size == 4096);

  OK(lvs_director_daemons(director, NULL, 0, &count, &err));
  CHECK(count == 0);
  strcpy(master.interface, "eth0");
  master.sync_id = 7;
  OK(lvs_director_start_daemon(director, &master, &err));
  FAILS(lvs_director_start_daemon(director, &master, &err), LVS_STATUS_ALREADY_EXISTS);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_DAEMON_RUNNING);
  master.role = LVS_ROLE_BACKUP;
  OK(lvs_director_start_daemon(director, &master, &err));
  OK(lvs_director_daemons(director, daemons, 2, &count, &err));
  CHECK(count == 2 && daemons[0].role == LVS_ROLE_MASTER && daemons[1].role == LVS_ROLE_BACKUP);
  CHECK(strcmp(daemons[0].interface, "eth0") == 0 && daemons[0].sync_id == 7 && daemons[0].port == 8848);
  count = 0;
  OK(lvs_director_daemons(director, daemons, 1, &count, &err));
  CHECK(count == 2);
  OK(lvs_director_stop_daemon(director, LVS_ROLE_MASTER, &err));
  FAILS(lvs_director_stop_daemon(director, LVS_ROLE_MASTER, &err), LVS_STATUS_NOT_FOUND);
  strcpy(master.interface, "nosuch0");
  master.role = LVS_ROLE_MASTER;
  FAILS(lvs_director_start_daemon(director, &master, &err), LVS_STATUS_NOT_FOUND);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_INTERFACE_NOT_FOUND);
  lvs_error_free(err);
  lvs_director_free(director);
}

static void an_embedded_director_is_opened_with_options(void) {
  lvs_error *err = NULL;
  lvs_director *director = NULL;
  lvs_embedded_options options = LVS_EMBEDDED_OPTIONS_INIT;
  static const char *const schedulers[] = {"rr", "wrr"};
  lvs_interface bond = {"bond0", 9000};
  lvs_network local = {{LVS_FAMILY_IPV4, 0, {192, 0, 2, 9}}, 24, 0};
  lvs_info info = LVS_INFO_INIT;

  options.profile = LVS_PROFILE_OLD;
  options.seed = 7;
  options.connection_table_size = 65536;
  options.no_ipv6 = 1;
  options.schedulers = schedulers;
  options.schedulers_len = 2;
  options.engines = schedulers;
  options.engines_len = 0;
  options.interfaces = &bond;
  options.interfaces_len = 1;
  options.local = &local;
  options.local_len = 1;
  OK(lvs_director_open_embedded(&options, &director, &err));
  CHECK(lvs_director_is_embedded(director));
  OK(lvs_director_info(director, &info, &err));
  CHECK(info.connection_table_size == 65536);

  lvs_service made = service("tcp://[2001:db8::1]:80");
  FAILS(lvs_director_add_service(director, &made, &err), LVS_STATUS_UNSUPPORTED);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_FAMILY_UNSUPPORTED && lvs_error_errno(err) == 97);
  made = service("tcp://192.0.2.1:80");
  FAILS(lvs_director_add_service(director, &made, &err), LVS_STATUS_UNSUPPORTED);
  CHECK(lvs_error_cause(err) == LVS_CAUSE_SCHEDULER_NOT_FOUND);
  strcpy(made.scheduler, "wrr");
  OK(lvs_director_add_service(director, &made, &err));
  strcpy(made.engine, "sip");
  FAILS(lvs_director_update_service(director, &made, &err), LVS_STATUS_UNSUPPORTED);
  lvs_director_free(director);
  CHECK(!lvs_director_is_embedded(NULL));

  options.profile = 3;
  FAILS(lvs_director_open_embedded(&options, &director, &err), LVS_STATUS_INVALID_INPUT);
  options.profile = LVS_PROFILE_NEW;
  local.prefix_length = 33;
  FAILS(lvs_director_open_embedded(&options, &director, &err), LVS_STATUS_INVALID_INPUT);
  lvs_error_free(err);
}

static void the_embedded_clock_moves_when_told(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_settings settings = LVS_SETTINGS_INIT;
  lvs_stats totals;
  uint64_t now = 1;

  OK(lvs_director_now(director, &now, &err));
  CHECK(now == 0);
  OK(lvs_director_advance(director, UINT64_C(86400000000000), &err));
  OK(lvs_director_now(director, &now, &err));
  CHECK(now == UINT64_C(86400000000000));
  OK(lvs_director_totals(director, &totals, &err));
  CHECK(totals.counters.connections == 0 && totals.rates.bytes_out == 0);

  lvs_proc_status status = LVS_PROC_STATUS_INIT;
  uint32_t profile = LVS_PROFILE_OLD;
  OK(lvs_director_proc_status(director, &status, &err));
  CHECK(status.connections.entries == 0 && status.connections.buckets == 4096 && status.estimator_threads == 1);
  OK(lvs_director_profile(director, &profile, &err));
  CHECK(profile == LVS_PROFILE_NEW);

  OK(lvs_director_settings(director, &settings, &err));
  settings.expire_nodest_conn = 1;
  settings.drop_packet = 3;
  OK(lvs_director_set_settings(director, &settings, &err));
  settings.drop_packet = 256;
  FAILS(lvs_director_set_settings(director, &settings, &err), LVS_STATUS_INVALID_INPUT);
  OK(lvs_director_settings(director, &settings, &err));
  CHECK(settings.expire_nodest_conn == 1 && settings.drop_packet == 3);
  CHECK(settings.amemthresh == 1024 && settings.drop_entry == 0 && settings.conntrack == 0);
  settings.secure_tcp = 1;
  OK(lvs_director_set_settings(director, &settings, &err));
  OK(lvs_director_set_available_pages(director, 0, &err));
  OK(lvs_director_advance(director, UINT64_C(1000000000), &err));
  OK(lvs_director_settings(director, &settings, &err));
  CHECK(settings.secure_tcp == 2);
  lvs_error_free(err);
  lvs_director_free(director);
}

int main(void) {
  initialisers_are_the_defaults_of_ipvsadm();
  a_service_is_added_changed_read_and_removed();
  destinations_are_listed_newest_first();
  timeouts_info_and_daemons();
  an_embedded_director_is_opened_with_options();
  the_embedded_clock_moves_when_told();
  return 0;
}
