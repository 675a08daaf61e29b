/* Packets on the embedded director, and the connection table that they make. */
#include "check.h"

/* A web service with two servers, a DNS service with one, and what ten clients do with them. */
static lvs_director *busy(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_service web = service("tcp://192.0.2.1:80"), dns = service("udp://[2001:db8::1]:53");
  lvs_destination one = destination("198.51.100.1:80"), two = destination("198.51.100.2:80");
  lvs_destination name = destination("[2001:db8::53]:53");
  strcpy(web.scheduler, "rr");
  OK(lvs_director_add_service(director, &web, &err));
  OK(lvs_director_add_destination(director, &web.key, &one, &err));
  OK(lvs_director_add_destination(director, &web.key, &two, &err));
  OK(lvs_director_add_service(director, &dns, &err));
  OK(lvs_director_add_destination(director, &dns.key, &name, &err));
  for (uint16_t i = 0; i < 10; i++) {
    lvs_flow flow = LVS_FLOW_INIT;
    flow.protocol = i < 8 ? LVS_PROTOCOL_TCP : LVS_PROTOCOL_UDP;
    OK(lvs_address_parse(i < 8 ? "203.0.113.9" : "2001:db8:9::9", &flow.client, &err));
    flow.service = i < 8 ? web.key.addr : dns.key.addr;
    flow.client_port = (uint16_t)(40000 + i);
    flow.service_port = i < 8 ? 80 : 53;
    OK(lvs_director_open_flow(director, &flow, NULL, NULL, &err));
    OK(lvs_director_send_flow(director, &flow, 1000, NULL, NULL, &err));
    if (i == 7)
      OK(lvs_director_close_flow(director, &flow, &err));
  }
  return director;
}

