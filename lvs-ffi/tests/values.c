/* Keys, addresses, versions, names: what needs no director. */
#include "check.h"

static void versions_agree_with_the_header(void) {
  CHECK(strcmp(lvs_version(), LVS_VERSION) == 0);
  CHECK(lvs_version_number() == LVS_VERSION_NUMBER);
}

static void every_status_has_a_name(void) {
  for (uint32_t status = LVS_STATUS_OK; status <= LVS_STATUS_NO_MEMORY; status++)
    CHECK(strcmp(lvs_status_name(status), "unknown status") != 0);
  CHECK(strcmp(lvs_status_name(LVS_STATUS_OK), "ok") == 0);
  CHECK(strcmp(lvs_status_name(4000000000u), "unknown status") == 0);
}

static void no_error_is_an_error_that_says_nothing(void) {
  CHECK(lvs_error_status(NULL) == LVS_STATUS_OK);
  CHECK(lvs_error_cause(NULL) == LVS_CAUSE_NONE);
  CHECK(lvs_error_errno(NULL) == 0);
  CHECK(strcmp(lvs_error_message(NULL), "no error") == 0);
  CHECK(lvs_error_kernel_message(NULL) == NULL);
  lvs_error_free(NULL);
}

static void addresses_go_in_and_out_as_text(void) {
  lvs_error *err = NULL;
  lvs_address addr;
  char text[LVS_ADDRESS_STRLEN];
  static const char *const good[] = {"192.0.2.1", "0.0.0.0", "2001:db8::1", "::",
                                     "2001:db8:1111:2222:3333:4444:5555:6666"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    OK(lvs_address_parse(good[i], &addr, &err));
    CHECK(lvs_address_format(&addr, text, sizeof text) == strlen(good[i]));
    CHECK(strcmp(text, good[i]) == 0);
  }
  OK(lvs_address_parse("192.0.2.1", &addr, &err));
  static const uint8_t bytes[16] = {192, 0, 2, 1};
  CHECK(addr.family == LVS_FAMILY_IPV4 && memcmp(addr.bytes, bytes, 16) == 0);

  /* Cut short as snprintf does it, never past the end. */
  memset(text, 'x', sizeof text);
  CHECK(lvs_address_format(&addr, text, 4) == 9);
  CHECK(strcmp(text, "192") == 0 && text[4] == 'x');
  CHECK(lvs_address_format(&addr, NULL, 0) == 9);
  CHECK(lvs_address_format(&addr, text, 0) == 9);

  static const char *const bad[] = {"", "192.0.2", "192.0.2.256", "localhost", "[2001:db8::1]", "fe80::1%eth0"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    FAILS(lvs_address_parse(bad[i], &addr, &err), LVS_STATUS_INVALID_INPUT);
  lvs_error_free(err);
}

static void keys_are_read_as_people_write_them(void) {
  lvs_error *err = NULL;
  lvs_service_key key, same;
  char text[LVS_SERVICE_KEY_STRLEN];

  key = service_key("sctp://[2001:db8::1]:9899");
  CHECK(key.protocol == LVS_PROTOCOL_SCTP && key.port == 9899 && key.fwmark == 0);
  OK(lvs_service_key_endpoint(LVS_PROTOCOL_SCTP, "2001:db8::1", 9899, &same, &err));
  CHECK(lvs_service_key_equal(&key, &same));
  lvs_service_key_format(&key, text, sizeof text);
  CHECK(strcmp(text, "sctp://[2001:db8::1]:9899") == 0);

  key = service_key("fwmark:7/ipv6");
  CHECK(key.fwmark == 7 && key.protocol == 0 && key.port == 0 && key.addr.family == LVS_FAMILY_IPV6);
  OK(lvs_service_key_fwmark(7, LVS_FAMILY_IPV6, &same, &err));
  CHECK(lvs_service_key_equal(&key, &same));
  OK(lvs_service_key_fwmark(7, LVS_FAMILY_IPV4, &same, &err));
  CHECK(!lvs_service_key_equal(&key, &same));
  FAILS(lvs_service_key_fwmark(0, LVS_FAMILY_IPV4, &same, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_service_key_fwmark(1, 1, &same, &err), LVS_STATUS_INVALID_INPUT);

  /* The longest keys fit their buffers. */
  OK(lvs_service_key_endpoint(65535, "2001:db8:1111:2222:3333:4444:5555:6666", 65535, &key, &err));
  CHECK(lvs_service_key_format(&key, text, sizeof text) < sizeof text);

  lvs_destination_key server;
  char name[LVS_DESTINATION_KEY_STRLEN];
  OK(lvs_destination_key_parse("[2001:db8:1111:2222:3333:4444:5555:6666]:65535", &server, &err));
  CHECK(lvs_destination_key_format(&server, name, sizeof name) < sizeof name);
  CHECK(strcmp(name, "[2001:db8:1111:2222:3333:4444:5555:6666]:65535") == 0);
  FAILS(lvs_destination_key_parse("198.51.100.7:port", &server, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_service_key_parse("http 192.0.2.1:80", &key, &err), LVS_STATUS_INVALID_INPUT);
  lvs_error_free(err);
}

static void what_is_no_key_has_no_text(void) {
  lvs_service_key key = service_key("tcp://192.0.2.1:80");
  lvs_destination_key server = destination("198.51.100.7:80").key;
  char text[8] = "before";
  key.addr.family = 3;
  server.reserved = 1;
  CHECK(lvs_service_key_format(&key, text, sizeof text) == 0 && text[0] == '\0');
  CHECK(lvs_destination_key_format(&server, text, sizeof text) == 0);
  CHECK(!lvs_service_key_equal(&key, &key));
}

static void forwarding_methods_have_the_names_of_the_listing(void) {
  CHECK(strcmp(lvs_forwarding_name(LVS_FORWARDING_MASQUERADE), "Masq") == 0);
  CHECK(strcmp(lvs_forwarding_name(LVS_FORWARDING_LOCAL), "Local") == 0);
  CHECK(strcmp(lvs_forwarding_name(LVS_FORWARDING_TUNNEL), "Tunnel") == 0);
  CHECK(strcmp(lvs_forwarding_name(LVS_FORWARDING_DIRECT), "Route") == 0);
  CHECK(strcmp(lvs_forwarding_name(4000000000u), "Masq") == 0);
}

int main(void) {
  versions_agree_with_the_header();
  every_status_has_a_name();
  no_error_is_an_error_that_says_nothing();
  addresses_go_in_and_out_as_text();
  keys_are_read_as_people_write_them();
  what_is_no_key_has_no_text();
  forwarding_methods_have_the_names_of_the_listing();
  return 0;
}
