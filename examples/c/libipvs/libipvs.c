/* libipvs on top of liblvs: translation alone. Like libipvs, it has one director and one last failure in a process. */
#include "libipvs.h"

#include <lvs.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct ip_vs_getinfo ipvs_info;

static lvs_director *director;
static lvs_error *failure;
static int failure_errno;

/* 0, or -1 with errno set. */
static int ended(lvs_status status) {
  if (status == LVS_STATUS_OK)
    return 0;
  failure_errno = lvs_error_errno(failure);
  if (failure_errno == 0) /* refused before the kernel was asked */
    failure_errno = status == LVS_STATUS_UNSUPPORTED ? EOPNOTSUPP : EINVAL;
  errno = failure_errno;
  return -1;
}

static bool opened(void) {
  if (director == NULL)
    errno = ENOTCONN;
  return director != NULL;
}

static int without_memory(void) {
  lvs_error_free(failure);
  failure = NULL;
  errno = ENOMEM;
  return -1;
}

static lvs_address address(uint16_t af, const union nf_inet_addr *from) {
  lvs_address to = {.family = af};
  memcpy(to.bytes, from, af == AF_INET6 ? 16 : 4);
  return to;
}

static union nf_inet_addr their_address(const lvs_address *from) {
  union nf_inet_addr to = {0};
  memcpy(&to, from->bytes, sizeof from->bytes);
  return to;
}

static lvs_service_key our_key(uint16_t af, uint16_t protocol, const union nf_inet_addr *addr, __be16 port,
                                   uint32_t fwmark) {
  lvs_service_key key = {.fwmark = fwmark};
  if (fwmark != 0) {
    key.addr.family = af;
  } else {
    key.addr = address(af, addr);
    key.protocol = protocol;
    key.port = ntohs(port);
  }
  return key;
}

static lvs_service_key key_of(const ipvs_service_t *svc) {
  return our_key(svc->af, svc->protocol, &svc->addr, svc->port, svc->fwmark);
}

static uint32_t netmask(uint16_t af, __be32 theirs) {
  if (af == AF_INET6)
    return theirs == 128 ? LVS_NETMASK_FULL : theirs;
  return ntohl(theirs);
}

static __be32 their_netmask(const lvs_service *service) {
  if (service->key.addr.family == LVS_FAMILY_IPV6)
    return service->netmask == LVS_NETMASK_FULL ? 128 : service->netmask;
  return htonl(service->netmask);
}

/* Theirs may lack the NUL byte at its end. */
static void copy_name(char *to, size_t to_size, const char *from, size_t from_size) {
  size_t len = strnlen(from, from_size < to_size ? from_size : to_size - 1);
  memcpy(to, from, len);
  memset(to + len, 0, to_size - len);
}

static lvs_service service_of(const ipvs_service_t *svc) {
  lvs_service service = LVS_SERVICE_INIT;
  service.key = key_of(svc);
  service.flags = svc->flags;
  service.timeout = svc->timeout;
  service.netmask = netmask(svc->af, svc->netmask);
  copy_name(service.scheduler, sizeof service.scheduler, svc->sched_name, sizeof svc->sched_name);
  copy_name(service.engine, sizeof service.engine, svc->pe_name, sizeof svc->pe_name);
  return service;
}

static lvs_destination destination_of(const ipvs_dest_t *dest) {
  lvs_destination destination = LVS_DESTINATION_INIT;
  destination.key.addr = address(dest->af, &dest->addr);
  destination.key.port = ntohs(dest->port);
  destination.forwarding = dest->conn_flags & IP_VS_CONN_F_FWD_MASK;
  destination.weight = (uint32_t)dest->weight;
  destination.upper_threshold = dest->u_threshold;
  destination.lower_threshold = dest->l_threshold;
  destination.tunnel = dest->tun_type;
  destination.tunnel_port = ntohs(dest->tun_port);
  destination.tunnel_flags = dest->tun_flags;
  return destination;
}

