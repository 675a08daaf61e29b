/* A program against libipvs, on liblvs: what it adds and lists, and the error that it gets when that fails. */
#define _POSIX_C_SOURCE 200809L
#include "../../examples/c/libipvs/libipvs.c"
#undef OK
#include "check.h"

#include <arpa/inet.h>

static ipvs_service_t web(const char *addr, uint16_t af, uint16_t port) {
  ipvs_service_t svc;
  memset(&svc, 0, sizeof svc);
  svc.af = af;
  svc.protocol = IPPROTO_TCP;
  CHECK(inet_pton(af, addr, &svc.addr) == 1);
  svc.port = htons(port);
  svc.netmask = af == AF_INET6 ? 128 : htonl(0xffffffff);
  strcpy(svc.sched_name, "wlc");
  return svc;
}

static ipvs_dest_t server(const char *addr, uint16_t af, uint16_t port) {
  ipvs_dest_t dest;
  memset(&dest, 0, sizeof dest);
  dest.af = af;
  CHECK(inet_pton(af, addr, &dest.addr) == 1);
  dest.port = htons(port);
  dest.conn_flags = IP_VS_CONN_F_MASQ;
  dest.weight = 3;
  return dest;
}

static void open_embedded(void) {
  CHECK(ipvs_init_with(embedded()) == 0);
  CHECK(ipvs_version() == ipvs_info.version && ipvs_info.version >= (unsigned)IPVS_VERSION(1, 2, 0));
  CHECK(ipvs_info.size > 0);
}

static void services(void) {
  open_embedded();
  /* Added in another order than they are sorted. */
  ipvs_service_t six = web("2001:db8::1", AF_INET6, 80), high = web("192.0.2.200", AF_INET, 80),
                 low = web("10.0.2.1", AF_INET, 8080), lower = web("10.0.2.1", AF_INET, 80), mark;
  memset(&mark, 0, sizeof mark);
  mark.af = AF_INET;
  mark.fwmark = 7;
  mark.netmask = htonl(0xffffff00);
  mark.flags = IP_VS_SVC_F_PERSISTENT;
  mark.timeout = IPVS_SVC_PERSISTENT_TIMEOUT;
  strcpy(mark.sched_name, "sh");
  mark.flags |= IP_VS_SVC_F_SCHED_SH_PORT;
  six.netmask = 64;
  six.flags = IP_VS_SVC_F_PERSISTENT;
  six.timeout = 60;
  CHECK(ipvs_add_service(&six) == 0 && ipvs_add_service(&high) == 0 && ipvs_add_service(&low) == 0);
  CHECK(ipvs_add_service(&mark) == 0 && ipvs_add_service(&lower) == 0);

  struct ip_vs_get_services *list = ipvs_get_services();
  CHECK(list != NULL && list->num_services == 5 && ipvs_info.num_services == 5);
  ipvs_sort_services(list, ipvs_cmp_services);
  CHECK(list->entrytable[0].addr.ip == lower.addr.ip && list->entrytable[0].port == htons(80));
  CHECK(list->entrytable[1].addr.ip == lower.addr.ip && list->entrytable[1].port == htons(8080));
  CHECK(list->entrytable[2].addr.ip == high.addr.ip && list->entrytable[2].af == AF_INET);
  CHECK(list->entrytable[2].netmask == htonl(0xffffffff));
  CHECK(memcmp(&list->entrytable[3].addr, &six.addr, sizeof six.addr) == 0 && list->entrytable[3].af == AF_INET6);
  CHECK(list->entrytable[3].netmask == 64 && list->entrytable[3].timeout == 60);
  CHECK(list->entrytable[4].fwmark == 7 && list->entrytable[4].netmask == htonl(0xffffff00));
  CHECK(list->entrytable[4].flags & IP_VS_SVC_F_SCHED_SH_PORT && list->entrytable[4].flags & IP_VS_SVC_F_PERSISTENT);
  CHECK(list->entrytable[4].timeout == 360 && strcmp(list->entrytable[4].sched_name, "sh") == 0);
  free(list);

  six.netmask = 128;
  strcpy(six.sched_name, "wrr");
  CHECK(ipvs_update_service(&six) == 0);
  ipvs_service_entry_t *entry = ipvs_get_service(0, AF_INET6, IPPROTO_TCP, six.addr, htons(80));
  CHECK(entry != NULL && entry->netmask == 128 && strcmp(entry->sched_name, "wrr") == 0);
  free(entry);
  entry = ipvs_get_service(7, AF_INET, 0, low.addr, 0);
  CHECK(entry != NULL && entry->fwmark == 7);
  free(entry);

  CHECK(ipvs_del_service(&high) == 0);
  CHECK(ipvs_get_service(0, AF_INET, IPPROTO_TCP, high.addr, htons(80)) == NULL && errno == ESRCH);
  CHECK(ipvs_flush() == 0);
  list = ipvs_get_services();
  CHECK(list != NULL && list->num_services == 0);
  free(list);
  ipvs_close();
}

