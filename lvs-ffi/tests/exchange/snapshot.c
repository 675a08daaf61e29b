/* `snapshot write` writes a table of its own as JSON, `snapshot read` what it reads as JSON. */
#include "../check.h"

static const char RULES[] =
    "--set 60 30 10\n"
    "-A -t 192.0.2.1:80 -s wrr -p 300\n"
    "-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3 -x 9 -y 7\n"
    "-A -u [2001:db8::1]:53 -s sh -b sh-port\n"
    "-a -u [2001:db8::1]:53 -r [2001:db8::8]:53 -i --tun-type gue --tun-port 6080\n"
    "--start-daemon master --mcast-interface eth0 --syncid 7\n";

static lvs_snapshot *made(void) {
  lvs_error *err = NULL;
  lvs_director *director = embedded();
  lvs_rules *rules = NULL;
  lvs_batch *batch = NULL;
  lvs_snapshot *snapshot = NULL;
  lvs_flow flow = LVS_FLOW_INIT;
  OK(lvs_rules_parse(RULES, sizeof RULES - 1, NULL, &rules, &err));
  OK(lvs_batch_new(&batch, &err));
  OK(lvs_rules_to_batch(rules, batch, &err));
  OK(lvs_director_apply(director, batch, LVS_ON_REFUSAL_STOP, NULL, &err));
  OK(lvs_address_parse("203.0.113.9", &flow.client, &err));
  OK(lvs_address_parse("192.0.2.1", &flow.service, &err));
  flow.client_port = 40000;
  flow.service_port = 80;
  OK(lvs_director_open_flow(director, &flow, NULL, NULL, &err));
  OK(lvs_director_advance(director, 4000000000u, &err));
  OK(lvs_director_snapshot(director, &snapshot, &err));
  lvs_batch_free(batch);
  lvs_rules_free(rules);
  lvs_director_free(director);
  return snapshot;
}

static lvs_snapshot *read_from_stdin(void) {
  static char text[1 << 16];
  lvs_error *err = NULL;
  lvs_snapshot *snapshot = NULL;
  text[fread(text, 1, sizeof text - 1, stdin)] = '\0';
  OK(lvs_snapshot_from_json(text, &snapshot, &err));
  return snapshot;
}

int main(int argc, char **argv) {
  lvs_error *err = NULL;
  lvs_text *text = NULL;
  lvs_snapshot *snapshot = argc == 2 && strcmp(argv[1], "write") == 0 ? made() : read_from_stdin();
  OK(lvs_text_new(&text, &err));
  OK(lvs_snapshot_to_json(snapshot, text, &err));
  fwrite(lvs_text_data(text), 1, lvs_text_len(text), stdout);
  lvs_text_free(text);
  lvs_snapshot_free(snapshot);
  return 0;
}
