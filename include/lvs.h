/*
 * liblvs: the Linux Virtual Server (IPVS) as a library.
 *
 * Licensed under MIT or Apache-2.0, at your option. Generated from lvs-ffi by `cargo xtask generate`: do not edit.
 *
 *     lvs_error *err = NULL;
 *     lvs_director *director = NULL;
 *     lvs_service service = LVS_SERVICE_INIT;
 *
 *     if (lvs_director_open_embedded(NULL, &director, &err) != LVS_STATUS_OK ||
 *         lvs_service_key_parse("tcp 192.0.2.1:80", &service.key, &err) != LVS_STATUS_OK ||
 *         lvs_director_add_service(director, &service, &err) != LVS_STATUS_OK)
 *         fprintf(stderr, "%s\n", lvs_error_message(err));
 *     lvs_director_free(director);
 *     lvs_error_free(err);
 *
 * Rules that hold for every function:
 *
 * Status. A function that can fail returns an lvs_status; LVS_STATUS_OK is 0. Its last parameter is the address of an
 * lvs_error *, or NULL if nobody wants to know more. That variable holds NULL or an earlier error: set it to NULL once. When
 * a call fails, an earlier error in it is released and the new one is stored; a call that succeeds leaves it alone.
 * Outputs are written only on success, unless the function says otherwise.
 *
 * Handles are opaque. Who makes one releases it with its _free function, once; releasing NULL does nothing. Where nothing else
 * is said, a handle is used by one thread at a time and may go from thread to thread. No handle needs another one to be
 * alive.
 *
 * Records are plain structs of the caller's. Those that begin with struct_size are initialised with their LVS_..._INIT, before
 * they are read or written by the library; they may grow in later releases, at their end. The others never change.
 *
 * Pointers. A const pointer is only read, and nothing that it points to is kept after the call. NULL where it is not
 * allowed gives LVS_STATUS_INVALID_INPUT (or 0, false, an empty string from functions that cannot fail), as do unknown
 * enumerators, text that is not UTF-8 and reserved fields that are not 0. A pointer returned by a function belongs to
 * the handle that it was asked of, and is valid until that is changed or released.
 *
 * Visitors are functions of the caller's that the library calls. They must return: no longjmp, no C++ exception. They
 * must not use the director that is calling them, which gives LVS_STATUS_BUSY.
 *
 * Process. The library starts no thread, installs no signal handler, holds no global state and writes to no stream (a
 * mistake in the library itself, LVS_STATUS_PANIC, leaves a line on stderr). Sockets are opened with FD_CLOEXEC. After fork() use
 * a director in one of the two processes only.
 *
 * Compatibility. A program runs with any later release that has the same soname. In such a release records grow at
 * their end, functions and enumerators are added; nothing is removed, renumbered or given another meaning. Before 1.0 the
 * soname holds the minor version.
 */
#ifndef LVS_H
#define LVS_H


#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of this header; lvs_version() says that of the library that is loaded. */
#define LVS_VERSION "0.1.0"
#define LVS_VERSION_MAJOR 0
#define LVS_VERSION_MINOR 1
#define LVS_VERSION_PATCH 0
#define LVS_VERSION_NUMBER (LVS_VERSION_MAJOR * 1000000 + LVS_VERSION_MINOR * 1000 + LVS_VERSION_PATCH)

/* A result that must not be ignored. */
#if defined(__GNUC__)
#define LVS_NODISCARD __attribute__((warn_unused_result))
#else
#define LVS_NODISCARD
#endif


/**
 * IPv4: AF_INET of Linux.
 */
#define LVS_FAMILY_INET 2

/**
 * IPv6: AF_INET6 of Linux.
 */
#define LVS_FAMILY_INET6 10

/**
 * A buffer of this size holds any address as text, and its NUL byte.
 */
#define LVS_ADDRESS_STRLEN 46

/**
 * The director reported statistics.
 */
#define LVS_STATS_PRESENT 1

/**
 * The director reported 32-bit statistics.
 */
#define LVS_STATS32_PRESENT 2

/**
 * The director reported 64-bit statistics.
 */
#define LVS_STATS64_PRESENT 4

/**
 * TCP.
 */
#define LVS_PROTOCOL_TCP 6

/**
 * UDP.
 */
#define LVS_PROTOCOL_UDP 17

/**
 * SCTP.
 */
#define LVS_PROTOCOL_SCTP 132

/**
 * Connections of one client network stick to one destination.
 */
#define LVS_SERVICE_PERSISTENT 1

/**
 * Every UDP datagram is scheduled by itself.
 */
#define LVS_SERVICE_ONE_PACKET 4

/**
 * First scheduler flag: sh-fallback, mh-fallback.
 */
#define LVS_SERVICE_SCHED1 8

/**
 * Second scheduler flag: sh-port, mh-port.
 */
#define LVS_SERVICE_SCHED2 16

/**
 * Third scheduler flag: no scheduler of the kernel uses it.
 */
#define LVS_SERVICE_SCHED3 32

/**
 * The netmask that tells every client from every other, for both address families.
 */
#define LVS_NETMASK_FULL 4294967295

/**
 * A buffer of this size holds any service key as text, and its NUL byte.
 */
#define LVS_SERVICE_KEY_STRLEN 80

/**
 * No checksum in the tunnel.
 */
#define LVS_TUNNEL_NO_CHECKSUM 0

/**
 * A checksum in the tunnel (GUE, GRE).
 */
#define LVS_TUNNEL_CHECKSUM 1

/**
 * A checksum with remote offload (GUE).
 */
#define LVS_TUNNEL_REMOTE_CHECKSUM 2

/**
 * A buffer of this size holds any destination key as text, and its NUL byte.
 */
#define LVS_DESTINATION_KEY_STRLEN 56

/**
 * The snapshot could see IPv6 services and destinations.
 */
#define LVS_COVERAGE_IPV6 1

/**
 * The snapshot could see the encapsulation of tunnels.
 */
#define LVS_COVERAGE_TUNNELS 2

/**
 * The snapshot could see persistence engines.
 */
#define LVS_COVERAGE_ENGINES 4

/**
 * The snapshot could see 64-bit statistics.
 */
#define LVS_COVERAGE_STATS64 8

/**
 * The snapshot could see all attributes of sync daemons.
 */
#define LVS_COVERAGE_DAEMON_DETAILS 16

/**
 * What came of a call. Numbers are never reused, and a later release may add some: treat an unknown one as a failure.
 */