static void statistics(const lvs_stats *from, struct ip_vs_stats64 *wide, struct ip_vs_stats_user *narrow) {
  const lvs_counters *total = &from->counters;
  const lvs_rates *rate = &from->rates;
  *wide = (struct ip_vs_stats64){total->connections, total->packets_in, total->packets_out, total->bytes_in,
                                 total->bytes_out,   rate->connections, rate->packets_in,   rate->packets_out,
                                 rate->bytes_in,     rate->bytes_out};
  narrow->conns = (uint32_t)wide->conns;
  narrow->inpkts = (uint32_t)wide->inpkts;
  narrow->outpkts = (uint32_t)wide->outpkts;
  narrow->inbytes = wide->inbytes;
  narrow->outbytes = wide->outbytes;
  narrow->cps = (uint32_t)wide->cps;
  narrow->inpps = (uint32_t)wide->inpps;
  narrow->outpps = (uint32_t)wide->outpps;
  narrow->inbps = (uint32_t)wide->inbps;
  narrow->outbps = (uint32_t)wide->outbps;
}

static void service_entry(const lvs_service *service, const lvs_service_state *state, ipvs_service_entry_t *entry) {
  memset(entry, 0, sizeof *entry);
  entry->af = service->key.addr.family;
  entry->addr = their_address(&service->key.addr);
  entry->protocol = service->key.protocol;
  entry->port = htons(service->key.port);
  entry->fwmark = service->key.fwmark;
  entry->flags = service->flags;
  entry->timeout = service->timeout;
  entry->netmask = their_netmask(service);
  copy_name(entry->sched_name, sizeof entry->sched_name, service->scheduler, sizeof service->scheduler);
  copy_name(entry->pe_name, sizeof entry->pe_name, service->engine, sizeof service->engine);
  statistics(&state->stats, &entry->stats64, &entry->stats);
}

static void dest_entry(const lvs_destination *destination, const lvs_destination_state *state, ipvs_dest_entry_t *entry) {
  memset(entry, 0, sizeof *entry);
  entry->af = destination->key.addr.family;
  entry->addr = their_address(&destination->key.addr);
  entry->port = htons(destination->key.port);
  entry->conn_flags = destination->forwarding;
  entry->weight = (int)destination->weight;
  entry->u_threshold = destination->upper_threshold;
  entry->l_threshold = destination->lower_threshold;
  entry->activeconns = state->active;
  entry->inactconns = state->inactive;
  entry->persistconns = state->persistent;
  entry->tun_type = (uint16_t)destination->tunnel;
  entry->tun_port = htons(destination->tunnel_port);
  entry->tun_flags = destination->tunnel_flags;
  statistics(&state->stats, &entry->stats64, &entry->stats);
}

int ipvs_init_with(lvs_director *with) {
  ipvs_close();
  director = with;
  if (ipvs_getinfo() == 0)
    return 0;
  int reason = errno;
  ipvs_close();
  errno = reason;
  return -1;
}

int ipvs_init(void) {
  lvs_director *kernel = NULL;
  if (ended(lvs_director_open_kernel(NULL, &kernel, &failure)) != 0)
    return -1;
  return ipvs_init_with(kernel);
}

void ipvs_close(void) {
  lvs_director_free(director);
  director = NULL;
}

int ipvs_getinfo(void) {
  lvs_info info = LVS_INFO_INIT;
  if (!opened() || ended(lvs_director_info(director, &info, &failure)) != 0)
    return -1;
  ipvs_info.version = (unsigned)IPVS_VERSION(info.version_major, info.version_minor, info.version_patch);
  ipvs_info.size = info.connection_table_size;
  return 0;
}

unsigned int ipvs_version(void) { return ipvs_info.version; }

int ipvs_flush(void) { return opened() ? ended(lvs_director_flush(director, &failure)) : -1; }

int ipvs_add_service(ipvs_service_t *svc) {
  lvs_service service = service_of(svc);
  return opened() ? ended(lvs_director_add_service(director, &service, &failure)) : -1;
}

int ipvs_update_service(ipvs_service_t *svc) {
  lvs_service service = service_of(svc);
  return opened() ? ended(lvs_director_update_service(director, &service, &failure)) : -1;
}

int ipvs_del_service(ipvs_service_t *svc) {
  lvs_service_key key = key_of(svc);
  return opened() ? ended(lvs_director_remove_service(director, &key, &failure)) : -1;
}

int ipvs_zero_service(ipvs_service_t *svc) {
  static const union nf_inet_addr none;
  lvs_service_key key = key_of(svc);
  bool all = svc->fwmark == 0 && svc->port == 0 && memcmp(&svc->addr, &none, sizeof none) == 0;
  return opened() ? ended(lvs_director_zero(director, all ? NULL : &key, &failure)) : -1;
}