static void servers(void) {
  open_embedded();
  ipvs_service_t svc = web("192.0.2.1", AF_INET, 80);
  ipvs_dest_t high = server("198.51.100.200", AF_INET, 80), low = server("198.51.100.7", AF_INET, 8080),
              six = server("2001:db8::7", AF_INET6, 80);
  high.u_threshold = 100;
  high.l_threshold = 50;
  six.conn_flags = IP_VS_CONN_F_TUNNEL;
  six.tun_type = IP_VS_CONN_F_TUNNEL_TYPE_GUE;
  six.tun_port = htons(6080);
  six.tun_flags = IP_VS_TUNNEL_ENCAP_FLAG_CSUM;
  CHECK(ipvs_add_service(&svc) == 0 && ipvs_add_dest(&svc, &high) == 0 && ipvs_add_dest(&svc, &six) == 0);
  CHECK(ipvs_add_dest(&svc, &low) == 0);
  ipvs_service_entry_t *entry = ipvs_get_service(0, AF_INET, IPPROTO_TCP, svc.addr, svc.port);
  CHECK(entry != NULL);
  struct ip_vs_get_dests *dests = ipvs_get_dests(entry);
  CHECK(dests != NULL && dests->num_dests == 3 && dests->port == htons(80) && dests->addr.ip == svc.addr.ip);
  ipvs_sort_dests(dests, ipvs_cmp_dests);
  CHECK(dests->entrytable[0].addr.ip == low.addr.ip && dests->entrytable[0].port == htons(8080));
  CHECK(dests->entrytable[0].weight == 3 && dests->entrytable[0].conn_flags == IP_VS_CONN_F_MASQ);
  CHECK(dests->entrytable[1].u_threshold == 100 && dests->entrytable[1].l_threshold == 50);
  CHECK(dests->entrytable[2].af == AF_INET6 && dests->entrytable[2].conn_flags == IP_VS_CONN_F_TUNNEL);
  CHECK(dests->entrytable[2].tun_type == IP_VS_CONN_F_TUNNEL_TYPE_GUE && dests->entrytable[2].tun_port == htons(6080));
  CHECK(dests->entrytable[2].tun_flags == IP_VS_TUNNEL_ENCAP_FLAG_CSUM);
  free(dests);

  CHECK(ipvs_del_dest(&svc, &six) == 0 && ipvs_del_dest(&svc, &high) == 0);
  low.weight = 0;
  CHECK(ipvs_update_dest(&svc, &low) == 0);

  /* A packet is counted in both widths. */
  lvs_error *err = NULL;
  lvs_flow flow = LVS_FLOW_INIT;
  flow.service = our_key(AF_INET, IPPROTO_TCP, &svc.addr, svc.port, 0).addr;
  flow.service_port = 80;
  flow.client_port = 1024;
  OK(lvs_address_parse("203.0.113.9", &flow.client, &err));
  low.weight = 1;
  CHECK(ipvs_update_dest(&svc, &low) == 0);
  OK(lvs_director_open_flow(director, &flow, NULL, NULL, &err));
  OK(lvs_director_advance(director, UINT64_C(4000000000), &err)); /* the estimator's time adds it to the totals */
  dests = ipvs_get_dests(entry);
  CHECK(dests != NULL && dests->num_dests == 1 && dests->entrytable[0].weight == 1);
  CHECK(dests->entrytable[0].activeconns == 1 && dests->entrytable[0].inactconns == 0);
  CHECK(dests->entrytable[0].stats64.conns == 1 && dests->entrytable[0].stats.conns == 1);
  CHECK(dests->entrytable[0].stats64.inpkts > 0);
  CHECK(dests->entrytable[0].stats.inbytes == dests->entrytable[0].stats64.inbytes);
  free(dests);
  CHECK(ipvs_zero_service(&svc) == 0);
  dests = ipvs_get_dests(entry);
  CHECK(dests != NULL && dests->entrytable[0].stats64.conns == 0);
  free(dests);
  memset(&svc, 0, sizeof svc);
  svc.af = AF_INET;
  CHECK(ipvs_zero_service(&svc) == 0);

  CHECK(ipvs_flush() == 0);
  dests = ipvs_get_dests(entry);
  CHECK(dests != NULL && dests->num_dests == 0);
  free(dests);
  free(entry);
  ipvs_close();
}