enum lvs_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It worked.
   */
  LVS_STATUS_OK = 0,
  /**
   * The value cannot be said to any director, or a pointer, size or enumerator is wrong.
   */
  LVS_STATUS_INVALID_INPUT = 1,
  /**
   * Rules text that does not parse; lvs_error_diagnostics_len() says how many mistakes there are.
   */
  LVS_STATUS_SYNTAX = 2,
  /**
   * No such service, destination, daemon or file.
   */
  LVS_STATUS_NOT_FOUND = 3,
  /**
   * The service, destination or daemon is there already.
   */
  LVS_STATUS_ALREADY_EXISTS = 4,
  /**
   * The caller lacks a privilege, for the kernel CAP_NET_ADMIN.
   */
  LVS_STATUS_PERMISSION_DENIED = 5,
  /**
   * The kernel, the transport or the director lacks IPVS, a scheduler, an address family, a function.
   */
  LVS_STATUS_UNSUPPORTED = 6,
  /**
   * The kernel's answer makes no sense.
   */
  LVS_STATUS_DECODE = 7,
  /**
   * Any other answer of the kernel; lvs_error_errno() has it.
   */
  LVS_STATUS_KERNEL = 8,
  /**
   * A file, a socket or a namespace failed; lvs_error_errno() has the reason.
   */
  LVS_STATUS_IO = 9,
  /**
   * A mistake in this library: it was caught, and a director that was busy with it refuses further calls.
   */
  LVS_STATUS_PANIC = 10,
  /**
   * The director is in a call of this very thread, that is, this is a call from inside a visitor.
   */
  LVS_STATUS_BUSY = 11,
  /**
   * There is not enough memory for that many entries.
   */
  LVS_STATUS_NO_MEMORY = 12,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum lvs_status lvs_status;
#else
typedef uint32_t lvs_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a director's refusal means, more finely than the status. Numbers are never reused; a later release may
 * add some.
 */
enum lvs_cause
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Not a director's refusal: see the status.
   */
  LVS_CAUSE_NONE = 0,
  /**
   * There is no such service.
   */
  LVS_CAUSE_SERVICE_NOT_FOUND = 1,
  /**
   * The service is there already.
   */
  LVS_CAUSE_SERVICE_EXISTS = 2,
  /**
   * The service has no such destination.
   */
  LVS_CAUSE_DESTINATION_NOT_FOUND = 3,
  /**
   * The service has that destination already.
   */
  LVS_CAUSE_DESTINATION_EXISTS = 4,
  /**
   * No such scheduler, and no module brings it.
   */
  LVS_CAUSE_SCHEDULER_NOT_FOUND = 5,
  /**
   * No such persistence engine, and no module brings it.
   */
  LVS_CAUSE_ENGINE_NOT_FOUND = 6,
  /**
   * The scheduler or the persistence engine is missing; the kernel does not say which.
   */
  LVS_CAUSE_SCHEDULER_OR_ENGINE_NOT_FOUND = 7,
  /**
   * A sync daemon of that role runs already.
   */
  LVS_CAUSE_DAEMON_RUNNING = 8,
  /**
   * No sync daemon of that role runs.
   */
  LVS_CAUSE_DAEMON_NOT_RUNNING = 9,
  /**
   * There is no such network interface.
   */
  LVS_CAUSE_INTERFACE_NOT_FOUND = 10,
  /**
   * The caller lacks CAP_NET_ADMIN.
   */
  LVS_CAUSE_PERMISSION_DENIED = 11,
  /**
   * The kernel has no IPVS, or its module is not loaded.
   */
  LVS_CAUSE_MODULE_MISSING = 12,
  /**
   * A weight or a threshold is out of range.
   */
  LVS_CAUSE_OUT_OF_RANGE = 13,
  /**
   * The address family is not supported.
   */
  LVS_CAUSE_FAMILY_UNSUPPORTED = 14,
  /**
   * This director, transport or kernel cannot do that at all.
   */
  LVS_CAUSE_UNSUPPORTED = 15,
  /**
   * The kernel refuses the values; it does not say which.
   */
  LVS_CAUSE_INVALID = 16,
  /**
   * Anything else: see lvs_error_errno().
   */
  LVS_CAUSE_OTHER = 17,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum lvs_cause lvs_cause;
#else
typedef uint32_t lvs_cause;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How packets reach a destination.
 */
enum lvs_forwarding
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * LVS-NAT: the destination address and port are rewritten, replies pass the director.
   */
  LVS_FORWARDING_MASQUERADE = 0,
  /**
   * The director itself; the kernel never reports it by itself.
   */
  LVS_FORWARDING_LOCAL = 1,
  /**
   * LVS-TUN: packets travel inside a tunnel.
   */
  LVS_FORWARDING_TUNNEL = 2,
  /**
   * LVS-DR: packets go to the real server on the same link, unchanged.
   */
  LVS_FORWARDING_DIRECT = 3,
  /**
   * The kernel's internal method for cache_bypass. 5, 6 and 7 have no meaning, but the kernel stores them.
   */
  LVS_FORWARDING_BYPASS = 4,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum lvs_forwarding lvs_forwarding;
#else
typedef uint32_t lvs_forwarding;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What a batch does when the director refuses one of its operations.
 */
enum lvs_on_refusal
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * It goes on with the rest. The fastest way: requests travel many to a system call.
   */
  LVS_ON_REFUSAL_CONTINUE = 0,
  /**
   * It does nothing after the first refusal. Exact, and therefore one round trip an operation.
   */
  LVS_ON_REFUSAL_STOP = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum lvs_on_refusal lvs_on_refusal;
#else
typedef uint32_t lvs_on_refusal;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Which of the two behaviours of the stable kernels to follow.
 */
enum lvs_profile
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Linux 6.1.183, 6.12.104 and later.
   */
  LVS_PROFILE_NEW = 0,
  /**
   * Linux 6.1 to 6.1.182, 6.12 to 6.12.103.
   */
  LVS_PROFILE_OLD = 1,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum lvs_profile lvs_profile;
#else
typedef uint32_t lvs_profile;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The part a sync daemon plays. A director can run one of each.
 */
enum lvs_role
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * Sends the connections.
   */
  LVS_ROLE_MASTER = 1,
  /**
   * Receives them.
   */
  LVS_ROLE_BACKUP = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum lvs_role lvs_role;
#else
typedef uint32_t lvs_role;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * The encapsulation of a tunnel.
 */
enum lvs_tunnel
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  /**
   * IP in IP.
   */
  LVS_TUNNEL_IPIP = 0,
  /**
   * Generic UDP encapsulation; needs a port.
   */
  LVS_TUNNEL_GUE = 1,
  /**
   * Generic routing encapsulation. Numbers up to 255 without a name are kept.
   */
  LVS_TUNNEL_GRE = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum lvs_tunnel lvs_tunnel;
#else
typedef uint32_t lvs_tunnel;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Changes of a table, collected to be carried out in order with few system calls by lvs_director_apply().
 *
 * Made by lvs_batch_new(), released by lvs_batch_free(). One thread at a time.
 */
typedef struct lvs_batch lvs_batch;

/**
 * Destinations of one service as a director reported them: the one added last comes first.
 *
 * Made by lvs_director_destinations(), released by lvs_destination_list_free(). It never changes: any number of
 * threads may read it, and it may outlive its director.
 */
typedef struct lvs_destination_list lvs_destination_list;

/**
 * A holder of an IPVS table: the running kernel, or an embedded twin of it in this process. Both answer the same calls
 * with the same errors.
 *
 * Made by lvs_director_open_kernel() or lvs_director_open_embedded(), released by lvs_director_free(). Any number of
 * threads may use one director: their calls take turns. What is under way on a director is not waited for by
 * lvs_director_free(): nobody may be in a call when it is released.
 */
typedef struct lvs_director lvs_director;

/**
 * Why a call failed: a status, an errno where one stands behind it, and a message for people.
 *
 * Made by the call that fails, released by lvs_error_free(). It never changes: any number of threads may read it.
 */