int ipvs_add_dest(ipvs_service_t *svc, ipvs_dest_t *dest) {
  lvs_service_key key = key_of(svc);
  lvs_destination destination = destination_of(dest);
  return opened() ? ended(lvs_director_add_destination(director, &key, &destination, &failure)) : -1;
}

int ipvs_update_dest(ipvs_service_t *svc, ipvs_dest_t *dest) {
  lvs_service_key key = key_of(svc);
  lvs_destination destination = destination_of(dest);
  return opened() ? ended(lvs_director_update_destination(director, &key, &destination, &failure)) : -1;
}

int ipvs_del_dest(ipvs_service_t *svc, ipvs_dest_t *dest) {
  lvs_service_key key = key_of(svc);
  lvs_destination destination = destination_of(dest);
  return opened() ? ended(lvs_director_remove_destination(director, &key, &destination.key, &failure)) : -1;
}

int ipvs_set_timeout(ipvs_timeout_t *to) {
  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  timeouts.tcp = (uint32_t)to->tcp_timeout;
  timeouts.tcp_fin = (uint32_t)to->tcp_fin_timeout;
  timeouts.udp = (uint32_t)to->udp_timeout;
  return opened() ? ended(lvs_director_set_timeouts(director, &timeouts, &failure)) : -1;
}

int ipvs_start_daemon(ipvs_daemon_t *dm) {
  lvs_daemon daemon = LVS_DAEMON_INIT;
  daemon.role = (uint32_t)dm->state;
  daemon.sync_id = (uint32_t)dm->syncid;
  daemon.max_len = (uint16_t)dm->sync_maxlen;
  daemon.port = dm->mcast_port;
  daemon.ttl = (uint8_t)dm->mcast_ttl;
  copy_name(daemon.interface, sizeof daemon.interface, dm->mcast_ifn, sizeof dm->mcast_ifn);
  if (dm->mcast_af != 0)
    daemon.group = address(dm->mcast_af, &dm->mcast_group);
  return opened() ? ended(lvs_director_start_daemon(director, &daemon, &failure)) : -1;
}

int ipvs_stop_daemon(ipvs_daemon_t *dm) {
  return opened() ? ended(lvs_director_stop_daemon(director, (uint32_t)dm->state, &failure)) : -1;
}

struct ip_vs_get_services *ipvs_get_services(void) {
  lvs_service_list *list = NULL;
  if (!opened() || ended(lvs_director_services(director, &list, &failure)) != 0)
    return NULL;
  size_t len = lvs_service_list_len(list);
  struct ip_vs_get_services *services = malloc(sizeof *services + len * sizeof *services->entrytable);
  if (services == NULL)
    without_memory();
  for (size_t i = 0; services != NULL && i < len; i++) {
    lvs_service service = LVS_SERVICE_INIT;
    lvs_service_state state = LVS_SERVICE_STATE_INIT;
    if (ended(lvs_service_list_get(list, i, &service, &state, &failure)) != 0) {
      free(services);
      services = NULL;
      break;
    }
    service_entry(&service, &state, &services->entrytable[i]);
  }
  if (services != NULL)
    services->num_services = ipvs_info.num_services = (unsigned)len;
  lvs_service_list_free(list);
  return services;
}

struct ip_vs_get_dests *ipvs_get_dests(ipvs_service_entry_t *svc) {
  lvs_service_key key = our_key(svc->af, svc->protocol, &svc->addr, svc->port, svc->fwmark);
  lvs_destination_list *list = NULL;
  if (!opened())
    return NULL;
  lvs_status status = lvs_director_destinations(director, &key, &list, &failure);
  /* A service that somebody has removed since has no servers there. */
  if (status != LVS_STATUS_NOT_FOUND && ended(status) != 0)
    return NULL;
  size_t len = status == LVS_STATUS_OK ? lvs_destination_list_len(list) : 0;
  struct ip_vs_get_dests *dests = malloc(sizeof *dests + len * sizeof *dests->entrytable);
  if (dests == NULL) {
    without_memory();
  } else {
    memset(dests, 0, sizeof *dests);
    dests->protocol = svc->protocol;
    dests->port = svc->port;
    dests->fwmark = svc->fwmark;
    dests->af = svc->af;
    dests->addr = svc->addr;
    dests->num_dests = (unsigned)len;
  }
  for (size_t i = 0; dests != NULL && i < len; i++) {
    lvs_destination destination = LVS_DESTINATION_INIT;
    lvs_destination_state state = LVS_DESTINATION_STATE_INIT;
    if (ended(lvs_destination_list_get(list, i, &destination, &state, &failure)) != 0) {
      free(dests);
      dests = NULL;
      break;
    }
    dest_entry(&destination, &state, &dests->entrytable[i]);
  }
  lvs_destination_list_free(list);
  return dests;
}

