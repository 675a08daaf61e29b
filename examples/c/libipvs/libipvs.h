/*
 * The interface of libipvs 1.31, the library inside of ipvsadm's sources, on top of liblvs: programs that include
 * "libipvs/libipvs.h" are compiled with -I examples/c and linked with libipvs.c and -llvs, and not changed.
 *
 * libipvs never had a binary interface, its programs contain it. So what matters are the names, the types and their order,
 * which are as there. What the kernel's header has is taken from it.
 */
#ifndef LVS_LIBIPVS_H
#define LVS_LIBIPVS_H

#include <netinet/in.h>
#include <stdint.h>

/* libipvs has records of the same names that are longer. */
#define ip_vs_service_user ip_vs_service_user_v4
#define ip_vs_dest_user ip_vs_dest_user_v4
#define ip_vs_service_entry ip_vs_service_entry_v4
#define ip_vs_dest_entry ip_vs_dest_entry_v4
#define ip_vs_get_dests ip_vs_get_dests_v4
#define ip_vs_get_services ip_vs_get_services_v4
#define ip_vs_daemon_user ip_vs_daemon_user_v4
#include <linux/ip_vs.h>
#undef ip_vs_service_user
#undef ip_vs_dest_user
#undef ip_vs_service_entry
#undef ip_vs_dest_entry
#undef ip_vs_get_dests
#undef ip_vs_get_services
#undef ip_vs_daemon_user
#include <linux/netfilter.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef IP_VS_SVC_F_SCHED_MH_FALLBACK
#define IP_VS_SVC_F_SCHED_MH_FALLBACK IP_VS_SVC_F_SCHED1
#define IP_VS_SVC_F_SCHED_MH_PORT IP_VS_SVC_F_SCHED2
#endif

#define MINIMUM_IPVS_VERSION_MAJOR 1
#define MINIMUM_IPVS_VERSION_MINOR 1
#define MINIMUM_IPVS_VERSION_PATCH 4
#define IPVS_VERSION(x, y, z) (((x) << 16) + ((y) << 8) + (z))
#define IPVS_SVC_PERSISTENT_TIMEOUT (6 * 60)

/* Ports, addresses and IPv4 netmasks are in network order; an IPv6 netmask is a prefix length. */

typedef struct ip_vs_service_user {
  uint16_t protocol;
  __be32 __addr_v4; /* not used */
  __be16 port;
  uint32_t fwmark;
  char sched_name[IP_VS_SCHEDNAME_MAXLEN];
  unsigned flags;
  unsigned timeout; /* of persistence, in seconds */
  __be32 netmask;
  uint16_t af;
  union nf_inet_addr addr;
  char pe_name[IP_VS_PENAME_MAXLEN + 1];
} ipvs_service_t;

typedef struct ip_vs_dest_user {
  __be32 __addr_v4; /* not used */
  __be16 port;
  unsigned conn_flags;
  int weight;
  uint32_t u_threshold;
  uint32_t l_threshold;
  uint16_t af;
  union nf_inet_addr addr;
  uint16_t tun_type;
  __be16 tun_port;
  uint16_t tun_flags;
} ipvs_dest_t;

typedef struct ip_vs_timeout_user ipvs_timeout_t;

typedef struct ip_vs_daemon_user {
  int state;
  char mcast_ifn[IP_VS_IFNAME_MAXLEN];
  int syncid;
  int sync_maxlen;
  uint16_t mcast_port; /* in host order */
  uint16_t mcast_ttl;
  uint16_t mcast_af; /* 0: the kernel's group */
  union nf_inet_addr mcast_group;
} ipvs_daemon_t;

struct ip_vs_stats64 {
  __u64 conns, inpkts, outpkts, inbytes, outbytes;
  __u64 cps, inpps, outpps, inbps, outbps;
};

typedef struct ip_vs_service_entry {
  uint16_t protocol;
  __be32 __addr_v4; /* not used */
  __be16 port;
  uint32_t fwmark;
  char sched_name[IP_VS_SCHEDNAME_MAXLEN];
  unsigned flags;
  unsigned timeout;
  __be32 netmask;
  unsigned num_dests; /* 0: ipvs_get_dests() knows */
  struct ip_vs_stats_user stats;
  uint16_t af;
  union nf_inet_addr addr;
  char pe_name[IP_VS_PENAME_MAXLEN + 1];
  struct ip_vs_stats64 stats64;
} ipvs_service_entry_t;