typedef struct lvs_error lvs_error;

/**
 * What came of a batch: enough to name the table that is now in force.
 *
 * Made by lvs_director_apply(), released by lvs_report_free(). It never changes: any number of threads may read it.
 */
typedef struct lvs_report lvs_report;

/**
 * Services as a director reported them, without their destinations.
 *
 * Made by lvs_director_services(), released by lvs_service_list_free(). It never changes: any number of threads may
 * read it, and it may outlive its director.
 */
typedef struct lvs_service_list lvs_service_list;

/**
 * All that a director held at one moment: services with their destinations and statistics, timeouts, daemons.
 *
 * Made by lvs_director_snapshot(), released by lvs_snapshot_free(). Any number of threads may read it while nobody
 * sorts it, and it may outlive its director.
 */
typedef struct lvs_snapshot lvs_snapshot;

/**
 * A whole configuration: what a rules file says, what a director is to hold. It belongs to no director.
 *
 * Made by lvs_table_new() and others, released by lvs_table_free(). Any number of threads may read it while nobody
 * changes it.
 */
typedef struct lvs_table lvs_table;

/**
 * Text that the library writes: rules, listings, plans. Keep one and use it again, it keeps its memory.
 *
 * Made by lvs_text_new(), released by lvs_text_free(). One thread at a time.
 */
typedef struct lvs_text lvs_text;

/**
 * An IP address. Its layout never changes.
 */
typedef struct lvs_address {
  /**
   * LVS_FAMILY_INET or LVS_FAMILY_INET6; 0 where there is no address.
   */
  uint16_t family;
  /**
   * Must be 0.
   */
  uint16_t reserved;
  /**
   * The address in network order, as in struct in_addr and struct in6_addr. IPv4 uses the first four bytes, and
   * the rest must be 0.
   */
  uint8_t bytes[16];
} lvs_address;

/**
 * What identifies a virtual service: an address and port of a protocol, or a firewall mark. Its layout never changes.
 */
typedef struct lvs_service_key {
  /**
   * The virtual address; for a firewall mark only its family counts.
   */
  struct lvs_address addr;
  /**
   * The port in host order; 0 stands for all ports of a persistent service, and for a firewall mark.
   */
  uint16_t port;
  /**
   * LVS_PROTOCOL_TCP, _UDP, _SCTP or any other number that the kernel keeps; 0 for a firewall mark.
   */
  uint16_t protocol;
  /**
   * The firewall mark, or 0 for a service at an address.
   */
  uint32_t fwmark;
  /**
   * Must be 0.
   */
  uint32_t reserved;
} lvs_service_key;

/**
 * What identifies a destination inside its service. Its layout never changes.
 */
typedef struct lvs_destination_key {
  /**
   * The real server's address.
   */
  struct lvs_address addr;
  /**
   * The real server's port in host order; 0 keeps the port that the client asked for.
   */
  uint16_t port;
  /**
   * Must be 0.
   */
  uint16_t reserved;
} lvs_destination_key;

/**
 * A virtual service as you configure it. Initialise it with LVS_SERVICE_INIT: scheduler wlc, no flags, full netmask.
 */
typedef struct lvs_service {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * LVS_SERVICE_... bits. Bits without a name are kept.
   */
  uint32_t flags;
  /**
   * What identifies the service.
   */
  struct lvs_service_key key;
  /**
   * How long persistence lasts, in seconds; kept for services that are not persistent, too.
   */
  uint32_t timeout;
  /**
   * Which clients persistence counts as one. IPv4: a mask in host order, such as 0xffffff00. IPv6: a prefix length,
   * 1 to 128. LVS_NETMASK_FULL for both: every client counts by itself.
   */
  uint32_t netmask;
  /**
   * The scheduler, at most 15 bytes and a NUL byte.
   */
  char scheduler[16];
  /**
   * The persistence engine, at most 16 bytes and a NUL byte; empty for none.
   */
  char engine[24];
} lvs_service;

/**
 * Sums since the service or destination appeared or was zeroed. Its layout never changes.
 */
typedef struct lvs_counters {
  /**
   * Connections scheduled.
   */
  uint64_t connections;
  /**
   * Packets from clients.
   */
  uint64_t packets_in;
  /**
   * Packets from real servers, as far as they pass the director.
   */
  uint64_t packets_out;
  /**
   * Bytes from clients, IP header included.
   */
  uint64_t bytes_in;
  /**
   * Bytes from real servers, IP header included.
   */
  uint64_t bytes_out;
} lvs_counters;

/**
 * Averages a second, as the kernel computes them every two seconds. Its layout never changes.
 */
typedef struct lvs_rates {
  /**
   * Connections a second.
   */
  uint64_t connections;
  /**
   * Packets a second from clients.
   */
  uint64_t packets_in;
  /**
   * Packets a second from real servers.
   */
  uint64_t packets_out;
  /**
   * Bytes (not bits) a second from clients.
   */
  uint64_t bytes_in;
  /**
   * Bytes (not bits) a second from real servers.
   */
  uint64_t bytes_out;
} lvs_rates;

/**
 * Sums and rates. The kernel refreshes both every two seconds. Its layout never changes.
 */
typedef struct lvs_stats {
  /**
   * The sums.
   */
  struct lvs_counters counters;
  /**
   * The rates.
   */
  struct lvs_rates rates;
} lvs_stats;

/**
 * What a director reports of a service beside its configuration. Initialise it with LVS_SERVICE_STATE_INIT.
 */
typedef struct lvs_service_state {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Which statistics the director reported: LVS_STATS_PRESENT, LVS_STATS32_PRESENT, LVS_STATS64_PRESENT.
   */
  uint32_t present;
  /**
   * The widest statistics reported.
   */
  struct lvs_stats stats;
  /**
   * What the director reported in 32 bits (bytes in 64), as old tools show it.
   */
  struct lvs_stats stats32;
} lvs_service_state;

/**
 * A destination (real server) as you configure it. Initialise it with LVS_DESTINATION_INIT: direct routing, weight 1,
 * no thresholds.
 */
typedef struct lvs_destination {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * How packets reach it: enum lvs_forwarding, or 5 to 7.
   */
  uint32_t forwarding;
  /**
   * What identifies it.
   */
  struct lvs_destination_key key;
  /**
   * Its capacity against its neighbours'; 0 quiesces it. The kernel refuses values above 2147483647.
   */
  uint32_t weight;
  /**
   * Connections at which it counts as overloaded; 0 for no limit.
   */
  uint32_t upper_threshold;
  /**
   * Connections below which it counts as usable again; 0 for three quarters of the upper threshold.
   */
  uint32_t lower_threshold;
  /**
   * The encapsulation, for LVS_FORWARDING_TUNNEL: enum lvs_tunnel.
   */
  uint32_t tunnel;
  /**
   * The UDP port of GUE, in host order.
   */
  uint16_t tunnel_port;
  /**
   * LVS_TUNNEL_... bits. Bits without a name are kept.
   */
  uint16_t tunnel_flags;
} lvs_destination;

/**
 * What a director reports of a destination beside its configuration. Initialise it with LVS_DESTINATION_STATE_INIT.
 */