ipvs_service_entry_t *ipvs_get_service(__u32 fwmark, __u16 af, __u16 protocol, union nf_inet_addr addr, __u16 port) {
  lvs_service_key key = our_key(af, protocol, &addr, port, fwmark);
  lvs_service service = LVS_SERVICE_INIT;
  lvs_service_state state = LVS_SERVICE_STATE_INIT;
  if (!opened() || ended(lvs_director_service(director, &key, &service, &state, &failure)) != 0)
    return NULL;
  ipvs_service_entry_t *entry = malloc(sizeof *entry);
  if (entry == NULL)
    without_memory();
  else
    service_entry(&service, &state, entry);
  return entry;
}

ipvs_timeout_t *ipvs_get_timeout(void) {
  lvs_timeouts timeouts = LVS_TIMEOUTS_INIT;
  if (!opened() || ended(lvs_director_timeouts(director, &timeouts, &failure)) != 0)
    return NULL;
  ipvs_timeout_t *to = malloc(sizeof *to);
  if (to == NULL)
    without_memory();
  else
    *to = (ipvs_timeout_t){(int)timeouts.tcp, (int)timeouts.tcp_fin, (int)timeouts.udp};
  return to;
}

ipvs_daemon_t *ipvs_get_daemon(void) {
  lvs_daemon daemons[2] = {LVS_DAEMON_INIT, LVS_DAEMON_INIT};
  size_t count = 0;
  if (!opened() || ended(lvs_director_daemons(director, daemons, 2, &count, &failure)) != 0)
    return NULL;
  ipvs_daemon_t *both = calloc(2, sizeof *both);
  if (both == NULL) {
    without_memory();
    return NULL;
  }
  for (size_t i = 0; i < count; i++) {
    ipvs_daemon_t *to = &both[daemons[i].role == LVS_ROLE_BACKUP];
    to->state = (int)daemons[i].role;
    to->syncid = (int)daemons[i].sync_id;
    to->sync_maxlen = daemons[i].max_len;
    to->mcast_port = daemons[i].port;
    to->mcast_ttl = daemons[i].ttl;
    to->mcast_af = daemons[i].group.family;
    to->mcast_group = their_address(&daemons[i].group);
    copy_name(to->mcast_ifn, sizeof to->mcast_ifn, daemons[i].interface, sizeof daemons[i].interface);
  }
  return both;
}

static int compare(uint64_t a, uint64_t b) { return (a > b) - (a < b); }

/* Addresses as numbers. libipvs subtracts them, which goes wrong for those that are far apart. */
static int compare_addr(uint16_t af, const union nf_inet_addr *a, const union nf_inet_addr *b) {
  return memcmp(a, b, af == AF_INET6 ? sizeof a->in6 : sizeof a->in);
}

int ipvs_cmp_services(ipvs_service_entry_t *s1, ipvs_service_entry_t *s2) {
  int order = compare(s1->fwmark, s2->fwmark);
  if (order == 0)
    order = compare(s1->af, s2->af);
  if (order == 0)
    order = compare(s1->protocol, s2->protocol);
  if (order == 0)
    order = compare_addr(s1->af, &s1->addr, &s2->addr);
  return order != 0 ? order : compare(ntohs(s1->port), ntohs(s2->port));
}

int ipvs_cmp_dests(ipvs_dest_entry_t *d1, ipvs_dest_entry_t *d2) {
  int order = compare(d1->af, d2->af);
  if (order == 0)
    order = compare_addr(d1->af, &d1->addr, &d2->addr);
  return order != 0 ? order : compare(ntohs(d1->port), ntohs(d2->port));
}

typedef int (*comparison)(const void *, const void *);

void ipvs_sort_services(struct ip_vs_get_services *s, ipvs_service_cmp_t f) {
  qsort(s->entrytable, s->num_services, sizeof *s->entrytable, (comparison)f);
}

void ipvs_sort_dests(struct ip_vs_get_dests *d, ipvs_dest_cmp_t f) {
  qsort(d->entrytable, d->num_dests, sizeof *d->entrytable, (comparison)f);
}

const char *ipvs_strerror(int err) {
  return failure != NULL && failure_errno == err ? lvs_error_message(failure) : strerror(err);
}