static void a_packet_gets_a_verdict_and_a_sentence(void) {
  lvs_error *err = NULL;
  lvs_director *director = busy();
  lvs_text *sentence = NULL;
  lvs_packet packet = LVS_PACKET_INIT;
  lvs_verdict verdict = LVS_VERDICT_INIT;
  OK(lvs_text_new(&sentence, &err));
  OK(lvs_address_parse("203.0.113.77", &packet.source, &err));
  OK(lvs_address_parse("192.0.2.1", &packet.destination, &err));
  packet.source_port = 50000;
  packet.destination_port = 80;
  packet.flags = LVS_TCP_SYN;

  OK(lvs_director_receive(director, &packet, &verdict, sentence, &err));
  CHECK(verdict.kind == LVS_VERDICT_KIND_FORWARDED && verdict.why == LVS_WHY_SCHEDULED);
  CHECK(verdict.forwarding == LVS_FORWARDING_DIRECT && verdict.port == 80);
  CHECK(verdict.destination.addr.bytes[3] == 2);
  CHECK(strcmp(lvs_text_data(sentence), "to 198.51.100.2:80 (direct): the scheduler chose it") == 0);
  CHECK(lvs_text_len(sentence) == strlen(lvs_text_data(sentence)));
  packet.flags = LVS_TCP_ACK;
  OK(lvs_director_receive(director, &packet, &verdict, NULL, &err));
  CHECK(verdict.why == LVS_WHY_CONNECTION);

  packet.flags = 0;
  packet.icmp_error = 1;
  packet.tracked = LVS_TRACKED_YES;
  OK(lvs_director_receive(director, &packet, &verdict, NULL, &err));
  CHECK(verdict.why == LVS_WHY_CONNECTION);
  packet.protocol = LVS_PROTOCOL_UDP;
  OK(lvs_director_receive(director, &packet, &verdict, NULL, &err));
  CHECK(verdict.kind == LVS_VERDICT_KIND_PASSED);
  packet.tracked = 3;
  FAILS(lvs_director_receive(director, &packet, &verdict, NULL, &err), LVS_STATUS_INVALID_INPUT);
  packet.tracked = LVS_TRACKED_UNKNOWN;
  packet.icmp_error = 0;
  packet.protocol = LVS_PROTOCOL_TCP;

  packet.destination_port = 81;
  packet.flags = LVS_TCP_SYN;
  OK(lvs_director_receive(director, &packet, &verdict, sentence, &err));
  CHECK(verdict.kind == LVS_VERDICT_KIND_PASSED && verdict.why == LVS_WHY_NO_SERVICE);
  CHECK(verdict.destination.addr.family == 0);

  lvs_service empty = service("sctp://192.0.2.1:9");
  OK(lvs_director_add_service(director, &empty, &err));
  packet.protocol = LVS_PROTOCOL_SCTP;
  packet.destination_port = 9;
  packet.flags = LVS_SCTP_CHUNK_INIT;
  OK(lvs_director_receive(director, &packet, &verdict, NULL, &err));
  CHECK(verdict.kind == LVS_VERDICT_KIND_REJECTED && verdict.why == LVS_WHY_NO_DESTINATION);

  packet.flags = 10;
  FAILS(lvs_director_receive(director, &packet, &verdict, NULL, &err), LVS_STATUS_INVALID_INPUT);
  packet.protocol = LVS_PROTOCOL_TCP;
  packet.flags = 256;
  FAILS(lvs_director_receive(director, &packet, &verdict, NULL, &err), LVS_STATUS_INVALID_INPUT);
  packet.protocol = LVS_PROTOCOL_UDP;
  FAILS(lvs_director_receive(director, &packet, &verdict, NULL, &err), LVS_STATUS_INVALID_INPUT);
  packet.protocol = 256;
  packet.flags = 0;
  FAILS(lvs_director_receive(director, &packet, &verdict, NULL, &err), LVS_STATUS_INVALID_INPUT);
  OK(lvs_address_parse("2001:db8::9", &packet.source, &err));
  FAILS(lvs_director_receive(director, &packet, &verdict, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_flow flow = LVS_FLOW_INIT;
  flow.protocol = 1;
  FAILS(lvs_director_open_flow(director, &flow, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_director_close_flow(director, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_director_send_flow(director, NULL, 0, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_director_receive(director, NULL, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_text_free(sentence);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void packets_taken_together_fare_as_one_by_one(void) {
  enum { COUNT = 40 };
  lvs_error *err = NULL;
  lvs_director *alone = busy(), *together = busy();
  lvs_packet packets[COUNT];
  lvs_verdict verdicts[COUNT], verdict = LVS_VERDICT_INIT;
  for (uint16_t i = 0; i < COUNT; i++) {
    lvs_packet packet = LVS_PACKET_INIT;
    OK(lvs_address_parse("203.0.113.78", &packet.source, &err));
    OK(lvs_address_parse("192.0.2.1", &packet.destination, &err));
    packet.source_port = (uint16_t)(50000 + i / 2);
    packet.destination_port = i % 5 == 4 ? 81 : 80;
    packet.flags = i % 2 ? LVS_TCP_ACK : LVS_TCP_SYN;
    packets[i] = packet;
    verdicts[i] = verdict;
  }
  OK(lvs_director_receive_all(together, packets, COUNT, verdicts, &err));
  for (unsigned i = 0; i < COUNT; i++) {
    OK(lvs_director_receive(alone, &packets[i], &verdict, NULL, &err));
    CHECK(memcmp(&verdict, &verdicts[i], sizeof verdict) == 0);
  }
  CHECK(verdicts[0].why == LVS_WHY_SCHEDULED && verdicts[1].why == LVS_WHY_CONNECTION);
  CHECK(verdicts[4].why == LVS_WHY_NO_SERVICE);

  /* One that is wrong, and none is taken. */
  packets[0].source_port = 60000;
  packets[1].protocol = 256;
  FAILS(lvs_director_receive_all(together, packets, COUNT, NULL, &err), LVS_STATUS_INVALID_INPUT);
  packets[0].flags = LVS_TCP_ACK;
  OK(lvs_director_receive_all(together, packets, 1, &verdict, &err));
  CHECK(verdict.why == LVS_WHY_NOT_OPENING);
  packets[1].struct_size--;
  FAILS(lvs_director_receive_all(together, packets, 2, NULL, &err), LVS_STATUS_INVALID_INPUT);
  verdicts[1].struct_size = 0;
  FAILS(lvs_director_receive_all(together, packets, 1, verdicts + 1, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_director_receive_all(together, NULL, 1, NULL, &err), LVS_STATUS_INVALID_INPUT);
  OK(lvs_director_receive_all(together, NULL, 0, NULL, &err));
  lvs_director_free(alone);
  lvs_director_free(together);
  lvs_error_free(err);
}

struct seen {
  lvs_director *director;
  unsigned count, limit;
  bool called_back;
};

static bool see(const lvs_connection *connection, void *user) {
  struct seen *seen = user;
  lvs_error *err = NULL;
  CHECK(connection->struct_size >= sizeof *connection && connection->expires > 0);
  CHECK(connection->kind == LVS_CONNECTION_KIND_CONNECTION && connection->engine == NULL);
  if (!seen->called_back) {
    /* A visitor cannot use the director that calls it: that would wait for itself. */
    FAILS(lvs_director_flush(seen->director, &err), LVS_STATUS_BUSY);
    lvs_error_free(err);
    seen->called_back = true;
  }
  return ++seen->count < seen->limit;
}

static unsigned visited(lvs_director *director, const lvs_connection_filter *filter, unsigned limit) {
  lvs_error *err = NULL;
  struct seen seen = {director, 0, limit, false};
  OK(lvs_director_visit_connections(director, filter, see, &seen, &err));
  return seen.count;
}

static void connections_are_visited_and_filtered(void) {
  lvs_error *err = NULL;
  lvs_director *director = busy();
  lvs_connection_filter filter = LVS_CONNECTION_FILTER_INIT;
  CHECK(visited(director, NULL, 1000) == 10);
  CHECK(visited(director, &filter, 1000) == 10);
  CHECK(visited(director, NULL, 3) == 3);

  filter.conditions = LVS_FILTER_SERVICE;
  filter.service = service_key("tcp://192.0.2.1:80");
  CHECK(visited(director, &filter, 1000) == 8);
  filter.conditions |= LVS_FILTER_STATE;
  filter.state = LVS_STATE_ESTABLISHED;
  CHECK(visited(director, &filter, 1000) == 7);
  filter.conditions |= LVS_FILTER_DESTINATION;
  filter.destination = destination("198.51.100.1:80").key;
  unsigned at_one = visited(director, &filter, 1000);
  CHECK(at_one > 0 && at_one < 7);
  filter.conditions = LVS_FILTER_PROTOCOL;
  filter.protocol = LVS_PROTOCOL_UDP;
  CHECK(visited(director, &filter, 1000) == 2);
  filter.conditions = LVS_FILTER_CLIENT_NETWORK;
  OK(lvs_address_parse("203.0.113.200", &filter.client, &err));
  CHECK(visited(director, &filter, 1000) == 0);
  filter.client_netmask = 0xffffff00u;
  CHECK(visited(director, &filter, 1000) == 8);
  OK(lvs_address_parse("2001:db8:9::", &filter.client, &err));
  filter.client_netmask = 48;
  CHECK(visited(director, &filter, 1000) == 2);
  filter.conditions = LVS_FILTER_KIND;
  filter.kind = LVS_CONNECTION_KIND_TEMPLATE;
  CHECK(visited(director, &filter, 1000) == 0);
  filter.conditions = LVS_FILTER_ORIGIN;
  filter.origin = LVS_ORIGIN_SYNC;
  CHECK(visited(director, &filter, 1000) == 0);
  filter.conditions = LVS_FILTER_MIN_EXPIRES | LVS_FILTER_MAX_EXPIRES;
  filter.min_expires = 600;
  filter.max_expires = 900;
  CHECK(visited(director, &filter, 1000) == 7);

  filter.conditions = 0x200;
  FAILS(lvs_director_visit_connections(director, &filter, see, NULL, &err), LVS_STATUS_INVALID_INPUT);
  filter.conditions = LVS_FILTER_STATE;
  filter.state = 26;
  FAILS(lvs_director_visit_connections(director, &filter, see, NULL, &err), LVS_STATUS_INVALID_INPUT);
  filter.conditions = LVS_FILTER_ORIGIN;
  filter.origin = 0;
  FAILS(lvs_director_visit_connections(director, &filter, see, NULL, &err), LVS_STATUS_INVALID_INPUT);
  filter.conditions = LVS_FILTER_KIND;
  filter.kind = 2;
  FAILS(lvs_director_visit_connections(director, &filter, see, NULL, &err), LVS_STATUS_INVALID_INPUT);
  filter.conditions = LVS_FILTER_PROTOCOL;
  filter.protocol = 65536;
  FAILS(lvs_director_visit_connections(director, &filter, see, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_director_visit_connections(director, NULL, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void connections_are_listed_and_outlive_their_director(void) {
  lvs_error *err = NULL;
  lvs_director *director = busy();
  lvs_connections *list = NULL;
  lvs_connection entry = LVS_CONNECTION_INIT;
  lvs_connection_filter filter = LVS_CONNECTION_FILTER_INIT;
  filter.conditions = LVS_FILTER_PROTOCOL;
  filter.protocol = LVS_PROTOCOL_UDP;
  OK(lvs_connections_new(&list, &err));
  OK(lvs_connections_read(list, director, NULL, &err));
  CHECK(lvs_connections_len(list) == 10);
  OK(lvs_connections_read(list, director, &filter, &err));
  CHECK(lvs_connections_len(list) == 2);
  lvs_director_free(director);
  OK(lvs_connections_get(list, 1, &entry, &err));
  CHECK(entry.protocol == LVS_PROTOCOL_UDP && entry.target_port == 53 && entry.destination_port == 53);
  CHECK(entry.client.family == LVS_FAMILY_IPV6 && entry.client_port >= 40008 && entry.fwmark == 0);
  CHECK(strcmp(lvs_state_name(entry.state), "UDP") == 0 && entry.origin == LVS_ORIGIN_LOCAL);
  FAILS(lvs_connections_get(list, 2, &entry, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_connections_get(list, 0, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_connections_read(list, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_connections_new(NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_connections_len(list) == 0 && lvs_connections_len(NULL) == 0);
  CHECK(strcmp(lvs_state_name(0xffffffffu), "ERR!") == 0);
  lvs_connections_free(list);
  lvs_connections_free(NULL);
  lvs_error_free(err);
}

static void connections_are_summed(void) {
  lvs_error *err = NULL;
  lvs_director *director = busy();
  lvs_connection_sums *sums = NULL;
  lvs_connection_sum sum = LVS_CONNECTION_SUM_INIT;
  uint64_t count = 0;

  OK(lvs_director_sum_connections(director, NULL, LVS_SUM_BY_TOTAL, &sums, &err));
  CHECK(lvs_connection_sums_len(sums) == 1);
  OK(lvs_connection_sums_get(sums, 0, &sum, &err));
  CHECK(sum.connections == 10 && sum.active == 7 && sum.inactive == 3 && sum.templates == 0);
  OK(lvs_connection_sums_state(sums, 0, LVS_STATE_UDP, &count, &err));
  CHECK(count == 2);
  FAILS(lvs_connection_sums_state(sums, 0, 26, &count, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_connection_sums_state(sums, 0, 1, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_connection_sums_get(sums, 1, &sum, &err), LVS_STATUS_INVALID_INPUT);
  lvs_connection_sums_free(sums);

  OK(lvs_director_sum_connections(director, NULL, LVS_SUM_BY_GROUP, &sums, &err));
  CHECK(lvs_connection_sums_len(sums) == 3);
  OK(lvs_connection_sums_get(sums, 0, &sum, &err));
  CHECK(sum.connections == 4 && sum.target_port == 80 && sum.destination.addr.bytes[3] == 1);
  lvs_connection_sums_free(sums);
  OK(lvs_director_sum_connections(director, NULL, LVS_SUM_BY_TARGET, &sums, &err));
  CHECK(lvs_connection_sums_len(sums) == 2);
  OK(lvs_connection_sums_get(sums, 1, &sum, &err));
  CHECK(sum.protocol == LVS_PROTOCOL_UDP && sum.destination.addr.family == 0);
  lvs_connection_sums_free(sums);
  OK(lvs_director_sum_connections(director, NULL, LVS_SUM_BY_DESTINATION, &sums, &err));
  CHECK(lvs_connection_sums_len(sums) == 3);
  OK(lvs_connection_sums_get(sums, 0, &sum, &err));
  CHECK(sum.target.family == 0 && sum.connections == 4);
  lvs_connection_sums_free(sums);

  FAILS(lvs_director_sum_connections(director, NULL, 4, &sums, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_director_sum_connections(director, NULL, 0, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_connection_sums_len(NULL) == 0);
  lvs_connection_sums_free(NULL);
  lvs_director_free(director);
  lvs_error_free(err);
}

static void counters_and_rates_follow_the_packets(void) {
  lvs_error *err = NULL;
  lvs_director *director = busy();
  lvs_service_key web = service_key("tcp://192.0.2.1:80");
  lvs_service_state state = LVS_SERVICE_STATE_INIT;
  lvs_stats totals;
  OK(lvs_director_advance(director, UINT64_C(4000000000), &err));
  OK(lvs_director_service(director, &web, NULL, &state, &err));
  CHECK(state.stats.counters.connections == 8 && state.stats.counters.packets_in > 16);
  CHECK(state.stats.counters.bytes_in > 8000 && state.stats.rates.connections > 0);
  lvs_snapshot *snapshot = NULL;
  size_t index = 99;
  OK(lvs_director_snapshot(director, &snapshot, &err));
  OK(lvs_snapshot_find(snapshot, &web, &index, &err));
  OK(lvs_snapshot_service_stats32(snapshot, index, &totals, &err));
  CHECK(totals.counters.connections == 8);
  OK(lvs_snapshot_destination_stats32(snapshot, index, 0, &totals, &err));
  CHECK(totals.counters.connections == 4);
  FAILS(lvs_snapshot_service_stats32(snapshot, 9, &totals, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_snapshot_destination_stats32(snapshot, index, 0, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_snapshot_free(snapshot);
  OK(lvs_director_totals(director, &totals, &err));
  CHECK(totals.counters.connections == 10);
  OK(lvs_director_zero(director, &web, &err));
  OK(lvs_director_service(director, &web, NULL, &state, &err));
  CHECK(state.stats.counters.connections == 0);
  lvs_error_free(err);
  lvs_director_free(director);
}

int main(void) {
  a_packet_gets_a_verdict_and_a_sentence();
  packets_taken_together_fare_as_one_by_one();
  connections_are_visited_and_filtered();
  connections_are_listed_and_outlive_their_director();
  connections_are_summed();
  counters_and_rates_follow_the_packets();
  return 0;
}