typedef struct lvs_destination_state {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Which statistics the director reported: LVS_STATS_PRESENT, LVS_STATS32_PRESENT, LVS_STATS64_PRESENT.
   */
  uint32_t present;
  /**
   * Connections in an active state: established or on the way there.
   */
  uint32_t active;
  /**
   * All other connections; UDP ones always count here.
   */
  uint32_t inactive;
  /**
   * Persistence templates that point here.
   */
  uint32_t persistent;
  /**
   * 0.
   */
  uint32_t reserved;
  /**
   * The widest statistics reported.
   */
  struct lvs_stats stats;
  /**
   * What the director reported in 32 bits (bytes in 64), as old tools show it.
   */
  struct lvs_stats stats32;
} lvs_destination_state;

/**
 * What a director says of itself. Initialise it with LVS_INFO_INIT.
 */
typedef struct lvs_info {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * The version of IPVS: the major number. The kernel has said 1.2.1 for years, whatever its own release.
   */
  uint16_t version_major;
  /**
   * The minor number.
   */
  uint8_t version_minor;
  /**
   * The patch level.
   */
  uint8_t version_patch;
  /**
   * Buckets of the connection table.
   */
  uint32_t connection_table_size;
} lvs_info;

/**
 * The three connection timeouts that can be set, in seconds. Initialise it with LVS_TIMEOUTS_INIT: all 0, which leaves
 * all as they are. The kernel takes up to 8589934.
 */
typedef struct lvs_timeouts {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Of established TCP connections. When set, 0 leaves it as it is.
   */
  uint32_t tcp;
  /**
   * Of TCP connections after a FIN. When set, 0 leaves it as it is.
   */
  uint32_t tcp_fin;
  /**
   * Of UDP connections. When set, 0 leaves it as it is.
   */
  uint32_t udp;
} lvs_timeouts;

/**
 * A connection synchronisation daemon. Initialise it with LVS_DAEMON_INIT: a master with the kernel's defaults, which
 * still needs an interface.
 */
typedef struct lvs_daemon {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * The part it plays: enum lvs_role.
   */
  uint32_t role;
  /**
   * Which daemons belong together: 0 to 255; a backup with 0 takes all.
   */
  uint32_t sync_id;
  /**
   * The longest payload of a message, in bytes; 0 for the kernel's default.
   */
  uint16_t max_len;
  /**
   * The UDP port in host order; 0 for the kernel's default, 8848.
   */
  uint16_t port;
  /**
   * The interface that carries the multicast, at most 15 bytes and a NUL byte.
   */
  char interface[16];
  /**
   * The multicast group; family 0 for the kernel's default, 224.0.0.81.
   */
  struct lvs_address group;
  /**
   * The multicast time to live; 0 for the kernel's default, 1.
   */
  uint8_t ttl;
  /**
   * Must be 0.
   */
  uint8_t reserved[3];
} lvs_daemon;

/**
 * An address with the prefix length of its network. Its layout never changes.
 */
typedef struct lvs_network {
  /**
   * The address.
   */
  struct lvs_address addr;
  /**
   * The length of the network's prefix, 0 to 32 or 128.
   */
  uint16_t prefix_length;
  /**
   * Must be 0.
   */
  uint16_t reserved;
} lvs_network;

/**
 * A network interface that the embedded director is to know. Its layout never changes.
 */
typedef struct lvs_interface {
  /**
   * Its name, at most 15 bytes and a NUL byte.
   */
  char name[16];
  /**
   * The longest packet, in bytes.
   */
  uint32_t mtu;
} lvs_interface;

/**
 * What kind of kernel, and of machine around it, an embedded director is the twin of. Initialise it with
 * LVS_EMBEDDED_OPTIONS_INIT: a current kernel with all schedulers, IPv6, the interfaces lo and eth0, and no address but the
 * loopback ones. Nothing that it points to is kept.
 */
typedef struct lvs_embedded_options {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Which behaviour to follow: enum lvs_profile.
   */
  uint32_t profile;
  /**
   * The seed of everything that is random in a kernel: the draws of twos.
   */
  uint64_t seed;
  /**
   * What to report as the number of buckets of the connection table; 0 for 4096. It decides nothing else.
   */
  uint32_t connection_table_size;
  /**
   * Not 0: the kernel has no IPv6.
   */
  uint32_t no_ipv6;
  /**
   * Further addresses of the machine, `local_len` of them.
   */
  const struct lvs_network *local;
  /**
   * How many.
   */
  size_t local_len;
  /**
   * The interfaces, `interfaces_len` of them; NULL for lo and eth0.
   */
  const struct lvs_interface *interfaces;
  /**
   * How many.
   */
  size_t interfaces_len;
  /**
   * The names of the schedulers that the kernel has, `schedulers_len` of them; NULL for all.
   */
  const char *const *schedulers;
  /**
   * How many.
   */
  size_t schedulers_len;
  /**
   * The names of the persistence engines that the kernel has, `engines_len` of them; NULL for sip.
   */
  const char *const *engines;
  /**
   * How many.
   */
  size_t engines_len;
} lvs_embedded_options;

/**
 * The sysctls under net.ipv4.vs that change decisions. Initialise it with LVS_SETTINGS_INIT, read it with
 * lvs_director_settings(), change what is to be changed, and set it with lvs_director_set_settings().
 */
typedef struct lvs_settings {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Not 0: packets of a connection whose destination was removed are scheduled anew, not dropped.
   */
  uint32_t expire_nodest_conn;
  /**
   * Not 0: a weight of 0 ends persistence to the destination.
   */
  uint32_t expire_quiescent_template;
  /**
   * Bits that say when a client that reuses its port gets a new destination.
   */
  int32_t conn_reuse_mode;
  /**
   * Not 0: any TCP segment but a reset may open a connection.
   */
  uint32_t sloppy_tcp;
  /**
   * Not 0: any SCTP packet but an ABORT may open a connection.
   */
  uint32_t sloppy_sctp;
  /**
   * Which TCP state table is in force: 0 the plain one, 3 the secure one.
   */
  uint32_t secure_tcp;
  /**
   * Not 0: packets for which a firewall-mark service has no destination go to where they were addressed.
   */
  uint32_t cache_bypass;
  /**
   * 3: one in `am_droprate` of the packets that would open a connection is dropped.
   */
  uint32_t drop_packet;
  /**
   * One in how many packets drop_packet drops.
   */
  int32_t am_droprate;
  /**
   * Not 0: counters and rates are refreshed every two seconds.
   */
  uint32_t run_estimation;
  /**
   * Not 0: the director leaves packets alone while a backup sync daemon runs.
   */
  uint32_t backup_only;
  /**
   * The first port that needs no privilege.
   */
  uint32_t ip_unprivileged_port_start;
  /**
   * lblc: seconds after which an unused entry may go.
   */
  uint32_t lblc_expiration;
  /**
   * lblcr: seconds after which an unused entry may go, and after which an unchanged set shrinks.
   */
  uint32_t lblcr_expiration;
} lvs_settings;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The version of the library that is loaded, such as "0.1.0"; LVS_VERSION is that of the header. The string is
 * static. Any thread.
 */
const char *lvs_version(void);