static void others(void) {
  open_embedded();
  ipvs_timeout_t set = {.tcp_timeout = 100, .tcp_fin_timeout = 0, .udp_timeout = 30};
  ipvs_timeout_t *was = ipvs_get_timeout();
  CHECK(was != NULL && ipvs_set_timeout(&set) == 0);
  ipvs_timeout_t *is = ipvs_get_timeout();
  CHECK(is != NULL && is->tcp_timeout == 100 && is->tcp_fin_timeout == was->tcp_fin_timeout && is->udp_timeout == 30);
  free(was);
  free(is);

  ipvs_daemon_t backup = {.state = IP_VS_STATE_BACKUP, .mcast_ifn = "eth0", .syncid = 3, .mcast_port = 9000,
                          .mcast_ttl = 2, .mcast_af = AF_INET};
  CHECK(inet_pton(AF_INET, "224.0.1.9", &backup.mcast_group) == 1);
  CHECK(ipvs_start_daemon(&backup) == 0);
  ipvs_daemon_t *both = ipvs_get_daemon();
  CHECK(both != NULL && both[0].state == 0 && both[1].state == IP_VS_STATE_BACKUP && both[1].syncid == 3);
  CHECK(strcmp(both[1].mcast_ifn, "eth0") == 0 && both[1].mcast_port == 9000 && both[1].mcast_ttl == 2);
  CHECK(both[1].mcast_af == AF_INET && both[1].mcast_group.ip == backup.mcast_group.ip);
  free(both);
  CHECK(ipvs_stop_daemon(&backup) == 0);
  CHECK(ipvs_stop_daemon(&backup) == -1 && errno == ESRCH);
  ipvs_close();
}

static void failures(void) {
  ipvs_service_t svc = web("192.0.2.1", AF_INET, 80);
  ipvs_dest_t dest = server("198.51.100.7", AF_INET, 80);
  CHECK(ipvs_add_service(&svc) == -1 && errno == ENOTCONN && ipvs_get_services() == NULL);
  CHECK(strlen(ipvs_strerror(errno)) > 0);
  open_embedded();
  CHECK(ipvs_add_dest(&svc, &dest) == -1 && errno == ESRCH);
  CHECK(strstr(ipvs_strerror(errno), "tcp://192.0.2.1:80") != NULL);
  CHECK(ipvs_add_service(&svc) == 0 && ipvs_add_service(&svc) == -1 && errno == EEXIST);
  CHECK(strstr(ipvs_strerror(EEXIST), "exists") != NULL);
  CHECK(strcmp(ipvs_strerror(ENOSPC), strerror(ENOSPC)) == 0);
  CHECK(ipvs_del_dest(&svc, &dest) == -1 && errno == ENOENT);
  strcpy(svc.sched_name, "nosuch");
  CHECK(ipvs_update_service(&svc) == -1 && errno == ENOENT);
  /* What cannot be said to any director. */
  svc.af = 99;
  CHECK(ipvs_add_service(&svc) == -1 && errno == EINVAL);
  CHECK(strstr(ipvs_strerror(errno), "family 99") != NULL);
  ipvs_close();
  lvs_error_free(failure);
  failure = NULL;
}

int main(void) {
  services();
  servers();
  others();
  failures();
  return 0;
}
