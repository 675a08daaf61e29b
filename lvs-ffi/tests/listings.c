/* Listings as ipvsadm prints them, and JSON. */
#include "check.h"

static const char rules[] = "-A -t 192.0.2.1:80 -s rr -p 300\n-a -t 192.0.2.1:80 -r 198.51.100.7:80 -m -w 3 -x 9 -y 4\n"
                            "-A -f 7 -6 -s sh -b sh-port\n--set 0 60 0\n--start-daemon master --mcast-interface eth0\n";

static lvs_director *filled(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_rules *parsed = NULL;
  lvs_batch *batch = NULL;
  OK(lvs_rules_parse(rules, strlen(rules), NULL, &parsed, &err));
  OK(lvs_batch_new(&batch, &err));
  OK(lvs_rules_to_batch(parsed, batch, &err));
  OK(lvs_director_apply(director, batch, LVS_ON_REFUSAL_STOP, NULL, &err));
  lvs_batch_free(batch);
  lvs_rules_free(parsed);
  return director;
}

static void tables_are_those_of_ipvsadm(void) {
  lvs_error *err = NULL;
  lvs_director *director = filled();
  lvs_snapshot *snapshot = NULL;
  lvs_text *text = NULL;
  lvs_listing_options options = LVS_LISTING_OPTIONS_INIT;
  OK(lvs_text_new(&text, &err));
  OK(lvs_director_snapshot(director, &snapshot, &err));
  OK(lvs_snapshot_list(snapshot, NULL, text, &err));
  CHECK(strcmp(lvs_text_data(text), "IP Virtual Server version 1.2.1 (size=4096)\n"
                                    "Prot LocalAddress:Port Scheduler Flags\n"
                                    "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
                                    "TCP  192.0.2.1:80 rr persistent 300\n"
                                    "  -> 198.51.100.7:80              Masq    3      0          0         \n"
                                    "FWM  7 IPv6 sh (sh-port)\n") == 0);
  for (uint32_t mode = LVS_LISTING_MODE_DEFAULT; mode <= LVS_LISTING_MODE_TUNNEL_INFO; mode++) {
    options.mode = mode;
    options.style = mode % 2;
    options.exact = options.unsorted = options.names = 1;
    OK(lvs_snapshot_list(snapshot, &options, text, &err));
    CHECK(lvs_text_len(text) > 100 && lvs_text_len(text) == strlen(lvs_text_data(text)));
    OK(lvs_snapshot_list_service(snapshot, 0, &options, text, &err));
    CHECK(strstr(lvs_text_data(text), "IP Virtual Server") == NULL && lvs_text_len(text) > 50);
  }
  OK(lvs_snapshot_list_timeouts(snapshot, text, &err));
  CHECK(strcmp(lvs_text_data(text), "Timeout (tcp tcpfin udp): 900 60 300\n") == 0);
  OK(lvs_snapshot_list_daemons(snapshot, text, &err));
  CHECK(strncmp(lvs_text_data(text), "master sync daemon (mcast=eth0, syncid=0", 40) == 0);
  OK(lvs_snapshot_to_json(snapshot, text, &err));
  CHECK(lvs_text_data(text)[0] == '{' && strstr(lvs_text_data(text), "\"tcp_fin\":60") != NULL);

  options.mode = 6;
  FAILS(lvs_snapshot_list(snapshot, &options, text, &err), LVS_STATUS_INVALID_INPUT);
  options.mode = 0;
  options.style = 2;
  FAILS(lvs_snapshot_list(snapshot, &options, text, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_snapshot_list(snapshot, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_snapshot_list(NULL, NULL, text, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_snapshot_list_service(snapshot, 9, NULL, text, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_snapshot_list_timeouts(NULL, text, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_snapshot_list_daemons(NULL, text, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_snapshot_to_json(NULL, text, &err), LVS_STATUS_INVALID_INPUT);
  lvs_text_free(text);
  lvs_snapshot_free(snapshot);
  lvs_director_free(director);
  lvs_error_free(err);
}

/* What C writes it reads back, and writes the same again. */
static void json_is_read_back(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_text *text = NULL, *again = NULL;
  OK(lvs_text_new(&text, &err));
  OK(lvs_text_new(&again, &err));
  lvs_service web = service("tcp://192.0.2.1:80");
  lvs_destination server = destination("198.51.100.7:80");
  OK(lvs_director_add_service(director, &web, &err));
  OK(lvs_director_add_destination(director, &web.key, &server, &err));

  lvs_snapshot *snapshot = NULL, *read = NULL;
  OK(lvs_director_snapshot(director, &snapshot, &err));
  OK(lvs_snapshot_to_json(snapshot, text, &err));
  CHECK(strstr(lvs_text_data(text), "\"key\":\"tcp://192.0.2.1:80\",\"scheduler\":\"wlc\",\"flags\":[]") != NULL);
  OK(lvs_snapshot_from_json(lvs_text_data(text), &read, &err));
  OK(lvs_snapshot_to_json(read, again, &err));
  CHECK(strcmp(lvs_text_data(text), lvs_text_data(again)) == 0);

  lvs_table *table = NULL, *table_read = NULL;
  OK(lvs_snapshot_to_table(snapshot, &table, &err));
  OK(lvs_table_to_json(table, text, &err));
  OK(lvs_table_from_json(lvs_text_data(text), &table_read, &err));
  OK(lvs_table_to_json(table_read, again, &err));
  CHECK(strcmp(lvs_text_data(text), lvs_text_data(again)) == 0);

  lvs_batch *batch = NULL, *batch_read = NULL;
  OK(lvs_batch_new(&batch, &err));
  OK(lvs_batch_add_service(batch, &web, &err));
  OK(lvs_batch_to_json(batch, text, &err));
  OK(lvs_batch_from_json(lvs_text_data(text), &batch_read, &err));
  CHECK(lvs_batch_len(batch_read) == 1);
  OK(lvs_batch_to_json(batch_read, again, &err));
  CHECK(strcmp(lvs_text_data(text), lvs_text_data(again)) == 0);

  lvs_watcher *watcher = NULL;
  OK(lvs_watcher_new(&watcher, &err));
  OK(lvs_watcher_observe(watcher, snapshot, 0, &err));
  OK(lvs_watcher_events_to_json(watcher, text, &err));
  CHECK(strncmp(lvs_text_data(text), "[{\"event\":\"service_appeared\",", 29) == 0);
  OK(lvs_watcher_events_from_json(watcher, lvs_text_data(text), &err));
  OK(lvs_watcher_events_to_json(watcher, again, &err));
  CHECK(strcmp(lvs_text_data(text), lvs_text_data(again)) == 0);

  lvs_snapshot_free(read);
  read = NULL;
  FAILS(lvs_snapshot_from_json("{\"servces\":[]}", &read, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(strstr(lvs_error_message(err), "unknown field `servces`, expected one of") != NULL && read == NULL);
  FAILS(lvs_table_from_json(NULL, &table_read, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_plan_from_json("[]", NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_watcher_free(watcher);
  lvs_batch_free(batch);
  lvs_batch_free(batch_read);
  lvs_table_free(table);
  lvs_table_free(table_read);
  lvs_snapshot_free(snapshot);
  lvs_text_free(text);
  lvs_text_free(again);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void connections_are_listed(void) {
  lvs_error *err = NULL;
  lvs_director *director = filled();
  lvs_connections *list = NULL;
  lvs_text *text = NULL;
  lvs_listing_options options = LVS_LISTING_OPTIONS_INIT;
  lvs_flow flow = LVS_FLOW_INIT;
  OK(lvs_address_parse("203.0.113.9", &flow.client, &err));
  OK(lvs_address_parse("192.0.2.1", &flow.service, &err));
  flow.client_port = 40000;
  flow.service_port = 80;
  OK(lvs_director_open_flow(director, &flow, NULL, NULL, &err));
  OK(lvs_connections_new(&list, &err));
  OK(lvs_text_new(&text, &err));
  OK(lvs_connections_read(list, director, NULL, &err));
  OK(lvs_connections_list(list, NULL, text, &err));
  CHECK(strncmp(lvs_text_data(text), "IPVS connection entries\npro expire state       source", 53) == 0);
  CHECK(strstr(lvs_text_data(text), "TCP 15:00  ESTABLISHED 203.0.113.9:40000  192.0.2.1:80       198.51.100.7:80") != NULL);
  options.engines = 1;
  OK(lvs_connections_list(list, &options, text, &err));
  CHECK(strstr(lvs_text_data(text), "pe_data\n") != NULL);
  OK(lvs_connections_to_json(list, text, &err));
  CHECK(strstr(lvs_text_data(text), "{\"protocol\":\"tcp\",\"client\":\"203.0.113.9:40000\",\"target\":\"192.0.2.1:80\"") != NULL);
  FAILS(lvs_connections_list(NULL, NULL, text, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_connections_to_json(list, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_text_free(text);
  lvs_connections_free(list);
  lvs_director_free(director);
  lvs_error_free(err);
}

int main(void) {
  tables_are_those_of_ipvsadm();
  connections_are_listed();
  json_is_read_back();
  return 0;
}