/**
 * The version of the library that is loaded as a number to compare with LVS_VERSION_NUMBER: major * 1000000 +
 * minor * 1000 + patch. Any thread.
 */
uint32_t lvs_version_number(void);

/**
 * The name of a status, such as "not found". Never NULL: an unknown number gives "unknown status". The string is
 * static. Any thread.
 */
const char *lvs_status_name(uint32_t status);

/**
 * The status that the failed call returned; LVS_STATUS_OK if `error` is NULL. Any thread.
 */
lvs_status lvs_error_status(const struct lvs_error *error);

/**
 * What the director's refusal means, one of enum lvs_cause. Any thread.
 */
lvs_cause lvs_error_cause(const struct lvs_error *error);

/**
 * The errno behind the failure, as Linux numbers them; 0 if there is none or `error` is NULL. The embedded
 * director answers with the kernel's numbers, too. Any thread.
 */
int32_t lvs_error_errno(const struct lvs_error *error);

/**
 * One sentence: what was attempted, on what, what went wrong. UTF-8, without a newline at the end (a syntax error
 * has several lines). Never NULL; it lives as long as `error`. Any thread.
 */
const char *lvs_error_message(const struct lvs_error *error);

/**
 * The kernel's own words (netlink's extended acknowledgement), or NULL if it sent none. They live as long as
 * `error`. Any thread.
 */
const char *lvs_error_kernel_message(const struct lvs_error *error);

/**
 * Releases an error. NULL does nothing.
 */
void lvs_error_free(struct lvs_error *error);

/**
 * Makes an empty text.
 */
LVS_NODISCARD lvs_status lvs_text_new(struct lvs_text **text, struct lvs_error **err);

/**
 * The text, UTF-8 and with a NUL byte at its end. Never NULL. It is valid until `text` is written or released.
 */
const char *lvs_text_data(const struct lvs_text *text);

/**
 * The length of the text in bytes, without the NUL byte.
 */
size_t lvs_text_len(const struct lvs_text *text);

/**
 * Releases a text. NULL does nothing.
 */
void lvs_text_free(struct lvs_text *text);

/**
 * Reads an address such as "192.0.2.1" or "2001:db8::1" (no brackets, no zone, no name). Any thread.
 */
LVS_NODISCARD
lvs_status lvs_address_parse(const char *text,
                             struct lvs_address *address,
                             struct lvs_error **err);

/**
 * Writes an address as text into `buffer` of `size` bytes, cut short if it does not fit, and always with a NUL byte
 * (unless `size` is 0). Returns the length of the whole text without the NUL byte, or 0 if `address` is NULL or
 * holds no address. LVS_ADDRESS_STRLEN bytes are enough. Any thread.
 */
size_t lvs_address_format(const struct lvs_address *address,
                          char *buffer,
                          size_t size);

/**
 * Reads a key as people write it: "tcp 192.0.2.1:80", "udp://[2001:db8::1]:53", "192.0.2.1:80/sctp", "192.0.2.1:80"
 * (TCP), "fwmark 7", "fwmark 7 IPv6". Any thread.
 */
LVS_NODISCARD
lvs_status lvs_service_key_parse(const char *text,
                                 struct lvs_service_key *key,
                                 struct lvs_error **err);

/**
 * Makes the key of a service at an address given as text. `protocol` is LVS_PROTOCOL_..., `port` is in host order.
 * Any thread.
 */
LVS_NODISCARD
lvs_status lvs_service_key_endpoint(uint16_t protocol,
                                    const char *addr,
                                    uint16_t port,
                                    struct lvs_service_key *key,
                                    struct lvs_error **err);

/**
 * Makes the key of a firewall-mark service. `fwmark` is not 0; `family` is LVS_FAMILY_INET or LVS_FAMILY_INET6: the
 * two services of one mark are different ones. Any thread.
 */
LVS_NODISCARD
lvs_status lvs_service_key_fwmark(uint32_t fwmark,
                                  uint16_t family,
                                  struct lvs_service_key *key,
                                  struct lvs_error **err);

/**
 * Writes a key as text, such as "tcp 192.0.2.1:80" or "fwmark 7 IPv6", into `buffer` of `size` bytes, cut short if it
 * does not fit, and always with a NUL byte (unless `size` is 0). Returns the length of the whole text without the NUL
 * byte, or 0 if `key` is NULL or no key. LVS_SERVICE_KEY_STRLEN bytes are enough. Any thread.
 */
size_t lvs_service_key_format(const struct lvs_service_key *key,
                              char *buffer,
                              size_t size);

/**
 * Whether two keys name the same service. False if one of them is NULL or no key. Any thread.
 */
bool lvs_service_key_equal(const struct lvs_service_key *a, const struct lvs_service_key *b);

/**
 * Reads a key such as "198.51.100.7:80" or "[2001:db8::7]:80"; an address without a port has port 0. Any thread.
 */
LVS_NODISCARD
lvs_status lvs_destination_key_parse(const char *text,
                                     struct lvs_destination_key *key,
                                     struct lvs_error **err);

/**
 * Writes a key as text, such as "198.51.100.7:80" or "[2001:db8::7]:80", into `buffer` of `size` bytes, cut short if it
 * does not fit, and always with a NUL byte (unless `size` is 0). Returns the length of the whole text without the NUL
 * byte, or 0 if `key` is NULL or no key. LVS_DESTINATION_KEY_STRLEN bytes are enough. Any thread.
 */
size_t lvs_destination_key_format(const struct lvs_destination_key *key,
                                  char *buffer,
                                  size_t size);

/**
 * The name of a forwarding method as `ipvsadm -L` prints it: "Masq", "Local", "Tunnel", "Route"; "Masq" for numbers
 * without a meaning, as the kernel has it. The string is static. Any thread.
 */
const char *lvs_forwarding_name(uint32_t forwarding);

/**
 * How many services there are; 0 if `list` is NULL.
 */
size_t lvs_service_list_len(const struct lvs_service_list *list);

/**
 * Reads service `index`. Each of `service` and `state` may be NULL if it is not wanted. Allocates nothing.
 */
LVS_NODISCARD
lvs_status lvs_service_list_get(const struct lvs_service_list *list,
                                size_t index,
                                struct lvs_service *service,
                                struct lvs_service_state *state,
                                struct lvs_error **err);

/**
 * Releases a list. NULL does nothing.
 */
void lvs_service_list_free(struct lvs_service_list *list);

/**
 * How many destinations there are; 0 if `list` is NULL.
 */
size_t lvs_destination_list_len(const struct lvs_destination_list *list);

/**
 * Reads destination `index`. Each of `destination` and `state` may be NULL if it is not wanted. Allocates nothing.
 */
LVS_NODISCARD
lvs_status lvs_destination_list_get(const struct lvs_destination_list *list,
                                    size_t index,
                                    struct lvs_destination *destination,
                                    struct lvs_destination_state *state,
                                    struct lvs_error **err);

/**
 * Releases a list. NULL does nothing.
 */
void lvs_destination_list_free(struct lvs_destination_list *list);

/**
 * How many services there are; 0 if `snapshot` is NULL.
 */
size_t lvs_snapshot_services_len(const struct lvs_snapshot *snapshot);

