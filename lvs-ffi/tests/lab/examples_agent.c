/* The monitoring agent on the kernel. */
#define _POSIX_C_SOURCE 200809L
#define main agent_main
#include "../../../examples/c/agent.c"
#undef main
#include "../check.h"

#include <unistd.h>

int main(void) {
  char file[] = "/tmp/agent-XXXXXX";
  char *arguments[] = {"agent", "--kernel", "--count", "2", "--interval", "1", "--output", file, NULL};
  lvs_error *err = NULL;
  lvs_director *director = NULL;
  lvs_service made = service("sctp://[2001:db8::1]:9");
  lvs_destination server = destination("[2001:db8::7]:9");
  size_t len;
  CHECK(close(mkstemp(file)) == 0);
  OK(lvs_director_open_kernel(NULL, &director, &err));
  OK(lvs_director_add_service(director, &made, &err));
  OK(lvs_director_add_destination(director, &made.key, &server, &err));
  made.key = service_key("fwmark:7/ipv6");
  OK(lvs_director_add_service(director, &made, &err));
  CHECK(agent_main(8, arguments) == 0);
  char *text = read_file(file, &len);
  CHECK(text != NULL && (text = realloc(text, len + 1)) != NULL);
  text[len] = '\0';
  CHECK(strstr(text, "\nlvs_service_connections_total{fwmark=\"7\",family=\"ipv6\"} 0\n") != NULL);
  CHECK(strstr(text, "\nlvs_server_weight{protocol=\"sctp\",address=\"2001:db8::1\",port=\"9\",server=\"2001:db8::7\","
                     "server_port=\"9\"} 1\n") != NULL);
  free(text);
  unlink(file);
  lvs_director_free(director);
  return 0;
}