typedef struct ip_vs_dest_entry {
  __be32 __addr_v4; /* not used */
  __be16 port;
  unsigned conn_flags;
  int weight;
  uint32_t u_threshold;
  uint32_t l_threshold;
  uint32_t activeconns;
  uint32_t inactconns;
  uint32_t persistconns;
  struct ip_vs_stats_user stats;
  uint16_t af;
  union nf_inet_addr addr;
  struct ip_vs_stats64 stats64;
  uint16_t tun_type;
  __be16 tun_port;
  uint16_t tun_flags;
} ipvs_dest_entry_t;

struct ip_vs_get_dests {
  uint16_t protocol;
  __be32 __addr_v4; /* not used */
  __be16 port;
  uint32_t fwmark;
  unsigned num_dests;
  uint16_t af;
  union nf_inet_addr addr;
  struct ip_vs_dest_entry entrytable[];
};

struct ip_vs_get_services {
  unsigned num_services;
  struct ip_vs_service_entry entrytable[];
};

typedef int (*ipvs_service_cmp_t)(ipvs_service_entry_t *, ipvs_service_entry_t *);
typedef int (*ipvs_dest_cmp_t)(ipvs_dest_entry_t *, ipvs_dest_entry_t *);

/* As of ipvs_init(), or the last ipvs_getinfo(). */
extern struct ip_vs_getinfo ipvs_info;

/* 0, or -1 with errno set. */
extern int ipvs_init(void);
extern void ipvs_close(void);
extern int ipvs_getinfo(void);
extern unsigned int ipvs_version(void);
extern int ipvs_flush(void);
extern int ipvs_add_service(ipvs_service_t *svc);
extern int ipvs_update_service(ipvs_service_t *svc);
extern int ipvs_del_service(ipvs_service_t *svc);
/* Without address and mark: all services. */
extern int ipvs_zero_service(ipvs_service_t *svc);
extern int ipvs_add_dest(ipvs_service_t *svc, ipvs_dest_t *dest);
extern int ipvs_update_dest(ipvs_service_t *svc, ipvs_dest_t *dest);
extern int ipvs_del_dest(ipvs_service_t *svc, ipvs_dest_t *dest);
extern int ipvs_set_timeout(ipvs_timeout_t *to);
extern int ipvs_start_daemon(ipvs_daemon_t *dm);
extern int ipvs_stop_daemon(ipvs_daemon_t *dm);

/* What these return is freed by the caller with free(); NULL with errno set. */
extern struct ip_vs_get_services *ipvs_get_services(void);
extern struct ip_vs_get_dests *ipvs_get_dests(ipvs_service_entry_t *svc);
extern ipvs_service_entry_t *ipvs_get_service(__u32 fwmark, __u16 af, __u16 protocol, union nf_inet_addr addr,
                                              __u16 port);
extern ipvs_timeout_t *ipvs_get_timeout(void);
extern ipvs_daemon_t *ipvs_get_daemon(void); /* two: the master first; state 0 where none runs */

extern int ipvs_cmp_services(ipvs_service_entry_t *s1, ipvs_service_entry_t *s2);
extern void ipvs_sort_services(struct ip_vs_get_services *s, ipvs_service_cmp_t f);
extern int ipvs_cmp_dests(ipvs_dest_entry_t *d1, ipvs_dest_entry_t *d2);
extern void ipvs_sort_dests(struct ip_vs_get_dests *d, ipvs_dest_cmp_t f);

/* The words of the last failure, for its errno. */
extern const char *ipvs_strerror(int err);

/* Not in libipvs: goes on with this director instead of opening the kernel's, for tests of a program on an embedded one. It is
 * freed by ipvs_close(). */
struct lvs_director;
extern int ipvs_init_with(struct lvs_director *director);

#ifdef __cplusplus
}
#endif

#endif