/**
 * Reads service `index`. Each of `service` and `state` may be NULL if it is not wanted. Allocates nothing.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_service_get(const struct lvs_snapshot *snapshot,
                                    size_t index,
                                    struct lvs_service *service,
                                    struct lvs_service_state *state,
                                    struct lvs_error **err);

/**
 * How many destinations service `index` has; 0 if there is no such service or `snapshot` is NULL.
 */
size_t lvs_snapshot_destinations_len(const struct lvs_snapshot *snapshot, size_t index);

/**
 * Reads destination `destination_index` of service `service_index`; the one added last comes first. Each of
 * `destination` and `state` may be NULL if it is not wanted. Allocates nothing.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_destination_get(const struct lvs_snapshot *snapshot,
                                        size_t service_index,
                                        size_t destination_index,
                                        struct lvs_destination *destination,
                                        struct lvs_destination_state *state,
                                        struct lvs_error **err);

/**
 * Finds the service of a key and writes its index. LVS_STATUS_NOT_FOUND if the snapshot has none.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_find(const struct lvs_snapshot *snapshot,
                             const struct lvs_service_key *key,
                             size_t *index,
                             struct lvs_error **err);

/**
 * Reads version and size of the director.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_info(const struct lvs_snapshot *snapshot,
                             struct lvs_info *info,
                             struct lvs_error **err);

/**
 * Reads the timeouts.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_timeouts(const struct lvs_snapshot *snapshot,
                                 struct lvs_timeouts *timeouts,
                                 struct lvs_error **err);

/**
 * How many sync daemons run: 0 to 2; 0 if `snapshot` is NULL.
 */
size_t lvs_snapshot_daemons_len(const struct lvs_snapshot *snapshot);

/**
 * Reads sync daemon `index`; the master comes first.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_daemon_get(const struct lvs_snapshot *snapshot,
                                   size_t index,
                                   struct lvs_daemon *daemon,
                                   struct lvs_error **err);

/**
 * What the snapshot could see, as LVS_COVERAGE_... bits. A bit that is clear means: not looked at, not: not there.
 */
uint32_t lvs_snapshot_coverage(const struct lvs_snapshot *snapshot);

/**
 * Sorts services and destinations by their keys. The director's own order means nothing in the kernel. Nobody else may
 * read the snapshot meanwhile.
 */
void lvs_snapshot_sort(struct lvs_snapshot *snapshot);

/**
 * Makes a table of the snapshot's configuration: what a rules file that restores it says.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_to_table(const struct lvs_snapshot *snapshot,
                                 struct lvs_table **table,
                                 struct lvs_error **err);

/**
 * Releases a snapshot. NULL does nothing.
 */
void lvs_snapshot_free(struct lvs_snapshot *snapshot);

/**
 * Makes an empty table.
 */
LVS_NODISCARD lvs_status lvs_table_new(struct lvs_table **table, struct lvs_error **err);

/**
 * Adds a service at the end. LVS_STATUS_ALREADY_EXISTS if the table has one of that key.
 */
LVS_NODISCARD
lvs_status lvs_table_add_service(struct lvs_table *table,
                                 const struct lvs_service *service,
                                 struct lvs_error **err);

/**
 * Adds a destination at the end of a service's. LVS_STATUS_NOT_FOUND if the table has no such service,
 * LVS_STATUS_ALREADY_EXISTS if the service has that destination.
 */
LVS_NODISCARD
lvs_status lvs_table_add_destination(struct lvs_table *table,
                                     const struct lvs_service_key *key,
                                     const struct lvs_destination *destination,
                                     struct lvs_error **err);

/**
 * Sets the timeouts that the table asks for; NULL if it is to say nothing of them.
 */
LVS_NODISCARD
lvs_status lvs_table_set_timeouts(struct lvs_table *table,
                                  const struct lvs_timeouts *timeouts,
                                  struct lvs_error **err);

/**
 * Adds a sync daemon. LVS_STATUS_ALREADY_EXISTS if the table has one of that role.
 */
LVS_NODISCARD
lvs_status lvs_table_add_daemon(struct lvs_table *table,
                                const struct lvs_daemon *daemon,
                                struct lvs_error **err);

/**
 * How many services there are; 0 if `table` is NULL.
 */
size_t lvs_table_services_len(const struct lvs_table *table);

/**
 * Reads service `index`. Allocates nothing.
 */
LVS_NODISCARD
lvs_status lvs_table_service_get(const struct lvs_table *table,
                                 size_t index,
                                 struct lvs_service *service,
                                 struct lvs_error **err);

/**
 * How many destinations service `index` has; 0 if there is no such service or `table` is NULL.
 */
size_t lvs_table_destinations_len(const struct lvs_table *table, size_t index);

/**
 * Reads destination `destination_index` of service `service_index`, in the order in which they were added. Allocates
 * nothing.
 */
LVS_NODISCARD
lvs_status lvs_table_destination_get(const struct lvs_table *table,
                                     size_t service_index,
                                     size_t destination_index,
                                     struct lvs_destination *destination,
                                     struct lvs_error **err);

/**
 * Reads the timeouts that the table asks for; `present` becomes false, and `timeouts` stays as it is, if the table says
 * nothing of them.
 */
LVS_NODISCARD
lvs_status lvs_table_timeouts(const struct lvs_table *table,
                              struct lvs_timeouts *timeouts,
                              bool *present,
                              struct lvs_error **err);

/**
 * How many sync daemons the table asks for; 0 if `table` is NULL.
 */
size_t lvs_table_daemons_len(const struct lvs_table *table);

/**
 * Reads sync daemon `index`.
 */
LVS_NODISCARD
lvs_status lvs_table_daemon_get(const struct lvs_table *table,
                                size_t index,
                                struct lvs_daemon *daemon,
                                struct lvs_error **err);

/**
 * Sorts services and destinations by their keys, so that equal tables compare equal: a director reports them in an
 * order of its own.
 */
void lvs_table_sort(struct lvs_table *table);

/**
 * Whether two tables say the same, in the same order. False if one of them is NULL.
 */
bool lvs_table_equal(const struct lvs_table *a, const struct lvs_table *b);

/**
 * Makes a copy of a table.
 */
LVS_NODISCARD
lvs_status lvs_table_clone(const struct lvs_table *table,
                           struct lvs_table **copy,
                           struct lvs_error **err);

/**
 * Releases a table. NULL does nothing.
 */
void lvs_table_free(struct lvs_table *table);

/**
 * Makes an empty batch.
 */
LVS_NODISCARD lvs_status lvs_batch_new(struct lvs_batch **batch, struct lvs_error **err);

/**
 * Adds to the batch: add a virtual service. Copies what it is given, as all of these do.
 */
LVS_NODISCARD
lvs_status lvs_batch_add_service(struct lvs_batch *batch,
                                 const struct lvs_service *service,
                                 struct lvs_error **err);

/**
 * Adds to the batch: replace scheduler, flags, timeout, netmask and engine of a service.
 */
LVS_NODISCARD
lvs_status lvs_batch_update_service(struct lvs_batch *batch,
                                    const struct lvs_service *service,
                                    struct lvs_error **err);

/**
 * Adds to the batch: remove a service and its destinations.
 */
LVS_NODISCARD
lvs_status lvs_batch_remove_service(struct lvs_batch *batch,
                                    const struct lvs_service_key *key,
                                    struct lvs_error **err);

/**
 * Adds to the batch: add a destination to a service.
 */
LVS_NODISCARD
lvs_status lvs_batch_add_destination(struct lvs_batch *batch,
                                     const struct lvs_service_key *key,
                                     const struct lvs_destination *destination,
                                     struct lvs_error **err);

/**
 * Adds to the batch: replace everything of a destination but its key.
 */
LVS_NODISCARD
lvs_status lvs_batch_update_destination(struct lvs_batch *batch,
                                        const struct lvs_service_key *key,
                                        const struct lvs_destination *destination,
                                        struct lvs_error **err);

/**
 * Adds to the batch: remove a destination from a service.
 */
LVS_NODISCARD
lvs_status lvs_batch_remove_destination(struct lvs_batch *batch,
                                        const struct lvs_service_key *key,
                                        const struct lvs_destination_key *destination,
                                        struct lvs_error **err);

/**
 * Adds to the batch: set timeouts; 0 leaves one as it is.
 */
LVS_NODISCARD
lvs_status lvs_batch_set_timeouts(struct lvs_batch *batch,
                                  const struct lvs_timeouts *timeouts,
                                  struct lvs_error **err);

/**
 * Adds to the batch: start a sync daemon.
 */
LVS_NODISCARD
lvs_status lvs_batch_start_daemon(struct lvs_batch *batch,
                                  const struct lvs_daemon *daemon,
                                  struct lvs_error **err);

/**
 * Adds to the batch: stop a sync daemon; `role` is one of enum lvs_role.
 */
LVS_NODISCARD
lvs_status lvs_batch_stop_daemon(struct lvs_batch *batch,
                                 uint32_t role,
                                 struct lvs_error **err);

/**
 * Adds to the batch: zero the counters of a service and its destinations, or all counters if `key` is NULL.
 */
LVS_NODISCARD
lvs_status lvs_batch_zero(struct lvs_batch *batch,
                          const struct lvs_service_key *key,
                          struct lvs_error **err);

/**
 * Adds to the batch: remove all services.
 */
LVS_NODISCARD lvs_status lvs_batch_flush(struct lvs_batch *batch, struct lvs_error **err);

/**
 * How many operations the batch holds; 0 if `batch` is NULL.
 */
size_t lvs_batch_len(const struct lvs_batch *batch);

/**
 * Empties the batch and keeps its memory. NULL does nothing.
 */
void lvs_batch_clear(struct lvs_batch *batch);

/**
 * Releases a batch. NULL does nothing.
 */
void lvs_batch_free(struct lvs_batch *batch);

/**
 * How many operations the director has answered, from the first on; 0 if `report` is NULL.
 *
 * Operations before this number took effect unless they are among the failures, which changed nothing. Operations
 * from it on were not sent, unless lvs_report_interrupted() says that the way to the director broke: then those
 * before lvs_report_sent() may or may not have taken effect.
 */
size_t lvs_report_answered(const struct lvs_report *report);

/**
 * How many operations were sent; 0 if `report` is NULL.
 */
size_t lvs_report_sent(const struct lvs_report *report);

/**
 * How many operations took effect for certain; 0 if `report` is NULL.
 */
size_t lvs_report_applied(const struct lvs_report *report);

/**
 * Whether every operation of the batch took effect. False if `report` is NULL.
 */
bool lvs_report_is_complete(const struct lvs_report *report);

/**
 * How many operations were refused; 0 if `report` is NULL.
 */
size_t lvs_report_failures_len(const struct lvs_report *report);

/**
 * Reads refusal `index`, in the order of the batch: `operation` becomes the operation's place in the batch, from 0, and
 * `why` an error that belongs to the report: do not release it. Each may be NULL if it is not wanted.
 */
LVS_NODISCARD
lvs_status lvs_report_failure_get(const struct lvs_report *report,
                                  size_t index,
                                  size_t *operation,
                                  const struct lvs_error **why,
                                  struct lvs_error **err);

/**
 * What broke the way to the director, or NULL if nothing did. It belongs to the report: do not release it.
 */
const struct lvs_error *lvs_report_interrupted(const struct lvs_report *report);

/**
 * Releases a report. NULL does nothing.
 */
void lvs_report_free(struct lvs_report *report);

/**
 * Reads version and size of the connection table. A kernel without IPVS says so here.
 */
LVS_NODISCARD
lvs_status lvs_director_info(const struct lvs_director *director,
                             struct lvs_info *info,
                             struct lvs_error **err);

/**
 * Reads all services, without their destinations. Release `services` with lvs_service_list_free().
 */
LVS_NODISCARD
lvs_status lvs_director_services(const struct lvs_director *director,
                                 struct lvs_service_list **services,
                                 struct lvs_error **err);

/**
 * Reads one service. Each of `service` and `state` may be NULL if it is not wanted.
 */
LVS_NODISCARD
lvs_status lvs_director_service(const struct lvs_director *director,
                                const struct lvs_service_key *key,
                                struct lvs_service *service,
                                struct lvs_service_state *state,
                                struct lvs_error **err);

/**
 * Reads the destinations of a service, the one added last first. A service that is not there is an error. Release
 * `destinations` with lvs_destination_list_free().
 */
LVS_NODISCARD
lvs_status lvs_director_destinations(const struct lvs_director *director,
                                     const struct lvs_service_key *key,
                                     struct lvs_destination_list **destinations,
                                     struct lvs_error **err);

/**
 * Reads everything in one call: services, destinations, statistics, timeouts, daemons. Release `snapshot` with
 * lvs_snapshot_free().
 */
LVS_NODISCARD
lvs_status lvs_director_snapshot(const struct lvs_director *director,
                                 struct lvs_snapshot **snapshot,
                                 struct lvs_error **err);

/**
 * Reads the timeouts.
 */
LVS_NODISCARD
lvs_status lvs_director_timeouts(const struct lvs_director *director,
                                 struct lvs_timeouts *timeouts,
                                 struct lvs_error **err);

/**
 * Reads the running sync daemons, the master first, into `daemons`, an array of `capacity` records that each state
 * their size, and writes how many run to `count`. There are never more than 2.
 */
LVS_NODISCARD
lvs_status lvs_director_daemons(const struct lvs_director *director,
                                struct lvs_daemon *daemons,
                                size_t capacity,
                                size_t *count,
                                struct lvs_error **err);

/**
 * Adds a virtual service.
 */
LVS_NODISCARD
lvs_status lvs_director_add_service(const struct lvs_director *director,
                                    const struct lvs_service *service,
                                    struct lvs_error **err);

/**
 * Replaces scheduler, flags, timeout, netmask and engine of a service.
 */
LVS_NODISCARD
lvs_status lvs_director_update_service(const struct lvs_director *director,
                                       const struct lvs_service *service,
                                       struct lvs_error **err);

/**
 * Removes a service and its destinations.
 */
LVS_NODISCARD
lvs_status lvs_director_remove_service(const struct lvs_director *director,
                                       const struct lvs_service_key *key,
                                       struct lvs_error **err);

/**
 * Adds a destination to a service.
 */
LVS_NODISCARD
lvs_status lvs_director_add_destination(const struct lvs_director *director,
                                        const struct lvs_service_key *key,
                                        const struct lvs_destination *destination,
                                        struct lvs_error **err);

/**
 * Replaces everything of a destination but its key.
 */
LVS_NODISCARD
lvs_status lvs_director_update_destination(const struct lvs_director *director,
                                           const struct lvs_service_key *key,
                                           const struct lvs_destination *destination,
                                           struct lvs_error **err);

/**
 * Removes a destination from a service.
 */
LVS_NODISCARD
lvs_status lvs_director_remove_destination(const struct lvs_director *director,
                                           const struct lvs_service_key *key,
                                           const struct lvs_destination_key *destination,
                                           struct lvs_error **err);

/**
 * Sets timeouts; 0 leaves one as it is.
 */
LVS_NODISCARD
lvs_status lvs_director_set_timeouts(const struct lvs_director *director,
                                     const struct lvs_timeouts *timeouts,
                                     struct lvs_error **err);

/**
 * Starts a sync daemon.
 */
LVS_NODISCARD
lvs_status lvs_director_start_daemon(const struct lvs_director *director,
                                     const struct lvs_daemon *daemon,
                                     struct lvs_error **err);

/**
 * Stops a sync daemon; `role` is one of enum lvs_role.
 */
LVS_NODISCARD
lvs_status lvs_director_stop_daemon(const struct lvs_director *director,
                                    uint32_t role,
                                    struct lvs_error **err);

/**
 * Zeroes the counters of a service and its destinations, or all counters if `key` is NULL.
 */
LVS_NODISCARD
lvs_status lvs_director_zero(const struct lvs_director *director,
                             const struct lvs_service_key *key,
                             struct lvs_error **err);

/**
 * Removes all services.
 */
LVS_NODISCARD
lvs_status lvs_director_flush(const struct lvs_director *director,
                              struct lvs_error **err);

/**
 * Carries out a batch in order; `on_refusal` is one of enum lvs_on_refusal. The batch stays as it is.
 *
 * Returns LVS_STATUS_OK if every operation took effect, else the status of the first thing that went wrong. `report`
 * may be NULL; otherwise it is written whenever the batch was begun, which is whenever the arguments were valid, even if the
 * call fails: set it to NULL before. Release it with lvs_report_free().
 */
LVS_NODISCARD
lvs_status lvs_director_apply(const struct lvs_director *director,
                              const struct lvs_batch *batch,
                              uint32_t on_refusal,
                              struct lvs_report **report,
                              struct lvs_error **err);

/**
 * Closes a director. The embedded one forgets its table, the kernel keeps its own. NULL does nothing.
 */
void lvs_director_free(struct lvs_director *director);

/**
 * Makes an embedded director: the exact twin of IPVS in the kernel, in this process. It needs no privileges, starts no
 * thread and looks at no clock: time stands still until lvs_director_advance() moves it. `options` may be NULL.
 */
LVS_NODISCARD
lvs_status lvs_director_open_embedded(const struct lvs_embedded_options *options,
                                      struct lvs_director **director,
                                      struct lvs_error **err);

/**
 * Whether this is an embedded director. False if `director` is NULL.
 */
bool lvs_director_is_embedded(const struct lvs_director *director);

/**
 * Moves the embedded director's clock on by `nanoseconds` and does all that falls due on the way, in its order.
 * LVS_STATUS_UNSUPPORTED for the kernel, whose clock moves by itself.
 */
LVS_NODISCARD
lvs_status lvs_director_advance(const struct lvs_director *director,
                                uint64_t nanoseconds,
                                struct lvs_error **err);

/**
 * Reads the embedded director's clock: nanoseconds since it was made. LVS_STATUS_UNSUPPORTED for the kernel.
 */
LVS_NODISCARD
lvs_status lvs_director_now(const struct lvs_director *director,
                            uint64_t *nanoseconds,
                            struct lvs_error **err);

/**
 * Reads the sums and rates of the whole embedded director, as in /proc/net/ip_vs_stats. LVS_STATUS_UNSUPPORTED for the
 * kernel.
 */
LVS_NODISCARD
lvs_status lvs_director_totals(const struct lvs_director *director,
                               struct lvs_stats *totals,
                               struct lvs_error **err);

/**
 * Reads the embedded director's sysctls. LVS_STATUS_UNSUPPORTED for the kernel.
 */
LVS_NODISCARD
lvs_status lvs_director_settings(const struct lvs_director *director,
                                 struct lvs_settings *settings,
                                 struct lvs_error **err);

/**
 * Changes the embedded director's sysctls. LVS_STATUS_UNSUPPORTED for the kernel.
 */
LVS_NODISCARD
lvs_status lvs_director_set_settings(const struct lvs_director *director,
                                     const struct lvs_settings *settings,
                                     struct lvs_error **err);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/*
 * Initialisers of the records. What later releases add is 0, and 0 then means: as before.
 */
#define LVS_ADDRESS_INIT_ {0, 0, {0}}
#define LVS_SERVICE_KEY_INIT_ {LVS_ADDRESS_INIT_, 0, 0, 0, 0}
#define LVS_DESTINATION_KEY_INIT_ {LVS_ADDRESS_INIT_, 0, 0}
#define LVS_SUMS_INIT_ {0, 0, 0, 0, 0}
#define LVS_STATS_INIT_ {LVS_SUMS_INIT_, LVS_SUMS_INIT_}

#define LVS_SERVICE_INIT \
  {(uint32_t)sizeof(lvs_service), 0, LVS_SERVICE_KEY_INIT_, 0, LVS_NETMASK_FULL, "wlc", ""}
#define LVS_SERVICE_STATE_INIT \
  {(uint32_t)sizeof(lvs_service_state), 0, LVS_STATS_INIT_, LVS_STATS_INIT_}
#define LVS_DESTINATION_INIT \
  {(uint32_t)sizeof(lvs_destination), LVS_FORWARDING_DIRECT, LVS_DESTINATION_KEY_INIT_, 1, 0, 0, \
   LVS_TUNNEL_IPIP, 0, 0}
#define LVS_DESTINATION_STATE_INIT \
  {(uint32_t)sizeof(lvs_destination_state), 0, 0, 0, 0, 0, LVS_STATS_INIT_, LVS_STATS_INIT_}
#define LVS_TIMEOUTS_INIT {(uint32_t)sizeof(lvs_timeouts), 0, 0, 0}
#define LVS_DAEMON_INIT \
  {(uint32_t)sizeof(lvs_daemon), LVS_ROLE_MASTER, 0, 0, 0, "", LVS_ADDRESS_INIT_, 0, {0, 0, 0}}
#define LVS_INFO_INIT {(uint32_t)sizeof(lvs_info), 0, 0, 0, 0}
#define LVS_EMBEDDED_OPTIONS_INIT \
  {(uint32_t)sizeof(lvs_embedded_options), LVS_PROFILE_NEW, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0}
#define LVS_SETTINGS_INIT \
  {(uint32_t)sizeof(lvs_settings), 0, 0, 1, 0, 0, 0, 0, 0, 10, 1, 0, 1024, 86400, 86400}

#endif /* LVS_H */
