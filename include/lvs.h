/*
 * liblvs: the Linux Virtual Server (IPVS) as a library.
 *
 * Licensed under MIT or Apache-2.0, at your option. Generated from lvs-ffi by `cargo xtask generate`: do not edit.
 *
 * Quick start: add a virtual service to an embedded director, or with CAP_NET_ADMIN to the kernel.
 *
 *     lvs_error *err = NULL;
 *     lvs_director *director = NULL;
 *     lvs_service service = LVS_SERVICE_INIT;
 *
 *     if (lvs_director_open_embedded(NULL, &director, &err) != LVS_STATUS_OK || // or lvs_director_open_kernel
 *         lvs_service_key_parse("tcp://192.0.2.1:80", &service.key, &err) != LVS_STATUS_OK ||
 *         lvs_director_add_service(director, &service, &err) != LVS_STATUS_OK)
 *         fprintf(stderr, "%s\n", lvs_error_message(err));
 *     lvs_director_free(director);
 *     lvs_error_free(err);
 *
 * Rules that hold for every function:
 *
 * Status. A function that can fail returns an lvs_status; LVS_STATUS_OK is 0. Its last parameter is the
 * address of an lvs_error *, or NULL to ignore the details. That variable holds NULL or an earlier error:
 * set it to NULL once. A call that fails frees an earlier error in it and stores the new one; a call that
 * succeeds leaves it alone. Outputs are written only on success, unless the function says otherwise.
 *
 * Handles are opaque. The creator of a handle owns it and must free it with its _free function, once;
 * freeing NULL does nothing. Unless stated otherwise, a handle is used by one thread at a time and may move
 * between threads. No handle needs another one to be alive.
 *
 * Records are plain structs that belong to the caller. Initialise those that begin with struct_size with
 * their LVS_..._INIT before the library reads or writes them; later releases may add fields at their end.
 * The others never change.
 *
 * Pointers. A const pointer is only read, and nothing that it points to is kept after the call. NULL where it
 * is not allowed gives LVS_STATUS_INVALID_INPUT (or 0, false, an empty string from functions that cannot
 * fail), as do unknown enumerators, text that is not UTF-8 and reserved fields that are not 0. A pointer that
 * a function returns belongs to the handle that it was read from, and is valid until that handle is changed
 * or freed.
 *
 * Visitors are callbacks. They must return: no longjmp, no C++ exception. A visitor must not use the director
 * that is calling it; such a call gives LVS_STATUS_BUSY.
 *
 * Process. The library starts no thread (except during a call that opens another network namespace), installs
 * no signal handler, holds no global state and writes to no stream (except one line on stderr for an internal
 * error, LVS_STATUS_PANIC). Sockets have FD_CLOEXEC set. After fork(), use a director in only one of the two
 * processes.
 *
 * Memory. What grows with a table or with the connections fails with LVS_STATUS_NO_MEMORY, changes nothing and leaves
 * every handle as it was: reading a director, tables, batches, rules, plans, and making a handle. Where there is
 * no memory for less than that, as for the words of an error, and in the functions that say so, the process ends
 * by abort(), as it does everywhere in Rust's standard library.
 *
 * Compatibility. A program runs with any later release that has the same soname. Such a release may add fields
 * at the end of records, functions and enumerators; nothing is removed, renumbered or changed in meaning.
 * Before 1.0 the soname holds the minor version.
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

/*
 * An enumeration, 32 bits wide in every language. C before C23 cannot give an enumeration a width: its name is that of an
 * integer there, and values that a later release adds need no care.
 */
#if defined(__cplusplus)
#define LVS_ENUM(name) enum name : uint32_t
#elif defined(__STDC_VERSION__) && __STDC_VERSION__ >= 202311L
#define LVS_ENUM(name) enum name : uint32_t; typedef enum name name; enum name : uint32_t
#else
#define LVS_ENUM(name) typedef uint32_t name; enum
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the loaded library ------------------------------------------------------------------- */

/**
 * The version of the library that is loaded, such as "0.1.0"; LVS_VERSION is that of the header.
 * The string is static. Any thread.
 */
const char *lvs_version(void);

/**
 * The version of the library that is loaded as a number to compare with LVS_VERSION_NUMBER: major * 1000000 +
 * minor * 1000 + patch. Any thread.
 */
uint32_t lvs_version_number(void);

/* Status codes ------------------------------------------------------------------------------------ */

/**
 * What came of a call. Numbers are never reused, and a later release may add some: treat an
 * unknown one as a failure.
 */
LVS_ENUM(lvs_status) {
  /**
   * It worked.
   */
  LVS_STATUS_OK = 0,
  /**
   * The value cannot be said to any director, or a pointer, size or enumerator is wrong.
   */
  LVS_STATUS_INVALID_INPUT = 1,
  /**
   * Rules text that does not parse; lvs_error_diagnostics_len() says how many errors there are.
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
   * The kernel, the transport or the director lacks IPVS, a scheduler, an address family, a
   * function.
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
   * A fault of this library: it was caught, and a director that was in a call then refuses
   * further calls.
   */
  LVS_STATUS_PANIC = 10,
  /**
   * The director is in a call of this very thread, that is, this is a call from inside a
   * visitor.
   */
  LVS_STATUS_BUSY = 11,
  /**
   * There is not enough memory for that many entries; the handles are as they were.
   */
  LVS_STATUS_NO_MEMORY = 12,
};

/**
 * The name of a status, such as "not found". Never NULL: an unknown number gives "unknown status".
 * The string is static. Any thread.
 */
const char *lvs_status_name(uint32_t status);

/* Errors ------------------------------------------------------------------------------------------ */

/**
 * Why a call failed: a status, an errno where one stands behind it, and a message for people.
 *
 * Made by the call that fails, released by lvs_error_free(). It never changes: any number of
 * threads may read it.
 */
typedef struct lvs_error lvs_error;

/**
 * One error in a text. Initialise it with LVS_DIAGNOSTIC_INIT. Its strings live as long as the
 * error.
 */
typedef struct lvs_diagnostic {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * The line, from 1.
   */
  uint32_t line;
  /**
   * The column, from 1, in characters.
   */
  uint32_t column;
  /**
   * Reserved: always 0.
   */
  uint32_t reserved;
  /**
   * Where the place begins, in bytes from the start of the text.
   */
  size_t start;
  /**
   * Where it ends; equal to `start` where something is missing.
   */
  size_t end;
  /**
   * What is wrong, and what was expected.
   */
  const char *message;
  /**
   * The same with line, column, and the line itself with a caret below the place.
   */
  const char *shown;
} lvs_diagnostic;
#define LVS_DIAGNOSTIC_INIT {(uint32_t)sizeof(lvs_diagnostic), 0, 0, 0, 0, 0, NULL, NULL}

/**
 * What a director's refusal means, more finely than the status. Numbers are never reused; a later
 * release may add some.
 */
LVS_ENUM(lvs_cause) {
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
  /**
   * The list changed each time it was read; asking again may help.
   */
  LVS_CAUSE_CHANGING = 18,
};

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_diagnostic_init(struct lvs_diagnostic *diagnostic,
                               uint32_t struct_size,
                               struct lvs_error **err);

/**
 * The name of a cause, such as "service not found". Never NULL: an unknown number gives "unknown
 * cause". The string is static. Any thread.
 */
const char *lvs_cause_name(uint32_t cause);

/**
 * The status that the failed call returned; LVS_STATUS_OK if `error` is NULL. Any thread.
 */
lvs_status lvs_error_status(const struct lvs_error *error);

/**
 * What the director's refusal means, one of enum lvs_cause. Any thread.
 */
lvs_cause lvs_error_cause(const struct lvs_error *error);

/**
 * The errno behind the failure, as Linux numbers them; 0 if there is none or `error` is NULL. The
 * embedded director answers with the kernel's numbers, too. Any thread.
 */
int32_t lvs_error_errno(const struct lvs_error *error);

/**
 * One sentence: what was attempted, on what, what went wrong. UTF-8, without a newline at the end
 * (a syntax error has several lines). Never NULL; it lives as long as `error`. Any thread.
 */
const char *lvs_error_message(const struct lvs_error *error);

/**
 * The kernel's own words (netlink's extended acknowledgement), or NULL if it sent none. They live
 * as long as `error`. Any thread.
 */
const char *lvs_error_kernel_message(const struct lvs_error *error);

/**
 * How many errors in a text are reported, with LVS_STATUS_SYNTAX; else 0. Any thread.
 */
size_t lvs_error_diagnostics_len(const struct lvs_error *error);

/**
 * Reads error `index`, in the order of the text. False, and `diagnostic` is left alone, if there
 * is none, if `error` is NULL, or if `diagnostic` is not initialised. Any thread.
 */
bool lvs_error_diagnostic_get(const struct lvs_error *error,
                              size_t index,
                              struct lvs_diagnostic *diagnostic);

/**
 * Releases an error. NULL does nothing.
 */
void lvs_error_free(struct lvs_error *error);

/* Strings that the library returns ---------------------------------------------------------------- */

/**
 * Text that the library writes: rules, listings, plans. Keep one and use it again, it keeps its
 * memory.
 *
 * Made by lvs_text_new(), released by lvs_text_free(). One thread at a time.
 */
typedef struct lvs_text lvs_text;

/**
 * Makes an empty text.
 */
LVS_NODISCARD lvs_status lvs_text_new(struct lvs_text **text, struct lvs_error **err);

/**
 * The text, UTF-8 and with a NUL byte at its end. Never NULL. It is valid until `text` is written
 * or released.
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

/* Addresses --------------------------------------------------------------------------------------- */

/**
 * IPv4: AF_INET of Linux.
 */
#define LVS_FAMILY_IPV4 2

/**
 * IPv6: AF_INET6 of Linux.
 */
#define LVS_FAMILY_IPV6 10

/**
 * A buffer of this size holds any address as text, and its NUL byte.
 */
#define LVS_ADDRESS_STRLEN 46

/**
 * An IP address. Its layout never changes.
 */
typedef struct lvs_address {
  /**
   * LVS_FAMILY_IPV4 or LVS_FAMILY_IPV6; 0 where there is no address.
   */
  uint16_t family;
  /**
   * Reserved: must be 0.
   */
  uint16_t reserved;
  /**
   * The address in network order, as in struct in_addr and struct in6_addr. IPv4 uses the first
   * four bytes, and the rest must be 0.
   */
  uint8_t bytes[16];
} lvs_address;
#define LVS_ADDRESS_INIT_ {0, 0, {0}}

/**
 * Reads an address such as "192.0.2.1" or "2001:db8::1" (no brackets, no zone, no name). Any
 * thread.
 */
LVS_NODISCARD
lvs_status lvs_address_parse(const char *text,
                             struct lvs_address *address,
                             struct lvs_error **err);

/**
 * Writes an address as text into `buffer` of `size` bytes, cut short if it does not fit, and
 * always with a NUL byte (unless `size` is 0). Returns the length of the whole text without the
 * NUL byte, or 0 if `address` is NULL or holds no address. LVS_ADDRESS_STRLEN bytes are enough.
 * Any thread.
 */
size_t lvs_address_format(const struct lvs_address *address, char *buffer, size_t size);

/* Counters and rates ------------------------------------------------------------------------------ */

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
#define LVS_COUNTERS_INIT_ {0, 0, 0, 0, 0}

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
#define LVS_STATS_INIT_ {LVS_COUNTERS_INIT_, LVS_COUNTERS_INIT_}

/* Virtual services: keys, configuration and state ------------------------------------------------- */

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
 * What identifies a virtual service: an address and port of a protocol, or a firewall mark. Its
 * layout never changes.
 */
typedef struct lvs_service_key {
  /**
   * The virtual address; for a firewall mark only its family counts.
   */
  struct lvs_address addr;
  /**
   * The port in host order; 0 stands for all ports of a persistent service, and for a firewall
   * mark.
   */
  uint16_t port;
  /**
   * LVS_PROTOCOL_TCP, _UDP, _SCTP or any other number that the kernel keeps; 0 for a firewall
   * mark.
   */
  uint16_t protocol;
  /**
   * The firewall mark, or 0 for a service at an address.
   */
  uint32_t fwmark;
  /**
   * Reserved: must be 0.
   */
  uint32_t reserved;
} lvs_service_key;
#define LVS_SERVICE_KEY_INIT_ {LVS_ADDRESS_INIT_, 0, 0, 0, 0}

/**
 * A virtual service as you configure it. Initialise it with LVS_SERVICE_INIT: scheduler wlc, no
 * flags, full netmask.
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
   * Which clients persistence counts as one. IPv4: a mask in host order, such as 0xffffff00.
   * IPv6: a prefix length, 1 to 128. LVS_NETMASK_FULL for both: every client counts by itself.
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
#define LVS_SERVICE_INIT \
  {(uint32_t)sizeof(lvs_service), 0, LVS_SERVICE_KEY_INIT_, 0, LVS_NETMASK_FULL, "wlc", ""}

/**
 * What a director reports of a service beside its configuration. Initialise it with
 * LVS_SERVICE_STATE_INIT.
 */
typedef struct lvs_service_state {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Which statistics the director reported: LVS_STATS_PRESENT, LVS_STATS32_PRESENT,
   * LVS_STATS64_PRESENT.
   */
  uint32_t present;
  /**
   * The widest statistics reported; lvs_snapshot_service_stats32() has those of 32 bits.
   */
  struct lvs_stats stats;
} lvs_service_state;
#define LVS_SERVICE_STATE_INIT \
  {(uint32_t)sizeof(lvs_service_state), 0, LVS_STATS_INIT_}

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_service_init(struct lvs_service *service,
                            uint32_t struct_size,
                            struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_service_state_init(struct lvs_service_state *state,
                                  uint32_t struct_size,
                                  struct lvs_error **err);

/**
 * Reads a key as people write it: "tcp://192.0.2.1:80", "udp://[2001:db8::1]:53",
 * "192.0.2.1:80/sctp", "192.0.2.1:80" (TCP), "fwmark:7", "fwmark:7/ipv6". Any thread.
 */
LVS_NODISCARD
lvs_status lvs_service_key_parse(const char *text,
                                 struct lvs_service_key *key,
                                 struct lvs_error **err);

/**
 * Makes the key of a service at an address given as text. `protocol` is LVS_PROTOCOL_..., `port`
 * is in host order. Any thread.
 */
LVS_NODISCARD
lvs_status lvs_service_key_endpoint(uint16_t protocol,
                                    const char *addr,
                                    uint16_t port,
                                    struct lvs_service_key *key,
                                    struct lvs_error **err);

/**
 * Makes the key of a firewall-mark service. `fwmark` is not 0; `family` is LVS_FAMILY_IPV4 or
 * LVS_FAMILY_IPV6: the two services of one mark are different ones. Any thread.
 */
LVS_NODISCARD
lvs_status lvs_service_key_fwmark(uint32_t fwmark,
                                  uint16_t family,
                                  struct lvs_service_key *key,
                                  struct lvs_error **err);

/**
 * Writes a key as text, such as "tcp://192.0.2.1:80" or "fwmark:7/ipv6", into `buffer` of `size`
 * bytes, cut short if it does not fit, and always with a NUL byte (unless `size` is 0). Returns
 * the length of the whole text without the NUL byte, or 0 if `key` is NULL or no key.
 * LVS_SERVICE_KEY_STRLEN bytes are enough. Any thread.
 */
size_t lvs_service_key_format(const struct lvs_service_key *key, char *buffer, size_t size);

/**
 * Whether two keys name the same service. False if one of them is NULL or no key. Any thread.
 */
bool lvs_service_key_equal(const struct lvs_service_key *a, const struct lvs_service_key *b);

/**
 * Compares two keys for qsort() and search trees, in the order of lvs_snapshot_sort(): less than
 * 0, 0, or more than 0 as `a` comes before `b`, is the same, or comes after it. NULL and what is
 * no key come first, and are the same. Any thread.
 */
int32_t lvs_service_key_compare(const struct lvs_service_key *a, const struct lvs_service_key *b);

/* Destinations: keys, configuration and state ----------------------------------------------------- */

/**
 * How packets reach a destination.
 */
LVS_ENUM(lvs_forwarding) {
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
   * The kernel's internal method for cache_bypass. 5, 6 and 7 have no meaning, but the kernel
   * stores them.
   */
  LVS_FORWARDING_BYPASS = 4,
};

/**
 * The encapsulation of a tunnel.
 */
LVS_ENUM(lvs_tunnel) {
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
   * Reserved: must be 0.
   */
  uint16_t reserved;
} lvs_destination_key;
#define LVS_DESTINATION_KEY_INIT_ {LVS_ADDRESS_INIT_, 0, 0}

/**
 * A destination (real server) as you configure it. Initialise it with LVS_DESTINATION_INIT: direct
 * routing, weight 1, no thresholds.
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
   * Its capacity against its neighbours'; 0 quiesces it. The kernel refuses values above
   * 2147483647.
   */
  uint32_t weight;
  /**
   * Connections at which it counts as overloaded; 0 for no limit.
   */
  uint32_t upper_threshold;
  /**
   * Connections below which it counts as usable again; 0 for three quarters of the upper
   * threshold.
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
#define LVS_DESTINATION_INIT \
  {(uint32_t)sizeof(lvs_destination), LVS_FORWARDING_DIRECT, LVS_DESTINATION_KEY_INIT_, 1, 0, 0, \
   LVS_TUNNEL_IPIP, 0, 0}

/**
 * What a director reports of a destination beside its configuration. Initialise it with
 * LVS_DESTINATION_STATE_INIT.
 */
typedef struct lvs_destination_state {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Which statistics the director reported: LVS_STATS_PRESENT, LVS_STATS32_PRESENT,
   * LVS_STATS64_PRESENT.
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
   * Reserved: always 0.
   */
  uint32_t reserved;
  /**
   * The widest statistics reported; lvs_snapshot_destination_stats32() has those of 32 bits.
   */
  struct lvs_stats stats;
} lvs_destination_state;
#define LVS_DESTINATION_STATE_INIT \
  {(uint32_t)sizeof(lvs_destination_state), 0, 0, 0, 0, 0, LVS_STATS_INIT_}

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_destination_init(struct lvs_destination *destination,
                                uint32_t struct_size,
                                struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_destination_state_init(struct lvs_destination_state *state,
                                      uint32_t struct_size,
                                      struct lvs_error **err);

/**
 * Reads a key such as "198.51.100.7:80" or "[2001:db8::7]:80"; an address without a port has port 0. Any thread.
 */
LVS_NODISCARD
lvs_status lvs_destination_key_parse(const char *text,
                                     struct lvs_destination_key *key,
                                     struct lvs_error **err);

/**
 * Writes a key as text, such as "198.51.100.7:80" or "[2001:db8::7]:80", into `buffer` of `size`
 * bytes, cut short if it does not fit, and always with a NUL byte (unless `size` is 0). Returns
 * the length of the whole text without the NUL byte, or 0 if `key` is NULL or no key.
 * LVS_DESTINATION_KEY_STRLEN bytes are enough. Any thread.
 */
size_t lvs_destination_key_format(const struct lvs_destination_key *key, char *buffer, size_t size);

/**
 * Whether two keys name the same destination of a service. False if one of them is NULL or no key.
 * Any thread.
 */
bool lvs_destination_key_equal(const struct lvs_destination_key *a,
                               const struct lvs_destination_key *b);

/**
 * Compares two keys for qsort() and search trees, in the order of lvs_snapshot_sort(): less than
 * 0, 0, or more than 0 as `a` comes before `b`, is the same, or comes after it. NULL and what is
 * no key come first, and are the same. Any thread.
 */
int32_t lvs_destination_key_compare(const struct lvs_destination_key *a,
                                    const struct lvs_destination_key *b);

/**
 * The name of a forwarding method as `ipvsadm -L` prints it: "Masq", "Local", "Tunnel", "Route";
 * "Masq" for numbers without a meaning, as the kernel has it. The string is static. Any thread.
 */
const char *lvs_forwarding_name(uint32_t forwarding);

/* Connection timeouts ----------------------------------------------------------------------------- */

/**
 * The three connection timeouts that can be set, in seconds. Initialise it with LVS_TIMEOUTS_INIT:
 * all 0, which leaves all as they are. The kernel takes up to 8589934.
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
#define LVS_TIMEOUTS_INIT {(uint32_t)sizeof(lvs_timeouts), 0, 0, 0}

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_timeouts_init(struct lvs_timeouts *timeouts,
                             uint32_t struct_size,
                             struct lvs_error **err);

/* Sync daemons ------------------------------------------------------------------------------------ */

/**
 * The part a sync daemon plays. A director can run one of each.
 */
LVS_ENUM(lvs_role) {
  /**
   * Sends the connections.
   */
  LVS_ROLE_MASTER = 1,
  /**
   * Receives them.
   */
  LVS_ROLE_BACKUP = 2,
};

/**
 * A connection synchronisation daemon. Initialise it with LVS_DAEMON_INIT: a master with the
 * kernel's defaults, which still needs an interface.
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
   * Reserved: must be 0.
   */
  uint8_t reserved[3];
} lvs_daemon;
#define LVS_DAEMON_INIT \
  {(uint32_t)sizeof(lvs_daemon), LVS_ROLE_MASTER, 0, 0, 0, "", LVS_ADDRESS_INIT_, 0, {0, 0, 0}}

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_daemon_init(struct lvs_daemon *daemon,
                           uint32_t struct_size,
                           struct lvs_error **err);

/* What a director reports of itself --------------------------------------------------------------- */

/**
 * What a director says of itself. Initialise it with LVS_INFO_INIT.
 */
typedef struct lvs_info {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * The version of IPVS: the major number. The kernel has said 1.2.1 for years, whatever its own
   * release.
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
#define LVS_INFO_INIT {(uint32_t)sizeof(lvs_info), 0, 0, 0, 0}

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_info_init(struct lvs_info *info,
                         uint32_t struct_size,
                         struct lvs_error **err);

/* Lists of services and destinations -------------------------------------------------------------- */

/**
 * Services as a director reported them, without their destinations.
 *
 * Made by lvs_director_services(), released by lvs_service_list_free(). It never changes: any
 * number of threads may read it, and it may outlive its director.
 */
typedef struct lvs_service_list lvs_service_list;

/**
 * Destinations of one service as a director reported them: the one added last comes first.
 *
 * Made by lvs_director_destinations(), released by lvs_destination_list_free(). It never changes:
 * any number of threads may read it, and it may outlive its director.
 */
typedef struct lvs_destination_list lvs_destination_list;

/**
 * How many services there are; 0 if `list` is NULL.
 */
size_t lvs_service_list_len(const struct lvs_service_list *list);

/**
 * Reads service `index`. Each of `service` and `state` may be NULL if it is not wanted. Allocates
 * nothing.
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
 * Reads destination `index`. Each of `destination` and `state` may be NULL if it is not wanted.
 * Allocates nothing.
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

/* Snapshots: everything that a director held at one moment ---------------------------------------- */

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
 * Nothing of IPv4 is missing; see lvs_snapshot_complete().
 */
#define LVS_COMPLETE_IPV4 1

/**
 * Nothing of IPv6 is missing.
 */
#define LVS_COMPLETE_IPV6 2

/**
 * All that a director held at one moment: services with their destinations and statistics,
 * timeouts, daemons.
 *
 * Made by lvs_director_snapshot(), released by lvs_snapshot_free(). Any number of threads may read
 * it while nobody sorts it, and it may outlive its director.
 */
typedef struct lvs_snapshot lvs_snapshot;

/**
 * How many services there are; 0 if `snapshot` is NULL.
 */
size_t lvs_snapshot_services_len(const struct lvs_snapshot *snapshot);

/**
 * Reads service `index`. Each of `service` and `state` may be NULL if it is not wanted. Allocates
 * nothing.
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
 * Reads destination `destination_index` of service `service_index`; the one added last comes
 * first. Each of `destination` and `state` may be NULL if it is not wanted. Allocates nothing.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_destination_get(const struct lvs_snapshot *snapshot,
                                        size_t service_index,
                                        size_t destination_index,
                                        struct lvs_destination *destination,
                                        struct lvs_destination_state *state,
                                        struct lvs_error **err);

/**
 * Reads what the director reported of service `index` in 32 bits (bytes in 64), as old tools show
 * it; all 0 if it reported none.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_service_stats32(const struct lvs_snapshot *snapshot,
                                        size_t index,
                                        struct lvs_stats *stats,
                                        struct lvs_error **err);

/**
 * Reads what the director reported of a destination in 32 bits (bytes in 64), as old tools show
 * it; all 0 if it reported none.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_destination_stats32(const struct lvs_snapshot *snapshot,
                                            size_t service_index,
                                            size_t destination_index,
                                            struct lvs_stats *stats,
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
 * What the snapshot could see, as LVS_COVERAGE_... bits. A bit that is clear means: not looked at,
 * not: not there.
 */
uint32_t lvs_snapshot_coverage(const struct lvs_snapshot *snapshot);

/**
 * Of which families the snapshot is known to hold everything, as LVS_COMPLETE_... bits. Nothing
 * may be concluded from the absence of a service or destination of another family: the kernel's
 * list changed each time it was read. 0 if `snapshot` is NULL.
 */
uint32_t lvs_snapshot_complete(const struct lvs_snapshot *snapshot);

/**
 * Sorts services and destinations by their keys. The director's own order means nothing in the
 * kernel. Nobody else may read the snapshot meanwhile.
 */
void lvs_snapshot_sort(struct lvs_snapshot *snapshot);

typedef struct lvs_table lvs_table;

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

/* Tables: configurations to be put in force ------------------------------------------------------- */

/**
 * A whole configuration: what a rules file says, what a director is to hold. It belongs to no
 * director.
 *
 * Made by lvs_table_new() and others, released by lvs_table_free(). Any number of threads may read
 * it while nobody changes it.
 */

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
 * Adds a destination at the end of a service's. LVS_STATUS_NOT_FOUND if the table has no such
 * service, LVS_STATUS_ALREADY_EXISTS if the service has that destination.
 */
LVS_NODISCARD
lvs_status lvs_table_add_destination(struct lvs_table *table,
                                     const struct lvs_service_key *key,
                                     const struct lvs_destination *destination,
                                     struct lvs_error **err);

/**
 * Finds the service of a key and writes its index. LVS_STATUS_NOT_FOUND if the table has none.
 */
LVS_NODISCARD
lvs_status lvs_table_find(const struct lvs_table *table,
                          const struct lvs_service_key *key,
                          size_t *index,
                          struct lvs_error **err);

/**
 * Replaces everything of a service but its key; its place and its destinations stay.
 * LVS_STATUS_NOT_FOUND if the table has none of that key.
 */
LVS_NODISCARD
lvs_status lvs_table_update_service(struct lvs_table *table,
                                    const struct lvs_service *service,
                                    struct lvs_error **err);

/**
 * Removes a service and its destinations; those behind it move up. LVS_STATUS_NOT_FOUND if the
 * table has none of that key.
 */
LVS_NODISCARD
lvs_status lvs_table_remove_service(struct lvs_table *table,
                                    const struct lvs_service_key *key,
                                    struct lvs_error **err);

/**
 * Replaces everything of a destination but its key. LVS_STATUS_NOT_FOUND if the table has no such
 * service, or the service no such destination.
 */
LVS_NODISCARD
lvs_status lvs_table_update_destination(struct lvs_table *table,
                                        const struct lvs_service_key *key,
                                        const struct lvs_destination *destination,
                                        struct lvs_error **err);

/**
 * Removes a destination of a service; those behind it move up. LVS_STATUS_NOT_FOUND as in
 * lvs_table_update_destination().
 */
LVS_NODISCARD
lvs_status lvs_table_remove_destination(struct lvs_table *table,
                                        const struct lvs_service_key *key,
                                        const struct lvs_destination_key *destination,
                                        struct lvs_error **err);

/**
 * Removes the sync daemon of a role, one of enum lvs_role. LVS_STATUS_NOT_FOUND if the table has
 * none.
 */
LVS_NODISCARD
lvs_status lvs_table_remove_daemon(struct lvs_table *table,
                                   uint32_t role,
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

typedef struct lvs_scope lvs_scope;

/**
 * Makes a table of what of another is in a scope (everything if it is NULL): what a plan within
 * that scope may want.
 */
LVS_NODISCARD
lvs_status lvs_table_restricted_to(const struct lvs_table *table,
                                   const struct lvs_scope *scope,
                                   struct lvs_table **restricted,
                                   struct lvs_error **err);

/**
 * Writes what in the table cannot work, refused by the kernel or taken by it without effect: a
 * line each, with the way out; nothing if all is well. Ends the process if there is no memory for
 * it.
 */
LVS_NODISCARD
lvs_status lvs_table_lint(const struct lvs_table *table,
                          struct lvs_text *text,
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
 * Reads destination `destination_index` of service `service_index`, in the order in which they
 * were added. Allocates nothing.
 */
LVS_NODISCARD
lvs_status lvs_table_destination_get(const struct lvs_table *table,
                                     size_t service_index,
                                     size_t destination_index,
                                     struct lvs_destination *destination,
                                     struct lvs_error **err);

/**
 * Reads the timeouts that the table asks for; `present` becomes false, and `timeouts` stays as it
 * is, if the table says nothing of them.
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
 * Sorts services and destinations by their keys, so that equal tables compare equal: a director
 * reports them in an order of its own.
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

/* Batches: many operations at once, and their outcome --------------------------------------------- */

/**
 * What a batch does when the director refuses one of its operations.
 */
LVS_ENUM(lvs_on_refusal) {
  /**
   * It goes on with the rest. The fastest way: requests travel many to a system call.
   */
  LVS_ON_REFUSAL_CONTINUE = 0,
  /**
   * It does nothing after the first refusal. Exact, and therefore one round trip an operation.
   */
  LVS_ON_REFUSAL_STOP = 1,
};

/**
 * Changes of a table, collected to be carried out in order with few system calls by
 * lvs_director_apply().
 *
 * Made by lvs_batch_new(), released by lvs_batch_free(). One thread at a time.
 */
typedef struct lvs_batch lvs_batch;

/**
 * What came of a batch: enough to know the table that is now in force.
 *
 * Made by lvs_director_apply(), released by lvs_report_free(). It never changes: any number of
 * threads may read it.
 */
typedef struct lvs_report lvs_report;

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
 * Adds to the batch: zero the counters of a service and its destinations, or all counters if `key`
 * is NULL.
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
 * Operations before this number took effect unless they were refused: those changed nothing. Operations from it on
 * were not sent, unless lvs_report_interrupted() says that the way to the director broke: then those before
 * lvs_report_sent() may or may not have taken effect.
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
size_t lvs_report_refused_len(const struct lvs_report *report);

/**
 * Reads refusal `index`, in the order of the batch: `operation` becomes the operation's place in
 * the batch, from 0, and `why` an error that belongs to the report: do not release it. Each may be
 * NULL if it is not wanted.
 */
LVS_NODISCARD
lvs_status lvs_report_refused_get(const struct lvs_report *report,
                                  size_t index,
                                  size_t *operation,
                                  const struct lvs_error **why,
                                  struct lvs_error **err);

/**
 * What broke the way to the director, or NULL if nothing did. It belongs to the report: do not
 * release it.
 */
const struct lvs_error *lvs_report_interrupted(const struct lvs_report *report);

/**
 * Releases a report. NULL does nothing.
 */
void lvs_report_free(struct lvs_report *report);

/* Directors: what the kernel director and the embedded director have in common -------------------- */

/**
 * A holder of an IPVS table: the running kernel, or an embedded director in this process. Both
 * answer the same calls with the same errors.
 *
 * Made by lvs_director_open_kernel() or lvs_director_open_embedded(), released by
 * lvs_director_free(). Any number of threads may use one director: their calls take turns. What is
 * under way on a director is not waited for by lvs_director_free(): nobody may be in a call when
 * it is released.
 */
typedef struct lvs_director lvs_director;

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
 * Reads the destinations of a service, the one added last first. A service that is not there is an
 * error. Release `destinations` with lvs_destination_list_free().
 */
LVS_NODISCARD
lvs_status lvs_director_destinations(const struct lvs_director *director,
                                     const struct lvs_service_key *key,
                                     struct lvs_destination_list **destinations,
                                     struct lvs_error **err);

/**
 * Reads one destination of a service. Each of `destination` and `state` may be NULL if it is not
 * wanted. The director has to list the service's destinations for it: for several,
 * lvs_director_destinations() costs no more. LVS_STATUS_NOT_FOUND, with
 * LVS_CAUSE_SERVICE_NOT_FOUND if it is the service that is missing.
 */
LVS_NODISCARD
lvs_status lvs_director_destination(const struct lvs_director *director,
                                    const struct lvs_service_key *service,
                                    const struct lvs_destination_key *key,
                                    struct lvs_destination *destination,
                                    struct lvs_destination_state *state,
                                    struct lvs_error **err);

/**
 * Reads everything in one call: services, destinations, statistics, timeouts, daemons. Release
 * `snapshot` with lvs_snapshot_free().
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
 * Reads the running sync daemons, the master first, into `daemons`, an array of `capacity` records
 * that each state their size, and writes how many run to `count`. There are never more than 2.
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
 * Carries out a batch in order; `on_refusal` is one of enum lvs_on_refusal. The batch stays as it
 * is.
 *
 * Returns LVS_STATUS_OK if every operation took effect, else the status of the first thing that
 * went wrong. `report` may be NULL; otherwise it is written whenever the batch was begun, which is
 * whenever the arguments were valid, even if the call fails: set it to NULL before. Release it
 * with lvs_report_free().
 */
LVS_NODISCARD
lvs_status lvs_director_apply(const struct lvs_director *director,
                              const struct lvs_batch *batch,
                              uint32_t on_refusal,
                              struct lvs_report **report,
                              struct lvs_error **err);

/**
 * Closes a director. The embedded one forgets its table, the kernel keeps its own. NULL does
 * nothing.
 */
void lvs_director_free(struct lvs_director *director);

/* The kernel director ----------------------------------------------------------------------------- */

/**
 * Which of the kernel's two interfaces to use.
 */
LVS_ENUM(lvs_transport) {
  /**
   * Generic netlink: everything, for those with CAP_NET_ADMIN in the initial user namespace.
   */
  LVS_TRANSPORT_NETLINK = 0,
  /**
   * The old socket options: IPv4 alone, no tunnels, no engines, no 64-bit counts. They work for
   * the root of a user namespace, too, and read a table at a fraction of netlink's cost.
   */
  LVS_TRANSPORT_SOCKET_OPTIONS = 1,
  /**
   * Netlink, or the socket options where netlink is not permitted.
   */
  LVS_TRANSPORT_AUTO = 2,
};

/**
 * How to open the kernel's director. Initialise it with LVS_KERNEL_OPTIONS_INIT: the caller's
 * network namespace, over netlink, loading nothing, waiting 60 seconds for an answer. At most one
 * of the three namespaces may be set; to enter one takes CAP_SYS_ADMIN. Nothing that it points to
 * is kept.
 */
typedef struct lvs_kernel_options {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Which interface to use: enum lvs_transport.
   */
  uint32_t transport;
  /**
   * Not 0: has the kernel load the module ip_vs if it is missing. No program is started for it
   * by this process.
   */
  uint32_t load_module;
  /**
   * The network namespace of this process; 0 for none.
   */
  uint32_t namespace_pid;
  /**
   * The network namespace that a file stands for, such as "/proc/1/ns/net"; NULL for none.
   */
  const char *namespace_path;
  /**
   * The network namespace made by `ip netns add`; NULL for none.
   */
  const char *namespace_name;
  /**
   * How long an answer may take, in nanoseconds; 0 for 60 seconds, LVS_NEVER waits for ever.
   */
  uint64_t receive_timeout;
} lvs_kernel_options;
#define LVS_KERNEL_OPTIONS_INIT \
  {(uint32_t)sizeof(lvs_kernel_options), LVS_TRANSPORT_NETLINK, 0, 0, NULL, NULL, 0}

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_kernel_options_init(struct lvs_kernel_options *options,
                                   uint32_t struct_size,
                                   struct lvs_error **err);

/**
 * Opens the running kernel's director. `options` may be NULL.
 *
 * A kernel without IPVS gives LVS_STATUS_UNSUPPORTED with LVS_CAUSE_MODULE_MISSING; over netlink a
 * missing privilege shows at the first operation.
 */
LVS_NODISCARD
lvs_status lvs_director_open_kernel(const struct lvs_kernel_options *options,
                                    struct lvs_director **director,
                                    struct lvs_error **err);

/* The embedded director --------------------------------------------------------------------------- */

/**
 * Which behaviour of the kernel to follow. Vendors carry changes into older kernels:
 * lvs_director_profile() asks a running one.
 */
LVS_ENUM(lvs_profile) {
  /**
   * Linux 6.1.183, 6.12.104 and later.
   */
  LVS_PROFILE_NEW = 0,
  /**
   * Linux 6.1 to 6.1.182, 6.12 to 6.12.103.
   */
  LVS_PROFILE_OLD = 1,
  /**
   * Linux 7.1 and later.
   */
  LVS_PROFILE_LINUX7 = 2,
};

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
   * Reserved: must be 0.
   */
  uint16_t reserved;
} lvs_network;

/**
 * The kernel that an embedded director follows, and the machine around it. Initialise it with
 * LVS_EMBEDDED_OPTIONS_INIT: a current kernel with all schedulers, IPv6, the interfaces lo and
 * eth0, and no address but the loopback ones. Nothing that it points to is kept.
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
   * The seed of everything that is random in a kernel: the draws of twos, what drop_entry looks
   * at.
   */
  uint64_t seed;
  /**
   * The number of buckets of the connection table that a kernel reports, and since Linux 7.1 the
   * most that its growing table has; 0 for 4096.
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
   * Length of `local`.
   */
  size_t local_len;
  /**
   * The interfaces, `interfaces_len` of them; NULL for lo and eth0.
   */
  const struct lvs_interface *interfaces;
  /**
   * Length of `interfaces`.
   */
  size_t interfaces_len;
  /**
   * The names of the schedulers that the kernel has, `schedulers_len` of them; NULL for all.
   */
  const char *const *schedulers;
  /**
   * Length of `schedulers`.
   */
  size_t schedulers_len;
  /**
   * The names of the persistence engines that the kernel has, `engines_len` of them; NULL for
   * sip.
   */
  const char *const *engines;
  /**
   * Length of `engines`.
   */
  size_t engines_len;
  /**
   * Not 0: the kernel has loaded ip_vs_ftp. Masqueraded connections to port 21 stay tracked
   * then.
   */
  uint32_t ftp_helper;
  /**
   * Reserved: must be 0.
   */
  uint32_t reserved;
} lvs_embedded_options;
#define LVS_EMBEDDED_OPTIONS_INIT \
  {(uint32_t)sizeof(lvs_embedded_options), LVS_PROFILE_NEW, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, \
   0, 0}

/**
 * The sysctls under net.ipv4.vs that change decisions. Initialise it with LVS_SETTINGS_INIT, read
 * it with lvs_director_settings(), change what is to be changed, and set it with
 * lvs_director_set_settings().
 */
typedef struct lvs_settings {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Not 0: packets of a connection whose destination was removed are scheduled again, not
   * dropped.
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
   * Which TCP state table is in force: 0 the plain one, 3 the secure one. 1 and 2 are automatic:
   * 1 the plain one, 2, when memory is short, the secure one.
   */
  uint32_t secure_tcp;
  /**
   * Not 0: packets for which a firewall-mark service has no destination go to where they were
   * addressed.
   */
  uint32_t cache_bypass;
  /**
   * 3: one in `am_droprate` of the packets that would open a connection is dropped. 1 and 2 are
   * automatic: 1 none, 2, when memory is short, the more the less there is.
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
  /**
   * Whether entries of the connection table are dropped at random: 0 never, 3 always. 1 and 2
   * are automatic: 1 no, 2, when memory is short, yes.
   */
  uint32_t drop_entry;
  /**
   * Pages of free memory below which memory is short: see lvs_director_set_available_pages().
   */
  int32_t amemthresh;
  /**
   * Not 0: netfilter goes on to track connections. Where it still does, a packet that would be
   * scheduled again is dropped, once.
   */
  uint32_t conntrack;
  /**
   * The most entries of the connection table; at the limit, packets that would open a connection
   * are dropped. Only LVS_PROFILE_LINUX7 has it, and the next two.
   */
  uint32_t conn_max;
  /**
   * The connection table grows when it holds more than 2 to this power entries a bucket, -8 to
   * 8.
   */
  int32_t conn_lfactor;
  /**
   * The service table grows when it holds more than 2 to this power services a bucket, -8 to 8.
   */
  int32_t svc_lfactor;
  /**
   * Reserved: must be 0.
   */
  uint32_t reserved;
} lvs_settings;
#define LVS_SETTINGS_INIT \
  {(uint32_t)sizeof(lvs_settings), 0, 0, 1, 0, 0, 0, 0, 0, 10, 1, 0, 1024, 86400, 86400, 0, 1024, 0, \
   1073741824, -4, -3, 0}

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_embedded_options_init(struct lvs_embedded_options *options,
                                     uint32_t struct_size,
                                     struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_settings_init(struct lvs_settings *settings,
                             uint32_t struct_size,
                             struct lvs_error **err);

/**
 * Makes an embedded director: it does exactly what IPVS in the kernel does, in this process. It
 * needs no privileges, starts no thread and looks at no clock: time stands still until
 * lvs_director_advance() moves it. `options` may be NULL. Ends the process if there is no memory
 * for it.
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
 * Moves the embedded director's clock on by `nanoseconds` and does all that falls due on the way,
 * in its order. LVS_STATUS_UNSUPPORTED for the kernel, whose clock moves by itself.
 */
LVS_NODISCARD
lvs_status lvs_director_advance(const struct lvs_director *director,
                                uint64_t nanoseconds,
                                struct lvs_error **err);

/**
 * Tells the embedded director how much memory the machine has to spare, in pages. It looks at it
 * once a second, when a setting depends on it. Until told otherwise there is plenty.
 * LVS_STATUS_UNSUPPORTED for the kernel, which knows.
 */
LVS_NODISCARD
lvs_status lvs_director_set_available_pages(const struct lvs_director *director,
                                            uint64_t pages,
                                            struct lvs_error **err);

/**
 * Reads the embedded director's clock: nanoseconds since it was made. LVS_STATUS_UNSUPPORTED for
 * the kernel.
 */
LVS_NODISCARD
lvs_status lvs_director_now(const struct lvs_director *director,
                            uint64_t *nanoseconds,
                            struct lvs_error **err);

/**
 * Reads the counters and rates of the whole director, as in /proc/net/ip_vs_stats.
 */
LVS_NODISCARD
lvs_status lvs_director_totals(const struct lvs_director *director,
                               struct lvs_stats *totals,
                               struct lvs_error **err);

/**
 * Asks which behaviour a director has: enum lvs_profile. The running kernel is asked, not judged
 * by its version; in a namespace without services it may take a service that is made for that
 * moment, of firewall mark 4294967295.
 */
LVS_NODISCARD
lvs_status lvs_director_profile(const struct lvs_director *director,
                                uint32_t *profile,
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

/* Packets and flows on the embedded director ------------------------------------------------------ */

/**
 * TCP flag: the sender has finished.
 */
#define LVS_TCP_FIN 1

/**
 * TCP flag: the sender opens.
 */
#define LVS_TCP_SYN 2

/**
 * TCP flag: reset.
 */
#define LVS_TCP_RST 4

/**
 * TCP flag: acknowledgement.
 */
#define LVS_TCP_ACK 16

/**
 * The chunk of an SCTP packet that decides.
 */
LVS_ENUM(lvs_sctp_chunk) {
  /**
   * DATA, SACK, HEARTBEAT and every other that is not named here.
   */
  LVS_SCTP_CHUNK_DATA = 0,
  /**
   * INIT.
   */
  LVS_SCTP_CHUNK_INIT = 1,
  /**
   * INIT-ACK.
   */
  LVS_SCTP_CHUNK_INIT_ACK = 2,
  /**
   * COOKIE-ECHO.
   */
  LVS_SCTP_CHUNK_COOKIE_ECHO = 3,
  /**
   * COOKIE-ACK.
   */
  LVS_SCTP_CHUNK_COOKIE_ACK = 4,
  /**
   * SHUTDOWN.
   */
  LVS_SCTP_CHUNK_SHUTDOWN = 5,
  /**
   * SHUTDOWN-ACK.
   */
  LVS_SCTP_CHUNK_SHUTDOWN_ACK = 6,
  /**
   * SHUTDOWN-COMPLETE.
   */
  LVS_SCTP_CHUNK_SHUTDOWN_COMPLETE = 7,
  /**
   * ERROR.
   */
  LVS_SCTP_CHUNK_ERROR = 8,
  /**
   * ABORT.
   */
  LVS_SCTP_CHUNK_ABORT = 9,
};

/**
 * A packet, described by what decides about it. Initialise it with LVS_PACKET_INIT: a TCP segment
 * from a client without flags.
 */
typedef struct lvs_packet {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Not 0: from a real server to a client, passing the director. 0: from a client to a virtual
   * service.
   */
  uint32_t from_server;
  /**
   * Its source: the client, or the real server.
   */
  struct lvs_address source;
  /**
   * Its destination: the virtual service, or the client.
   */
  struct lvs_address destination;
  /**
   * The port of the source in host order.
   */
  uint16_t source_port;
  /**
   * The port of the destination in host order.
   */
  uint16_t destination_port;
  /**
   * LVS_PROTOCOL_..., or any other number up to 255.
   */
  uint32_t protocol;
  /**
   * TCP: LVS_TCP_... bits. SCTP: enum lvs_sctp_chunk. Else 0.
   */
  uint32_t flags;
  /**
   * Its firewall mark, 0 for none.
   */
  uint32_t fwmark;
  /**
   * Its length in bytes, IP header included; 0 for the smallest that its headers allow. It only
   * counts.
   */
  uint32_t length;
  /**
   * Not 0: an ICMP error about a packet of the other side of this conversation, which carried
   * `protocol`. Addresses and ports are those of the conversation, as a packet that goes the
   * error's way has them.
   */
  uint32_t icmp_error;
  /**
   * Whether it belongs to a connection that netfilter tracks and has confirmed: enum
   * lvs_tracked.
   */
  uint32_t tracked;
} lvs_packet;
#define LVS_PACKET_INIT \
  {(uint32_t)sizeof(lvs_packet), 0, LVS_ADDRESS_INIT_, LVS_ADDRESS_INIT_, 0, 0, LVS_PROTOCOL_TCP, 0, 0, 0, 0, 0}

/**
 * What is known of netfilter's tracking of a packet.
 */
LVS_ENUM(lvs_tracked) {
  /**
   * Nothing: the director judges by what it knows.
   */
  LVS_TRACKED_UNKNOWN = 0,
  /**
   * It belongs to a confirmed connection.
   */
  LVS_TRACKED_YES = 1,
  /**
   * It belongs to none.
   */
  LVS_TRACKED_NO = 2,
};

/**
 * A client's conversation with a virtual service. Initialise it with LVS_FLOW_INIT: TCP.
 */
typedef struct lvs_flow {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * LVS_PROTOCOL_TCP, _UDP or _SCTP.
   */
  uint32_t protocol;
  /**
   * The client.
   */
  struct lvs_address client;
  /**
   * What the client asks for.
   */
  struct lvs_address service;
  /**
   * The client's port in host order.
   */
  uint16_t client_port;
  /**
   * The port that the client asks for, in host order.
   */
  uint16_t service_port;
  /**
   * The firewall mark of the client's packets, 0 for none.
   */
  uint32_t fwmark;
} lvs_flow;
#define LVS_FLOW_INIT \
  {(uint32_t)sizeof(lvs_flow), LVS_PROTOCOL_TCP, LVS_ADDRESS_INIT_, LVS_ADDRESS_INIT_, 0, 0, 0}

/**
 * What the director does with a packet.
 */
LVS_ENUM(lvs_verdict_kind) {
  /**
   * It goes to a destination, or as that one's reply to the client.
   */
  LVS_VERDICT_KIND_FORWARDED = 0,
  /**
   * It goes where it was addressed to, past the real servers.
   */
  LVS_VERDICT_KIND_BYPASSED = 1,
  /**
   * The client is rejected with ICMP port unreachable.
   */
  LVS_VERDICT_KIND_REJECTED = 2,
  /**
   * It passes on to the rest of the system, as if there were no director.
   */
  LVS_VERDICT_KIND_PASSED = 3,
  /**
   * It is dropped.
   */
  LVS_VERDICT_KIND_DROPPED = 4,
};

/**
 * Why the director does that with a packet. A later release may add some.
 */
LVS_ENUM(lvs_why) {
  /**
   * It says no more.
   */
  LVS_WHY_NONE = 0,
  /**
   * Forwarded: its connection is in the table.
   */
  LVS_WHY_CONNECTION = 1,
  /**
   * Forwarded: it opens a connection, and a persistence template says where to.
   */
  LVS_WHY_TEMPLATE = 2,
  /**
   * Forwarded: it opens a connection, and the scheduler chose.
   */
  LVS_WHY_SCHEDULED = 3,
  /**
   * Forwarded: it is a real server's answer.
   */
  LVS_WHY_REPLY = 4,
  /**
   * Rejected: no destination, or all quiesced or overloaded.
   */
  LVS_WHY_NO_DESTINATION = 5,
  /**
   * Rejected: the service has no scheduler.
   */
  LVS_WHY_NO_SCHEDULER = 6,
  /**
   * Rejected: the service has port 0 and is not persistent.
   */
  LVS_WHY_PORT_ZERO = 7,
  /**
   * Passed: its protocol is none that is scheduled.
   */
  LVS_WHY_PROTOCOL = 8,
  /**
   * Passed: no service matches it.
   */
  LVS_WHY_NO_SERVICE = 9,
  /**
   * Passed: it has no connection and may not open one.
   */
  LVS_WHY_NOT_OPENING = 10,
  /**
   * Passed: its source port is 20.
   */
  LVS_WHY_FTP_DATA_PORT = 11,
  /**
   * Passed: a port that an FTP service does not handle.
   */
  LVS_WHY_OTHER_PORT = 12,
  /**
   * Passed: a backup sync daemon runs, and backup_only is set.
   */
  LVS_WHY_BACKUP_ONLY = 13,
  /**
   * Passed: a reply without a connection, or of one that is not masqueraded.
   */
  LVS_WHY_NO_REPLY = 14,
  /**
   * Dropped: the destination of its connection was removed.
   */
  LVS_WHY_DESTINATION_REMOVED = 15,
  /**
   * Dropped: drop_packet.
   */
  LVS_WHY_DEFENCE = 16,
  /**
   * Dropped: its former connection, which is to end, is still tracked.
   */
  LVS_WHY_TRACKED = 17,
  /**
   * Passed: no service of its address family exists.
   */
  LVS_WHY_NO_HOOK = 18,
  /**
   * Dropped: the connection table has as many entries as conn_max allows.
   */
  LVS_WHY_CONNECTION_LIMIT = 19,
};

/**
 * What the director does with a packet, and why. Initialise it with LVS_VERDICT_INIT.
 */
typedef struct lvs_verdict {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * What it does: enum lvs_verdict_kind.
   */
  uint32_t kind;
  /**
   * Why: enum lvs_why.
   */
  uint32_t why;
  /**
   * Forwarded: how it gets there, enum lvs_forwarding; else 0.
   */
  uint32_t forwarding;
  /**
   * Forwarded: the destination, of a reply the one that sent it; else without a family.
   */
  struct lvs_destination_key destination;
  /**
   * Forwarded: the port that the real server sees under masquerading, in host order.
   */
  uint16_t port;
  /**
   * Reserved: always 0.
   */
  uint16_t reserved;
} lvs_verdict;
#define LVS_VERDICT_INIT {(uint32_t)sizeof(lvs_verdict), 0, 0, 0, LVS_DESTINATION_KEY_INIT_, 0, 0}

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_packet_init(struct lvs_packet *packet,
                           uint32_t struct_size,
                           struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_flow_init(struct lvs_flow *flow,
                         uint32_t struct_size,
                         struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_verdict_init(struct lvs_verdict *verdict,
                            uint32_t struct_size,
                            struct lvs_error **err);

/**
 * Gives the embedded director a packet. `verdict` says what becomes of it; `sentence` gets the
 * same in words, such as "to 198.51.100.7:80 (direct): the scheduler chose it". Each may be NULL.
 * LVS_STATUS_UNSUPPORTED for the kernel. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_director_receive(const struct lvs_director *director,
                                const struct lvs_packet *packet,
                                struct lvs_verdict *verdict,
                                struct lvs_text *sentence,
                                struct lvs_error **err);

/**
 * Gives the embedded director `len` packets in their order: as lvs_director_receive() for one
 * after the other, but faster with many connections, whose table is read from memory for several
 * of them at a time. `verdicts` is an array of as many records, or NULL. Nothing happens unless
 * all packets are in order. LVS_STATUS_UNSUPPORTED for the kernel.
 */
LVS_NODISCARD
lvs_status lvs_director_receive_all(const struct lvs_director *director,
                                    const struct lvs_packet *packets,
                                    size_t len,
                                    struct lvs_verdict *verdicts,
                                    struct lvs_error **err);

/**
 * Opens a conversation on the embedded director: the handshake of TCP or SCTP, one datagram of
 * UDP. `verdict` and `sentence` say what became of its first packet; each may be NULL.
 * LVS_STATUS_UNSUPPORTED for the kernel. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_director_open_flow(const struct lvs_director *director,
                                  const struct lvs_flow *flow,
                                  struct lvs_verdict *verdict,
                                  struct lvs_text *sentence,
                                  struct lvs_error **err);

/**
 * Sends one more packet of a conversation, `length` bytes long with its IP header. `verdict` and
 * `sentence` may be NULL. LVS_STATUS_UNSUPPORTED for the kernel. Ends the process if there is no
 * memory for it.
 */
LVS_NODISCARD
lvs_status lvs_director_send_flow(const struct lvs_director *director,
                                  const struct lvs_flow *flow,
                                  uint32_t length,
                                  struct lvs_verdict *verdict,
                                  struct lvs_text *sentence,
                                  struct lvs_error **err);

/**
 * Closes a conversation on the embedded director, the client first. UDP has no end but its
 * timeout. LVS_STATUS_UNSUPPORTED for the kernel.
 */
LVS_NODISCARD
lvs_status lvs_director_close_flow(const struct lvs_director *director,
                                   const struct lvs_flow *flow,
                                   struct lvs_error **err);

/* The connection table ---------------------------------------------------------------------------- */

/**
 * The state of a connection.
 */
LVS_ENUM(lvs_state) {
  /**
   * No packet has moved it yet; of a template: not confirmed.
   */
  LVS_STATE_NONE = 0,
  /**
   * Data flows. TCP and SCTP.
   */
  LVS_STATE_ESTABLISHED = 1,
  /**
   * TCP: the real server opens.
   */
  LVS_STATE_SYN_SENT = 2,
  /**
   * TCP: the client has asked.
   */
  LVS_STATE_SYN_RECV = 3,
  /**
   * TCP: one side has finished.
   */
  LVS_STATE_FIN_WAIT = 4,
  /**
   * TCP: both sides have finished.
   */
  LVS_STATE_TIME_WAIT = 5,
  /**
   * TCP: reset.
   */
  LVS_STATE_CLOSE = 6,
  /**
   * TCP: the client has finished, the real server not yet.
   */
  LVS_STATE_CLOSE_WAIT = 7,
  /**
   * TCP: waiting for the last acknowledgement.
   */
  LVS_STATE_LAST_ACK = 8,
  /**
   * TCP: listening.
   */
  LVS_STATE_LISTEN = 9,
  /**
   * TCP under secure_tcp: the real server has answered.
   */
  LVS_STATE_SYN_ACK = 10,
  /**
   * UDP, its only state.
   */
  LVS_STATE_UDP = 11,
  /**
   * SCTP: the client's first INIT.
   */
  LVS_STATE_INIT1 = 12,
  /**
   * SCTP: a further INIT.
   */
  LVS_STATE_INIT = 13,
  /**
   * SCTP: INIT-ACK sent.
   */
  LVS_STATE_COOKIE_SENT = 14,
  /**
   * SCTP: COOKIE-ECHO seen.
   */
  LVS_STATE_COOKIE_REPLIED = 15,
  /**
   * SCTP: waiting for a cookie.
   */
  LVS_STATE_COOKIE_WAIT = 16,
  /**
   * SCTP: cookie received.
   */
  LVS_STATE_COOKIE = 17,
  /**
   * SCTP: cookie echoed.
   */
  LVS_STATE_COOKIE_ECHOED = 18,
  /**
   * SCTP: SHUTDOWN sent.
   */
  LVS_STATE_SHUTDOWN_SENT = 19,
  /**
   * SCTP: SHUTDOWN received.
   */
  LVS_STATE_SHUTDOWN_RECEIVED = 20,
  /**
   * SCTP: SHUTDOWN-ACK sent.
   */
  LVS_STATE_SHUTDOWN_ACK_SENT = 21,
  /**
   * SCTP: aborted.
   */
  LVS_STATE_REJECTED = 22,
  /**
   * SCTP: closed.
   */
  LVS_STATE_CLOSED = 23,
  /**
   * A template that a completed connection has confirmed.
   */
  LVS_STATE_ASSURED = 24,
  /**
   * `ERR!`, or a word that this library does not know: see lvs_connection.unknown_state.
   */
  LVS_STATE_UNKNOWN = 25,
};

/**
 * Where a connection entry came from.
 */
LVS_ENUM(lvs_origin) {
  /**
   * The source does not say.
   */
  LVS_ORIGIN_UNKNOWN = 0,
  /**
   * Made here.
   */
  LVS_ORIGIN_LOCAL = 1,
  /**
   * Received from a master's sync daemon.
   */
  LVS_ORIGIN_SYNC = 2,
};

/**
 * Connections proper, or persistence templates.
 */
LVS_ENUM(lvs_connection_kind) {
  /**
   * Connections of clients.
   */
  LVS_CONNECTION_KIND_CONNECTION = 0,
  /**
   * Persistence templates: their client port is 0 and their client address is masked.
   */
  LVS_CONNECTION_KIND_TEMPLATE = 1,
};

/**
 * One entry of the connection table. Initialise it with LVS_CONNECTION_INIT.
 */
typedef struct lvs_connection {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * The state: enum lvs_state.
   */
  uint32_t state;
  /**
   * Whole seconds until it expires, 0 if overdue.
   */
  uint32_t expires;
  /**
   * Where it came from: enum lvs_origin.
   */
  uint32_t origin;
  /**
   * The client's address.
   */
  struct lvs_address client;
  /**
   * The address that the client asked for; without a family if it is the template of a firewall
   * mark.
   */
  struct lvs_address target;
  /**
   * The real server's address.
   */
  struct lvs_address destination;
  /**
   * The client's port in host order, 0 of a template.
   */
  uint16_t client_port;
  /**
   * The port that the client asked for, in host order. Of a firewall mark's template what the
   * kernel shows there: 0, but 65535 if a kernel before 7.1 has invalidated the template.
   */
  uint16_t target_port;
  /**
   * The real server's port in host order.
   */
  uint16_t destination_port;
  /**
   * LVS_PROTOCOL_...; 0 for templates of firewall-mark services.
   */
  uint16_t protocol;
  /**
   * The firewall mark of a template, else 0.
   */
  uint32_t fwmark;
  /**
   * What it is: enum lvs_connection_kind.
   */
  uint32_t kind;
  /**
   * Reserved: always 0.
   */
  uint32_t reserved;
  /**
   * The persistence engine, `engine_len` bytes without a NUL byte at the end; NULL for none. It
   * lives as long as the entry: until the visitor returns, or the list is read again or
   * released.
   */
  const char *engine;
  /**
   * The length of the engine's name.
   */
  size_t engine_len;
  /**
   * The engine's raw data, `engine_data_len` bytes; for sip the Call-ID.
   */
  const uint8_t *engine_data;
  /**
   * The length of the engine's data.
   */
  size_t engine_data_len;
  /**
   * LVS_STATE_UNKNOWN: the kernel's word for the state, `unknown_state_len` bytes without a NUL
   * byte at the end, which lives as long as the entry; else NULL.
   */
  const char *unknown_state;
  /**
   * The length of the word.
   */
  size_t unknown_state_len;
} lvs_connection;
#define LVS_CONNECTION_INIT \
  {(uint32_t)sizeof(lvs_connection), 0, 0, 0, LVS_ADDRESS_INIT_, LVS_ADDRESS_INIT_, LVS_ADDRESS_INIT_, \
   0, 0, 0, 0, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0}

/**
 * The service counts.
 */
#define LVS_FILTER_SERVICE 1

/**
 * The protocol counts.
 */
#define LVS_FILTER_PROTOCOL 2

/**
 * The destination counts.
 */
#define LVS_FILTER_DESTINATION 4

/**
 * The state counts.
 */
#define LVS_FILTER_STATE 8

/**
 * The client's network counts.
 */
#define LVS_FILTER_CLIENT_NETWORK 16

/**
 * The kind counts.
 */
#define LVS_FILTER_KIND 32

/**
 * The origin counts.
 */
#define LVS_FILTER_ORIGIN 64

/**
 * The earliest expiry counts.
 */
#define LVS_FILTER_MIN_EXPIRES 128

/**
 * The latest expiry counts.
 */
#define LVS_FILTER_MAX_EXPIRES 256

/**
 * Which connections are meant: every condition that is set must hold. Initialise it with
 * LVS_CONNECTION_FILTER_INIT, which sets none and means all.
 */
typedef struct lvs_connection_filter {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Which of the fields below count: LVS_FILTER_... bits.
   */
  uint32_t conditions;
  /**
   * Of this service, as far as an entry tells. Port 0 means every port; a firewall mark means
   * its templates.
   */
  struct lvs_service_key service;
  /**
   * At this destination; port 0 means every port.
   */
  struct lvs_destination_key destination;
  /**
   * From the network of this address ...
   */
  struct lvs_address client;
  /**
   * ... with this netmask: IPv4 a mask in host order, IPv6 a prefix length, LVS_NETMASK_FULL the
   * address alone.
   */
  uint32_t client_netmask;
  /**
   * In this state: enum lvs_state.
   */
  uint32_t state;
  /**
   * Of this protocol.
   */
  uint32_t protocol;
  /**
   * Of this kind: enum lvs_connection_kind.
   */
  uint32_t kind;
  /**
   * Of this origin: LVS_ORIGIN_LOCAL or LVS_ORIGIN_SYNC.
   */
  uint32_t origin;
  /**
   * That expire in so many seconds at the earliest.
   */
  uint32_t min_expires;
  /**
   * That expire in so many seconds at the latest.
   */
  uint32_t max_expires;
} lvs_connection_filter;
#define LVS_CONNECTION_FILTER_INIT \
  {(uint32_t)sizeof(lvs_connection_filter), 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_, \
   LVS_ADDRESS_INIT_, LVS_NETMASK_FULL, 0, 0, 0, 0, 0, 0}

/**
 * Sees one connection; `user` is what the caller passed. Returns whether it wants to see more.
 */
typedef bool (*lvs_connection_visitor)(const struct lvs_connection *connection, void *user);

/**
 * Connections that were read from a director, to go through at leisure.
 *
 * Made by lvs_connections_new(), filled by lvs_connections_read(), released by
 * lvs_connections_free(). Keep one and use it again, it keeps its memory. Any number of threads
 * may read it while nobody fills it.
 */
typedef struct lvs_connections lvs_connections;

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_connection_init(struct lvs_connection *connection,
                               uint32_t struct_size,
                               struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_connection_filter_init(struct lvs_connection_filter *filter,
                                      uint32_t struct_size,
                                      struct lvs_error **err);

/**
 * The name of a state as the kernel and ipvsadm print it, such as "ESTABLISHED"; "ERR!" for an
 * unknown number. The string is static. Any thread.
 */
const char *lvs_state_name(uint32_t state);

/**
 * Shows the entries of the connection table that a filter means (all if it is NULL), templates
 * included, in the director's order, until the visitor returns false. Streams: allocates nothing
 * per entry.
 */
LVS_NODISCARD
lvs_status lvs_director_visit_connections(const struct lvs_director *director,
                                          const struct lvs_connection_filter *filter,
                                          lvs_connection_visitor visitor,
                                          void *user,
                                          struct lvs_error **err);

/**
 * Makes an empty list of connections.
 */
LVS_NODISCARD
lvs_status lvs_connections_new(struct lvs_connections **connections,
                               struct lvs_error **err);

/**
 * Fills a list with the entries of the connection table that a filter means (all if it is NULL).
 * What was in it is gone, even if the call fails.
 */
LVS_NODISCARD
lvs_status lvs_connections_read(struct lvs_connections *connections,
                                const struct lvs_director *director,
                                const struct lvs_connection_filter *filter,
                                struct lvs_error **err);

/**
 * How many connections there are; 0 if `connections` is NULL.
 */
size_t lvs_connections_len(const struct lvs_connections *connections);

/**
 * Reads connection `index`. Allocates nothing.
 */
LVS_NODISCARD
lvs_status lvs_connections_get(const struct lvs_connections *connections,
                               size_t index,
                               struct lvs_connection *connection,
                               struct lvs_error **err);

/**
 * Releases a list. NULL does nothing.
 */
void lvs_connections_free(struct lvs_connections *connections);

/* Connections counted by service, destination or client ------------------------------------------- */

/**
 * What connections are counted by.
 */
LVS_ENUM(lvs_sum_by) {
  /**
   * By what the client asked for and where it was sent.
   */
  LVS_SUM_BY_GROUP = 0,
  /**
   * By what the client asked for.
   */
  LVS_SUM_BY_TARGET = 1,
  /**
   * By destination, over all services.
   */
  LVS_SUM_BY_DESTINATION = 2,
  /**
   * All together: one sum.
   */
  LVS_SUM_BY_TOTAL = 3,
};

/**
 * How many connections, and of what. What they are not counted by is without a family, and 0.
 * Initialise it with LVS_CONNECTION_SUM_INIT.
 */
typedef struct lvs_connection_sum {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * The firewall mark of templates, else 0.
   */
  uint32_t fwmark;
  /**
   * The address that the clients asked for.
   */
  struct lvs_address target;
  /**
   * The port that they asked for, in host order.
   */
  uint16_t target_port;
  /**
   * LVS_PROTOCOL_...
   */
  uint16_t protocol;
  /**
   * Where they were sent.
   */
  struct lvs_destination_key destination;
  /**
   * All connections, templates left out.
   */
  uint64_t connections;
  /**
   * Connections that a destination counts as active.
   */
  uint64_t active;
  /**
   * All others, as a destination counts them.
   */
  uint64_t inactive;
  /**
   * Persistence templates.
   */
  uint64_t templates;
} lvs_connection_sum;
#define LVS_CONNECTION_SUM_INIT \
  {(uint32_t)sizeof(lvs_connection_sum), 0, LVS_ADDRESS_INIT_, 0, 0, LVS_DESTINATION_KEY_INIT_, 0, 0, 0, 0}

/**
 * Counts of connections, sorted by what they are counted by.
 *
 * Made by lvs_director_sum_connections(), released by lvs_connection_sums_free(). It never
 * changes: any number of threads may read it.
 */
typedef struct lvs_connection_sums lvs_connection_sums;

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_connection_sum_init(struct lvs_connection_sum *sum,
                                   uint32_t struct_size,
                                   struct lvs_error **err);

/**
 * Counts the connections that a filter means (all if it is NULL); `by` is one of enum lvs_sum_by.
 * Memory grows with the sums, not with the connections. Release `sums` with
 * lvs_connection_sums_free(). Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_director_sum_connections(const struct lvs_director *director,
                                        const struct lvs_connection_filter *filter,
                                        uint32_t by,
                                        struct lvs_connection_sums **sums,
                                        struct lvs_error **err);

/**
 * How many sums there are; 0 if `sums` is NULL.
 */
size_t lvs_connection_sums_len(const struct lvs_connection_sums *sums);

/**
 * Reads sum `index`.
 */
LVS_NODISCARD
lvs_status lvs_connection_sums_get(const struct lvs_connection_sums *sums,
                                   size_t index,
                                   struct lvs_connection_sum *sum,
                                   struct lvs_error **err);

/**
 * Reads how many connections of sum `index` are in a state, one of enum lvs_state; templates are
 * left out.
 */
LVS_NODISCARD
lvs_status lvs_connection_sums_state(const struct lvs_connection_sums *sums,
                                     size_t index,
                                     uint32_t state,
                                     uint64_t *connections,
                                     struct lvs_error **err);

/**
 * Releases sums. NULL does nothing.
 */
void lvs_connection_sums_free(struct lvs_connection_sums *sums);

/* The kernel's text files, readable without privileges, and its sysctls --------------------------- */

/**
 * Where the kernel's text files of a network namespace are: what they have that
 * lvs_director_open_kernel() cannot tell. They need no privileges.
 *
 * Made by lvs_procfs_new(), released by lvs_procfs_free(). It never changes: any number of threads
 * may use it.
 */
typedef struct lvs_procfs lvs_procfs;

/**
 * The tunables of a network namespace, the files of /proc/sys/net/ipv4/vs. Everybody may read
 * them, root may write.
 *
 * Made by lvs_sysctls_new(), released by lvs_sysctls_free(). It never changes: any number of
 * threads may use it.
 */
typedef struct lvs_sysctls lvs_sysctls;

/**
 * Which file to read connections from.
 */
LVS_ENUM(lvs_connection_file) {
  /**
   * ip_vs_conn: with the data of persistence engines, origins unknown.
   */
  LVS_CONNECTION_FILE_ENGINES = 0,
  /**
   * ip_vs_conn_sync: with the origin of each connection, without engines.
   */
  LVS_CONNECTION_FILE_ORIGINS = 1,
};

/**
 * A port on which an application helper (FTP) looks into the traffic. Its layout never changes.
 */
typedef struct lvs_helper {
  /**
   * Its name, such as "ftp"; no NUL byte at its end, and gone after the visit.
   */
  const char *name;
  /**
   * The length of the name.
   */
  size_t name_len;
  /**
   * LVS_PROTOCOL_..., or another number.
   */
  uint16_t protocol;
  /**
   * The port in host order.
   */
  uint16_t port;
  /**
   * Connections that use it.
   */
  int32_t use_count;
} lvs_helper;

/**
 * How full a hash table of a network namespace is. Its layout never changes.
 */
typedef struct lvs_table_status {
  /**
   * What is in it. Of the connection table: templates, too.
   */
  uint64_t entries;
  /**
   * How many buckets it has, 0 as long as there is no table.
   */
  uint64_t buckets;
  /**
   * Buckets are 2 to this power.
   */
  uint32_t bits;
  /**
   * The load factor that the table was last resized for.
   */
  int32_t lfactor;
  /**
   * How many buckets are empty, hold 1 to 6 entries, or hold 7 or more; all 0 of a table without
   * entries. A masqueraded connection is in two buckets.
   */
  uint64_t lengths[8];
} lvs_table_status;
#define LVS_TABLE_STATUS_INIT_ {0, 0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}}

/**
 * How full the tables of a network namespace are, from ip_vs_status. Initialise it with
 * LVS_PROC_STATUS_INIT.
 */
typedef struct lvs_proc_status {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Reserved: always 0.
   */
  uint32_t reserved;
  /**
   * The connection table.
   */
  struct lvs_table_status connections;
  /**
   * The service table, of both families and of addresses and marks.
   */
  struct lvs_table_status services;
  /**
   * Threads of the estimator that there are.
   */
  uint64_t estimator_threads;
  /**
   * Threads of the estimator that there can be; 0 before the first service.
   */
  uint64_t estimator_max_threads;
  /**
   * Services, destinations and totals that are estimated at a time; 0 until the kernel has found
   * out how many it can.
   */
  uint64_t estimator_chain_length;
  /**
   * How many a thread of the estimator can take.
   */
  uint64_t estimator_per_thread;
} lvs_proc_status;
#define LVS_PROC_STATUS_INIT \
  {(uint32_t)sizeof(lvs_proc_status), 0, LVS_TABLE_STATUS_INIT_, LVS_TABLE_STATUS_INIT_, 0, 0, 0, 0}

/**
 * Sees the sums of one processor; `user` is what the caller passed. Returns whether it wants to
 * see more.
 */
typedef bool (*lvs_cpu_visitor)(uint32_t cpu, const struct lvs_counters *counters, void *user);

/**
 * Sees one helper; `user` is what the caller passed. Returns whether it wants to see more.
 */
typedef bool (*lvs_helper_visitor)(const struct lvs_helper *helper, void *user);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_proc_status_init(struct lvs_proc_status *status,
                                uint32_t struct_size,
                                struct lvs_error **err);

/**
 * Names the directory with the files: NULL for the calling thread's network namespace,
 * "/proc/1/net" for that of a process, or any other. Opens nothing yet.
 */
LVS_NODISCARD
lvs_status lvs_procfs_new(const char *directory,
                          struct lvs_procfs **procfs,
                          struct lvs_error **err);

/**
 * Reads the sums and rates of the whole director from ip_vs_stats. LVS_STATUS_NOT_FOUND where IPVS
 * is not loaded, here and in the other calls.
 */
LVS_NODISCARD
lvs_status lvs_procfs_stats(const struct lvs_procfs *procfs,
                            struct lvs_stats *stats,
                            struct lvs_error **err);

/**
 * Reads how full the tables are from ip_vs_status. Linux has the file since 7.1 and shows it to
 * root alone: LVS_STATUS_NOT_FOUND, LVS_STATUS_PERMISSION_DENIED.
 */
LVS_NODISCARD
lvs_status lvs_procfs_status(const struct lvs_procfs *procfs,
                             struct lvs_proc_status *status,
                             struct lvs_error **err);

/**
 * Reads how full a director's tables are, as lvs_procfs_status() does in the kernel's network
 * namespace. The embedded director shows what Linux 7.1 would; how many statistics a thread of the
 * estimator can take is 0.
 */
LVS_NODISCARD
lvs_status lvs_director_proc_status(const struct lvs_director *director,
                                    struct lvs_proc_status *status,
                                    struct lvs_error **err);

/**
 * Shows the sums of each possible processor from ip_vs_stats_percpu. They are of this moment, and
 * nothing zeroes them.
 */
LVS_NODISCARD
lvs_status lvs_procfs_visit_cpus(const struct lvs_procfs *procfs,
                                 lvs_cpu_visitor visitor,
                                 void *user,
                                 struct lvs_error **err);

/**
 * Shows the ports of the application helpers from ip_vs_app.
 */
LVS_NODISCARD
lvs_status lvs_procfs_visit_helpers(const struct lvs_procfs *procfs,
                                    lvs_helper_visitor visitor,
                                    void *user,
                                    struct lvs_error **err);

/**
 * Shows the connections that a filter means (all if it is NULL), as
 * lvs_director_visit_connections() does. `file` is enum lvs_connection_file.
 */
LVS_NODISCARD
lvs_status lvs_procfs_visit_connections(const struct lvs_procfs *procfs,
                                        uint32_t file,
                                        const struct lvs_connection_filter *filter,
                                        lvs_connection_visitor visitor,
                                        void *user,
                                        struct lvs_error **err);

/**
 * Releases what lvs_procfs_new() made. NULL does nothing.
 */
void lvs_procfs_free(struct lvs_procfs *procfs);

/**
 * Names the directory with the tunables: NULL for /proc/sys/net/ipv4/vs, which shows the calling
 * thread's network namespace. Opens nothing yet.
 */
LVS_NODISCARD
lvs_status lvs_sysctls_new(const char *directory,
                           struct lvs_sysctls **sysctls,
                           struct lvs_error **err);

/**
 * Writes the names of the tunables that this kernel has into `names`, sorted, each with a newline
 * behind it.
 */
LVS_NODISCARD
lvs_status lvs_sysctls_names(const struct lvs_sysctls *sysctls,
                             struct lvs_text *names,
                             struct lvs_error **err);

/**
 * Reads a tunable by its name, such as "conn_reuse_mode", as the text that its file holds.
 * LVS_STATUS_NOT_FOUND where this kernel, or this kind of namespace, does not have it.
 */
LVS_NODISCARD
lvs_status lvs_sysctls_get(const struct lvs_sysctls *sysctls,
                           const char *name,
                           struct lvs_text *value,
                           struct lvs_error **err);

/**
 * Writes a tunable. What no kernel takes gives LVS_STATUS_INVALID_INPUT with a message, before
 * anything is written; the rest is for the kernel to say.
 */
LVS_NODISCARD
lvs_status lvs_sysctls_set(const struct lvs_sysctls *sysctls,
                           const char *name,
                           const char *value,
                           struct lvs_error **err);

/**
 * Releases what lvs_sysctls_new() made. NULL does nothing.
 */
void lvs_sysctls_free(struct lvs_sysctls *sysctls);

/* Listings for people, and JSON ------------------------------------------------------------------- */

/**
 * Which table is shown.
 */
LVS_ENUM(lvs_listing_mode) {
  /**
   * Forwarding method, weight, active and inactive connections.
   */
  LVS_LISTING_MODE_DEFAULT = 0,
  /**
   * --stats: sums of connections, packets and bytes.
   */
  LVS_LISTING_MODE_STATS = 1,
  /**
   * --rate: the same a second.
   */
  LVS_LISTING_MODE_RATE = 2,
  /**
   * --thresholds: upper and lower threshold, active and inactive connections.
   */
  LVS_LISTING_MODE_THRESHOLDS = 3,
  /**
   * --persistent-conn: weight, persistent, active and inactive connections.
   */
  LVS_LISTING_MODE_PERSISTENT_CONNECTIONS = 4,
  /**
   * --tun-info: the default with the tunnel.
   */
  LVS_LISTING_MODE_TUNNEL_INFO = 5,
};

/**
 * Whose habits a listing follows.
 */
LVS_ENUM(lvs_listing_style) {
  /**
   * ipvsadm 1.31 as Debian ships it, byte for byte.
   */
  LVS_LISTING_STYLE_IPVSADM = 0,
  /**
   * The same without its errors.
   */
  LVS_LISTING_STYLE_FIXED = 1,
};

/**
 * How a table is shown. Initialise it with LVS_LISTING_OPTIONS_INIT: what `ipvsadm -L -n` shows.
 */
typedef struct lvs_listing_options {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Which table: enum lvs_listing_mode.
   */
  uint32_t mode;
  /**
   * Whose habits: enum lvs_listing_style.
   */
  uint32_t style;
  /**
   * Not 0: numbers in full, not in thousands or millions.
   */
  uint32_t exact;
  /**
   * Not 0: in the snapshot's order, not sorted.
   */
  uint32_t unsorted;
  /**
   * Not 0: ports have names where the system knows them.
   */
  uint32_t names;
  /**
   * Connections: not 0 shows data of persistence engines, as with --persistent-conn.
   */
  uint32_t engines;
} lvs_listing_options;
#define LVS_LISTING_OPTIONS_INIT {(uint32_t)sizeof(lvs_listing_options), 0, 0, 0, 0, 0, 0}

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_listing_options_init(struct lvs_listing_options *options,
                                    uint32_t struct_size,
                                    struct lvs_error **err);

/**
 * Writes the table of all services, as `ipvsadm -L` does. `options` may be NULL.
 * Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_list(const struct lvs_snapshot *snapshot,
                             const struct lvs_listing_options *options,
                             struct lvs_text *text,
                             struct lvs_error **err);

/**
 * Writes the table of service `index`, as `ipvsadm -L -t SERVICE` does: without the first line.
 * `options` may be NULL. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_list_service(const struct lvs_snapshot *snapshot,
                                     size_t index,
                                     const struct lvs_listing_options *options,
                                     struct lvs_text *text,
                                     struct lvs_error **err);

/**
 * Writes the timeouts, as `ipvsadm -L --timeout` does.
 * Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_list_timeouts(const struct lvs_snapshot *snapshot,
                                      struct lvs_text *text,
                                      struct lvs_error **err);

/**
 * Writes the sync daemons, as `ipvsadm -L --daemon` does: nothing if none runs.
 * Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_list_daemons(const struct lvs_snapshot *snapshot,
                                     struct lvs_text *text,
                                     struct lvs_error **err);

/**
 * Writes the connections of a list, as `ipvsadm -L -c` does. `options` may be NULL. With data of
 * persistence engines the text may hold any bytes. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_connections_list(const struct lvs_connections *connections,
                                const struct lvs_listing_options *options,
                                struct lvs_text *text,
                                struct lvs_error **err);

/* Operations, as read back from a batch or a plan ------------------------------------------------- */

/**
 * What an operation does.
 */
LVS_ENUM(lvs_operation_kind) {
  /**
   * Adds a virtual service.
   */
  LVS_OPERATION_KIND_ADD_SERVICE = 1,
  /**
   * Replaces everything of a service but its key.
   */
  LVS_OPERATION_KIND_UPDATE_SERVICE = 2,
  /**
   * Removes a service and its destinations.
   */
  LVS_OPERATION_KIND_REMOVE_SERVICE = 3,
  /**
   * Adds a destination to a service.
   */
  LVS_OPERATION_KIND_ADD_DESTINATION = 4,
  /**
   * Replaces everything of a destination but its key.
   */
  LVS_OPERATION_KIND_UPDATE_DESTINATION = 5,
  /**
   * Removes a destination from a service.
   */
  LVS_OPERATION_KIND_REMOVE_DESTINATION = 6,
  /**
   * Sets timeouts.
   */
  LVS_OPERATION_KIND_SET_TIMEOUTS = 7,
  /**
   * Starts a sync daemon.
   */
  LVS_OPERATION_KIND_START_DAEMON = 8,
  /**
   * Stops a sync daemon.
   */
  LVS_OPERATION_KIND_STOP_DAEMON = 9,
  /**
   * Zeroes counters: of a service, or all if the key has no family.
   */
  LVS_OPERATION_KIND_ZERO = 10,
  /**
   * Removes all services.
   */
  LVS_OPERATION_KIND_FLUSH = 11,
};

/**
 * What an operation does, and to what. Initialise it with LVS_OPERATION_INIT.
 */
typedef struct lvs_operation {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * What it does: enum lvs_operation_kind.
   */
  uint32_t kind;
  /**
   * The service that it is about; without a family if it is about none.
   */
  struct lvs_service_key service;
  /**
   * The destination that it is about; without a family if it is about none.
   */
  struct lvs_destination_key destination;
  /**
   * The sync daemon that it starts or stops: enum lvs_role; else 0.
   */
  uint32_t role;
} lvs_operation;
#define LVS_OPERATION_INIT \
  {(uint32_t)sizeof(lvs_operation), 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_, 0}

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_operation_init(struct lvs_operation *operation,
                              uint32_t struct_size,
                              struct lvs_error **err);

/**
 * Reads operation `index` of a batch. `service` is written if it adds or updates one,
 * `destination` likewise, and both are left alone otherwise; each of the three may be NULL if it
 * is not wanted.
 */
LVS_NODISCARD
lvs_status lvs_batch_get(const struct lvs_batch *batch,
                         size_t index,
                         struct lvs_operation *operation,
                         struct lvs_service *service,
                         struct lvs_destination *destination,
                         struct lvs_error **err);

/**
 * Reads the timeouts that operation `index` of a batch sets. LVS_STATUS_NOT_FOUND if it sets none.
 */
LVS_NODISCARD
lvs_status lvs_batch_get_timeouts(const struct lvs_batch *batch,
                                  size_t index,
                                  struct lvs_timeouts *timeouts,
                                  struct lvs_error **err);

/**
 * Reads the sync daemon that operation `index` of a batch starts. LVS_STATUS_NOT_FOUND if it
 * starts none.
 */
LVS_NODISCARD
lvs_status lvs_batch_get_daemon(const struct lvs_batch *batch,
                                size_t index,
                                struct lvs_daemon *daemon,
                                struct lvs_error **err);

/**
 * Writes the operations of a batch as sentences, a line each: "add destination 198.51.100.7:80 to
 * tcp://192.0.2.1:80". Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_batch_describe(const struct lvs_batch *batch,
                              struct lvs_text *text,
                              struct lvs_error **err);

/* Scopes: which services a plan may touch --------------------------------------------------------- */

/**
 * What a plan may touch; everything else stays as it is. Timeouts and sync daemons are the whole
 * table's: no scope owns them but NULL, which owns everything, and those made by lvs_scope_with().
 *
 * Made by lvs_scope_marks() and the others below, released by lvs_scope_free(). It never changes:
 * any number of threads may use it.
 */

/**
 * Says whether a service is in the scope; `user` is what the caller passed. The key lives as long
 * as the call.
 */
typedef bool (*lvs_scope_predicate)(const struct lvs_service_key *key, void *user);

/**
 * Makes a scope of the firewall-mark services, of either family, with marks from `first` to
 * `last`, both included.
 */
LVS_NODISCARD
lvs_status lvs_scope_marks(uint32_t first,
                           uint32_t last,
                           struct lvs_scope **scope,
                           struct lvs_error **err);

/**
 * Makes a scope of the services with ports from `first` to `last`, both included.
 */
LVS_NODISCARD
lvs_status lvs_scope_ports(uint16_t first,
                           uint16_t last,
                           struct lvs_scope **scope,
                           struct lvs_error **err);

/**
 * Makes a scope of the services whose virtual address lies in a network; prefix length 0 is the
 * whole family.
 */
LVS_NODISCARD
lvs_status lvs_scope_network(const struct lvs_address *network,
                             uint32_t prefix_length,
                             struct lvs_scope **scope,
                             struct lvs_error **err);

/**
 * Makes a scope of the services for which a function says true. The function and what `user`
 * points to must live as long as the scope and all that are made from it; if threads share the
 * scope, they must be able to share these.
 */
LVS_NODISCARD
lvs_status lvs_scope_matching(lvs_scope_predicate predicate,
                              void *user,
                              struct lvs_scope **scope,
                              struct lvs_error **err);

/**
 * Makes a scope of the services of a table, there or not.
 */
LVS_NODISCARD
lvs_status lvs_scope_services(const struct lvs_table *table,
                              struct lvs_scope **scope,
                              struct lvs_error **err);

/**
 * Makes a scope of what another owns and, where these are not 0, of the timeouts and the sync
 * daemons. The other may be released.
 */
LVS_NODISCARD
lvs_status lvs_scope_with(const struct lvs_scope *of,
                          bool timeouts,
                          bool daemons,
                          struct lvs_scope **scope,
                          struct lvs_error **err);

/**
 * Makes a scope of what either of two owns. The two may be released.
 */
LVS_NODISCARD
lvs_status lvs_scope_or(const struct lvs_scope *a,
                        const struct lvs_scope *b,
                        struct lvs_scope **scope,
                        struct lvs_error **err);

/**
 * Makes a scope of what both of two own. The two may be released.
 */
LVS_NODISCARD
lvs_status lvs_scope_and(const struct lvs_scope *a,
                         const struct lvs_scope *b,
                         struct lvs_scope **scope,
                         struct lvs_error **err);

/**
 * Makes a scope of what another does not own. The other may be released.
 */
LVS_NODISCARD
lvs_status lvs_scope_inverted(const struct lvs_scope *of,
                              struct lvs_scope **scope,
                              struct lvs_error **err);

/**
 * Whether a service is in the scope. NULL owns every service; false if `key` is NULL or no key.
 */
bool lvs_scope_owns(const struct lvs_scope *scope, const struct lvs_service_key *key);

/**
 * Releases a scope. NULL does nothing.
 */
void lvs_scope_free(struct lvs_scope *scope);

/* Plans: from what a director holds to what it should hold ---------------------------------------- */

/**
 * The order of things in a plan, inside a service and in the whole.
 */
LVS_ENUM(lvs_phase) {
  /**
   * Daemons that are not wanted, or not so, stop.
   */
  LVS_PHASE_STOP_DAEMONS = 0,
  /**
   * Services and destinations appear, weights rise from 0.
   */
  LVS_PHASE_ADD = 1,
  /**
   * Everything else of services and destinations changes.
   */
  LVS_PHASE_CHANGE = 2,
  /**
   * Other destinations are quiesced, destinations and services disappear.
   */
  LVS_PHASE_REMOVE = 3,
  /**
   * Timeouts are set and daemons start.
   */
  LVS_PHASE_SETTLE = 4,
  /**
   * After LVS_PHASE_CHANGE: destinations are quiesced where others go on serving.
   */
  LVS_PHASE_QUIESCE = 5,
};

/**
 * What happens to the steps already done when a director refuses one.
 */
LVS_ENUM(lvs_on_failure) {
  /**
   * They stay, and everything that does not depend on the refused step is still done.
   */
  LVS_ON_FAILURE_KEEP = 0,
  /**
   * All are undone, last first, and nothing further is begun.
   */
  LVS_ON_FAILURE_UNDO = 1,
  /**
   * Those of the same service are undone, last first; other services are brought to what is
   * wanted.
   */
  LVS_ON_FAILURE_UNDO_SERVICE = 2,
};

/**
 * For lvs_plan_between() and those below: a wanted table without services may remove
 * all that is in the scope.
 */
#define LVS_PLAN_REMOVE_ALL 1

/**
 * For lvs_plan_between() and those below: what cannot work is not looked for, see
 * lvs_table_lint().
 */
#define LVS_PLAN_UNCHECKED 2

/**
 * For lvs_plan_between() and those below: the plan may add services. Once one LVS_PLAN_ALLOW_...
 * is given, a plan holds nothing but what is allowed; the rest is withheld, see
 * lvs_plan_withheld_get(). Servers of a service that may not be added are withheld with it.
 */
#define LVS_PLAN_ALLOW_ADD_SERVICE 256

/**
 * The plan may change services.
 */
#define LVS_PLAN_ALLOW_UPDATE_SERVICE 512

/**
 * The plan may remove services.
 */
#define LVS_PLAN_ALLOW_REMOVE_SERVICE 1024

/**
 * The plan may add destinations.
 */
#define LVS_PLAN_ALLOW_ADD_DESTINATION 2048

/**
 * The plan may change destinations.
 */
#define LVS_PLAN_ALLOW_UPDATE_DESTINATION 4096

/**
 * The plan may remove destinations.
 */
#define LVS_PLAN_ALLOW_REMOVE_DESTINATION 8192

/**
 * The plan may set timeouts.
 */
#define LVS_PLAN_ALLOW_SET_TIMEOUTS 16384

/**
 * The plan may start sync daemons.
 */
#define LVS_PLAN_ALLOW_START_DAEMON 32768

/**
 * The plan may stop sync daemons.
 */
#define LVS_PLAN_ALLOW_STOP_DAEMON 65536

/**
 * The ordered operations that turn one table into another.
 *
 * Made by lvs_plan_between(), lvs_director_plan() or lvs_director_reconcile(), released by
 * lvs_plan_free(). It never changes: any number of threads may use it.
 */
typedef struct lvs_plan lvs_plan;

/**
 * What came of a plan.
 *
 * Made by lvs_director_apply_plan() or lvs_director_reconcile(), released by lvs_outcome_free().
 * It never changes: any number of threads may read it.
 */
typedef struct lvs_outcome lvs_outcome;

/**
 * Makes the smallest plan from what is there to what is wanted, within a scope (everything if it
 * is NULL), in an order that keeps serving. `flags` are LVS_PLAN_... or 0.
 *
 * LVS_STATUS_INVALID_INPUT, with the reason in the message, if the wanted table names something
 * outside of the scope, if something that would be added or changed cannot work, and if it has no
 * services and all would go.
 */
LVS_NODISCARD
lvs_status lvs_plan_between(const struct lvs_table *current,
                            const struct lvs_table *wanted,
                            const struct lvs_scope *scope,
                            uint32_t flags,
                            struct lvs_plan **plan,
                            struct lvs_error **err);

/**
 * Makes the plan from what a director holds now, and changes nothing. Like lvs_plan_between(), but
 * what the director alone knows is checked, too: a scheduler that it does not have is
 * LVS_STATUS_INVALID_INPUT.
 */
LVS_NODISCARD
lvs_status lvs_director_plan(const struct lvs_director *director,
                             const struct lvs_table *wanted,
                             const struct lvs_scope *scope,
                             uint32_t flags,
                             struct lvs_plan **plan,
                             struct lvs_error **err);

/**
 * Makes the plan that brings back, within a scope (everything if it is NULL), what was there
 * before: whatever that was, and whatever else others have put there.
 */
LVS_NODISCARD
lvs_status lvs_plan_rollback(const struct lvs_table *current,
                             const struct lvs_table *before,
                             const struct lvs_scope *scope,
                             struct lvs_plan **plan,
                             struct lvs_error **err);

/**
 * How many steps the plan has; 0 if it is NULL or there is nothing to do.
 */
size_t lvs_plan_len(const struct lvs_plan *plan);

/**
 * Reads step `index`: when it runs, one of enum lvs_phase, and what it does. `service` is written
 * if it adds or updates one, `destination` likewise. Each of the four may be NULL if it is not
 * wanted.
 */
LVS_NODISCARD
lvs_status lvs_plan_step_get(const struct lvs_plan *plan,
                             size_t index,
                             uint32_t *phase,
                             struct lvs_operation *operation,
                             struct lvs_service *service,
                             struct lvs_destination *destination,
                             struct lvs_error **err);

/**
 * How many operations the plan would have beside its steps if they were allowed; 0 if it is NULL.
 */
size_t lvs_plan_withheld_len(const struct lvs_plan *plan);

/**
 * Reads operation `index` of those that are withheld. `service` is written if it adds or updates
 * one, `destination` likewise. Each of the three may be NULL if it is not wanted.
 */
LVS_NODISCARD
lvs_status lvs_plan_withheld_get(const struct lvs_plan *plan,
                                 size_t index,
                                 struct lvs_operation *operation,
                                 struct lvs_service *service,
                                 struct lvs_destination *destination,
                                 struct lvs_error **err);

/**
 * Writes what the plan adds (+), changes (~, with what it was) and removes (-), a line each, for a
 * dry run. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_plan_describe(const struct lvs_plan *plan,
                             struct lvs_text *text,
                             struct lvs_error **err);

/**
 * Releases a plan. NULL does nothing.
 */
void lvs_plan_free(struct lvs_plan *plan);

/**
 * Carries out a plan; `on_failure` is one of enum lvs_on_failure. A refused step holds up what
 * depends on it and nothing else: in its service nothing is removed when something could not be
 * added, other services go on.
 *
 * Returns LVS_STATUS_OK if the wanted table is in force, else the status of the first thing that
 * went wrong. `outcome` may be NULL; otherwise it is written whenever the plan was begun, even if
 * the call fails: set it to NULL before. Release it with lvs_outcome_free().
 */
LVS_NODISCARD
lvs_status lvs_director_apply_plan(const struct lvs_director *director,
                                   const struct lvs_plan *plan,
                                   uint32_t on_failure,
                                   struct lvs_outcome **outcome,
                                   struct lvs_error **err);

/**
 * Puts a table in force: reads what the director holds now, plans the difference as
 * lvs_director_plan() does and applies it. Running it again after any interruption goes on from
 * wherever the table is.
 *
 * Returns and writes `outcome` as lvs_director_apply_plan() does. `plan` gets the plan along with
 * it; it may be NULL, too.
 */
LVS_NODISCARD
lvs_status lvs_director_reconcile(const struct lvs_director *director,
                                  const struct lvs_table *wanted,
                                  const struct lvs_scope *scope,
                                  uint32_t flags,
                                  uint32_t on_failure,
                                  struct lvs_plan **plan,
                                  struct lvs_outcome **outcome,
                                  struct lvs_error **err);

/**
 * Whether the wanted table is in force. False if `outcome` is NULL.
 */
bool lvs_outcome_is_complete(const struct lvs_outcome *outcome);

/**
 * How many steps took effect; 0 if `outcome` is NULL.
 */
size_t lvs_outcome_done_len(const struct lvs_outcome *outcome);

/**
 * Reads which step of the plan was the `index`th that took effect.
 */
LVS_NODISCARD
lvs_status lvs_outcome_done_get(const struct lvs_outcome *outcome,
                                size_t index,
                                size_t *step,
                                struct lvs_error **err);

/**
 * How many steps were refused; 0 if `outcome` is NULL. Steps neither done nor refused nor held up were never
 * begun.
 */
size_t lvs_outcome_refused_len(const struct lvs_outcome *outcome);

/**
 * Reads refusal `index`: which step of the plan, and `why`, an error that belongs to the outcome:
 * do not release it. Each may be NULL if it is not wanted.
 */
LVS_NODISCARD
lvs_status lvs_outcome_refused_get(const struct lvs_outcome *outcome,
                                   size_t index,
                                   size_t *step,
                                   const struct lvs_error **why,
                                   struct lvs_error **err);

/**
 * How many steps were not carried out because of a refused one; 0 if `outcome` is NULL.
 */
size_t lvs_outcome_held_len(const struct lvs_outcome *outcome);

/**
 * Reads which step of the plan was held up, and `because` of which refused step. Each may be NULL
 * if it is not wanted.
 */
LVS_NODISCARD
lvs_status lvs_outcome_held_get(const struct lvs_outcome *outcome,
                                size_t index,
                                size_t *step,
                                size_t *because,
                                struct lvs_error **err);

/**
 * What broke the way to the director, or NULL if nothing did: steps of that batch may or may not
 * have taken effect. It belongs to the outcome: do not release it.
 */
const struct lvs_error *lvs_outcome_interrupted(const struct lvs_outcome *outcome);

/**
 * Whether the table is as it was before: something went wrong, and every step done was undone
 * again. False if `outcome` is NULL.
 */
bool lvs_outcome_undone(const struct lvs_outcome *outcome);

/**
 * How many steps the director refused to undo; 0 if `outcome` is NULL.
 */
size_t lvs_outcome_undo_refused_len(const struct lvs_outcome *outcome);

/**
 * Reads what the director refused to undo: an error that belongs to the outcome, do not release
 * it.
 */
LVS_NODISCARD
lvs_status lvs_outcome_undo_refused_get(const struct lvs_outcome *outcome,
                                        size_t index,
                                        const struct lvs_error **why,
                                        struct lvs_error **err);

/**
 * Releases an outcome. NULL does nothing.
 */
void lvs_outcome_free(struct lvs_outcome *outcome);

/* Rules files: the language of ipvsadm ------------------------------------------------------------ */

/**
 * Whose habits count in rules.
 */
LVS_ENUM(lvs_dialect) {
  /**
   * Says everything, loses nothing, is strict about what is ambiguous, and has comments. What
   * ipvsadm cannot express stands on lines that it takes for comments.
   */
  LVS_DIALECT_LOSSLESS = 0,
  /**
   * ipvsadm 1.31, bug for bug.
   */
  LVS_DIALECT_IPVSADM = 1,
};

/**
 * How rules are read and written. Initialise it with LVS_RULES_OPTIONS_INIT: lossless, numbers
 * only, all errors.
 */
typedef struct lvs_rules_options {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Whose habits count: enum lvs_dialect.
   */
  uint32_t dialect;
  /**
   * Not 0: names of hosts and ports are resolved when read (hosts by the system's resolver,
   * which may use the network) and ports have names when written. 0: numbers only, nobody is
   * asked.
   */
  uint32_t names;
  /**
   * Reading: not 0 reports only the first error of a line, the one that ipvsadm reports.
   */
  uint32_t first_error_only;
  /**
   * Writing: not 0 writes no extended lines; what they would have said is reported as lost.
   */
  uint32_t no_extended_lines;
} lvs_rules_options;
#define LVS_RULES_OPTIONS_INIT {(uint32_t)sizeof(lvs_rules_options), LVS_DIALECT_LOSSLESS, 0, 0, 0}

/**
 * What is lost when rules are written.
 */
LVS_ENUM(lvs_loss_kind) {
  /**
   * All of it: the language cannot express it. With a service its destinations are lost, too.
   */
  LVS_LOSS_KIND_EVERYTHING = 1,
  /**
   * The text says it in a way that ipvsadm cannot read.
   */
  LVS_LOSS_KIND_UNREADABLE = 2,
  /**
   * Flag bits of a service.
   */
  LVS_LOSS_KIND_FLAGS = 3,
  /**
   * The timeout of a service.
   */
  LVS_LOSS_KIND_TIMEOUT = 4,
  /**
   * The netmask of a service.
   */
  LVS_LOSS_KIND_NETMASK = 5,
  /**
   * The persistence engine of a service.
   */
  LVS_LOSS_KIND_ENGINE = 6,
  /**
   * The forwarding method of a destination.
   */
  LVS_LOSS_KIND_FORWARDING = 7,
  /**
   * The weight of a destination.
   */
  LVS_LOSS_KIND_WEIGHT = 8,
  /**
   * The thresholds of a destination.
   */
  LVS_LOSS_KIND_THRESHOLDS = 9,
  /**
   * The tunnel of a destination.
   */
  LVS_LOSS_KIND_TUNNEL = 10,
  /**
   * The timeouts of the table.
   */
  LVS_LOSS_KIND_TIMEOUTS = 11,
  /**
   * A sync daemon.
   */
  LVS_LOSS_KIND_DAEMON = 12,
};

/**
 * Something that a text does not carry. Initialise it with LVS_LOSS_INIT.
 */
typedef struct lvs_loss {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * What is lost: enum lvs_loss_kind; 0 for something that this release has no number for.
   */
  uint32_t kind;
  /**
   * Of which service; without a family if of none.
   */
  struct lvs_service_key service;
  /**
   * Of which destination; without a family if of none.
   */
  struct lvs_destination_key destination;
  /**
   * LVS_LOSS_KIND_DAEMON: enum lvs_role; else 0.
   */
  uint32_t role;
} lvs_loss;
#define LVS_LOSS_INIT \
  {(uint32_t)sizeof(lvs_loss), 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_, 0}

/**
 * A rules file, read.
 *
 * Made by lvs_rules_parse(), released by lvs_rules_free(). It never changes: any number of threads
 * may read it.
 */
typedef struct lvs_rules lvs_rules;

/**
 * What a text that was written does not carry.
 *
 * Made by lvs_table_emit() and others, released by lvs_losses_free(). It never changes: any number
 * of threads may read it.
 */
typedef struct lvs_losses lvs_losses;

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_rules_options_init(struct lvs_rules_options *options,
                                  uint32_t struct_size,
                                  struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_loss_init(struct lvs_loss *loss,
                         uint32_t struct_size,
                         struct lvs_error **err);

/**
 * Reads a rules text of `len` bytes: what ipvsadm -S writes, what people write by hand. `options`
 * may be NULL.
 *
 * LVS_STATUS_SYNTAX reports all errors at once: lvs_error_diagnostics_len() and
 * lvs_error_diagnostic_get() have each with its line and column, lvs_error_message() all of them
 * as a text.
 */
LVS_NODISCARD
lvs_status lvs_rules_parse(const char *text,
                           size_t len,
                           const struct lvs_rules_options *options,
                           struct lvs_rules **rules,
                           struct lvs_error **err);

/**
 * How many rules there are; 0 if `rules` is NULL.
 */
size_t lvs_rules_len(const struct lvs_rules *rules);

/**
 * Reads on which line, from 1, rule `index` stands.
 */
LVS_NODISCARD
lvs_status lvs_rules_line(const struct lvs_rules *rules,
                          size_t index,
                          size_t *line,
                          struct lvs_error **err);

/**
 * Writes what the rules ask for that cannot work, although they are taken, such as a port that
 * direct routing does not honour: for each its place, the way out, and the line with a mark below;
 * nothing if all is well. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_rules_warnings(const struct lvs_rules *rules,
                              struct lvs_text *text,
                              struct lvs_error **err);

/**
 * Makes the table that the rules describe: what an empty director holds after all of them.
 * LVS_STATUS_SYNTAX, as lvs_rules_parse() reports it, at rules that are no change and at those
 * that cannot take effect.
 */
LVS_NODISCARD
lvs_status lvs_rules_to_table(const struct lvs_rules *rules,
                              struct lvs_table **table,
                              struct lvs_error **err);

/**
 * Adds the changes that the rules ask for to a batch, each of the rules one, as ipvsadm -R carries
 * them out. LVS_STATUS_SYNTAX, as lvs_rules_parse() reports it, at rules that are no change, such
 * as -L.
 */
LVS_NODISCARD
lvs_status lvs_rules_to_batch(const struct lvs_rules *rules,
                              struct lvs_batch *batch,
                              struct lvs_error **err);

/**
 * Writes rules in canonical form, with their comments in the lossless dialect. `options` may be
 * NULL; so may `losses`, which otherwise gets what the text does not carry: release it with
 * lvs_losses_free(). Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_rules_emit(const struct lvs_rules *rules,
                          const struct lvs_rules_options *options,
                          struct lvs_text *text,
                          struct lvs_losses **losses,
                          struct lvs_error **err);

/**
 * Releases rules. NULL does nothing.
 */
void lvs_rules_free(struct lvs_rules *rules);

/**
 * Writes a table as the rules that build it. `options` may be NULL; so may `losses`, which
 * otherwise gets what the text does not carry: release it with lvs_losses_free(). Ends the process
 * if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_table_emit(const struct lvs_table *table,
                          const struct lvs_rules_options *options,
                          struct lvs_text *text,
                          struct lvs_losses **losses,
                          struct lvs_error **err);

/**
 * Writes the operations of a batch as rules, a line each: what ipvsadm -R would carry out.
 * `options` and `losses` as for lvs_table_emit(). Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_batch_emit(const struct lvs_batch *batch,
                          const struct lvs_rules_options *options,
                          struct lvs_text *text,
                          struct lvs_losses **losses,
                          struct lvs_error **err);

/**
 * Writes the steps of a plan as rules, a line each, for a dry run. `options` and `losses` as for
 * lvs_table_emit(). Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_plan_emit(const struct lvs_plan *plan,
                         const struct lvs_rules_options *options,
                         struct lvs_text *text,
                         struct lvs_losses **losses,
                         struct lvs_error **err);

/**
 * How many losses there are; 0 if `losses` is NULL.
 */
size_t lvs_losses_len(const struct lvs_losses *losses);

/**
 * Reads loss `index`.
 */
LVS_NODISCARD
lvs_status lvs_losses_get(const struct lvs_losses *losses,
                          size_t index,
                          struct lvs_loss *loss,
                          struct lvs_error **err);

/**
 * Writes the losses as sentences, a line each.
 * Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_losses_describe(const struct lvs_losses *losses,
                               struct lvs_text *text,
                               struct lvs_error **err);

/**
 * Releases losses. NULL does nothing.
 */
void lvs_losses_free(struct lvs_losses *losses);

/* Draining servers without cutting a connection --------------------------------------------------- */

/**
 * What is taken out.
 */
LVS_ENUM(lvs_drain_target) {
  /**
   * One destination of one service.
   */
  LVS_DRAIN_TARGET_DESTINATION = 0,
  /**
   * Every destination with this address, whatever its port, in every service.
   */
  LVS_DRAIN_TARGET_REAL_SERVER = 1,
  /**
   * A service with all its destinations, and then the service itself.
   */
  LVS_DRAIN_TARGET_SERVICE = 2,
};

/**
 * Which connections of a quiesced destination are waited for. Each includes the one before.
 */
LVS_ENUM(lvs_wait_for) {
  /**
   * None: it goes at once.
   */
  LVS_WAIT_FOR_NOTHING = 0,
  /**
   * Active ones: established or on the way there.
   */
  LVS_WAIT_FOR_ACTIVE = 1,
  /**
   * Inactive ones as well: closing ones, and everything of UDP.
   */
  LVS_WAIT_FOR_INACTIVE = 2,
  /**
   * Persistence templates as well.
   */
  LVS_WAIT_FOR_PERSISTENT = 3,
};

/**
 * What to drain, and how. Initialise it with LVS_DRAIN_OPTIONS_INIT: one destination; waits for
 * active connections of TCP and SCTP without a deadline, not for UDP, then removes.
 */
typedef struct lvs_drain_options {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * What is taken out: enum lvs_drain_target.
   */
  uint32_t target;
  /**
   * The service, unless the target is a real server.
   */
  struct lvs_service_key service;
  /**
   * The destination. Of a real server only the address counts, of a service nothing.
   */
  struct lvs_destination_key destination;
  /**
   * What to wait for with TCP and firewall marks: enum lvs_wait_for.
   */
  uint32_t tcp;
  /**
   * What to wait for with UDP: enum lvs_wait_for.
   */
  uint32_t udp;
  /**
   * What to wait for with SCTP: enum lvs_wait_for.
   */
  uint32_t sctp;
  /**
   * Not 0: what is drained stays in the table, quiesced.
   */
  uint32_t keep;
  /**
   * When the waiting ends and what is left is cut, in nanoseconds from the first step; LVS_NEVER
   * waits for ever.
   */
  uint64_t deadline;
} lvs_drain_options;
#define LVS_DRAIN_OPTIONS_INIT \
  {(uint32_t)sizeof(lvs_drain_options), LVS_DRAIN_TARGET_DESTINATION, LVS_SERVICE_KEY_INIT_, \
   LVS_DESTINATION_KEY_INIT_, LVS_WAIT_FOR_ACTIVE, LVS_WAIT_FOR_NOTHING, LVS_WAIT_FOR_ACTIVE, 0, LVS_NEVER}

/**
 * No time at all: nothing is waited for until then, nothing changes then.
 */
#define LVS_NEVER UINT64_MAX

/**
 * What a destination still holds. Initialise it with LVS_REMAINING_INIT.
 */
typedef struct lvs_remaining {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Active connections.
   */
  uint32_t active;
  /**
   * Inactive connections.
   */
  uint32_t inactive;
  /**
   * Persistence templates.
   */
  uint32_t persistent;
  /**
   * The service.
   */
  struct lvs_service_key service;
  /**
   * The destination.
   */
  struct lvs_destination_key destination;
} lvs_remaining;
#define LVS_REMAINING_INIT \
  {(uint32_t)sizeof(lvs_remaining), 0, 0, 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_}

/**
 * A drain under way: a state machine without a clock. Show it a snapshot and the time, and it says
 * which operations are due.
 *
 * Made by lvs_drain_new(), released by lvs_drain_free(). One thread at a time.
 */
typedef struct lvs_drain lvs_drain;

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_drain_options_init(struct lvs_drain_options *options,
                                  uint32_t struct_size,
                                  struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_remaining_init(struct lvs_remaining *remaining,
                              uint32_t struct_size,
                              struct lvs_error **err);

/**
 * Makes a drain that has not begun.
 */
LVS_NODISCARD
lvs_status lvs_drain_new(const struct lvs_drain_options *options,
                         struct lvs_drain **drain,
                         struct lvs_error **err);

/**
 * Tells a drain that it goes on after a restart: the weights that lvs_drain_cancel() goes back to
 * are those of this table, where the director holds 0.
 */
LVS_NODISCARD
lvs_status lvs_drain_resume(struct lvs_drain *drain,
                            const struct lvs_table *table,
                            struct lvs_error **err);

/**
 * Looks at a snapshot at a time, in nanoseconds of any clock that does not run backwards.
 * `operations` gets what is due now in place of what it held: apply it, in whatever rhythm; what
 * was refused or lost comes again. `done` says whether the drain is over.
 */
LVS_NODISCARD
lvs_status lvs_drain_step(struct lvs_drain *drain,
                          const struct lvs_snapshot *snapshot,
                          uint64_t now,
                          struct lvs_batch *operations,
                          bool *done,
                          struct lvs_error **err);

/**
 * How many destinations the last step waits for; 0 if `drain` is NULL.
 */
size_t lvs_drain_waiting_len(const struct lvs_drain *drain);

/**
 * Reads what the last step waits for.
 */
LVS_NODISCARD
lvs_status lvs_drain_waiting_get(const struct lvs_drain *drain,
                                 size_t index,
                                 struct lvs_remaining *remaining,
                                 struct lvs_error **err);

/**
 * How many destinations the last step cut because the deadline passed; 0 if `drain` is NULL.
 */
size_t lvs_drain_cut_len(const struct lvs_drain *drain);

/**
 * Reads what the last step cut, with what it still held.
 */
LVS_NODISCARD
lvs_status lvs_drain_cut_get(const struct lvs_drain *drain,
                             size_t index,
                             struct lvs_remaining *remaining,
                             struct lvs_error **err);

/**
 * Gives up: `operations` gets what puts the weights back, as far as it is still there, in place of
 * what it held.
 */
LVS_NODISCARD
lvs_status lvs_drain_cancel(struct lvs_drain *drain,
                            const struct lvs_snapshot *snapshot,
                            struct lvs_batch *operations,
                            struct lvs_error **err);

/**
 * Releases a drain. NULL does nothing.
 */
void lvs_drain_free(struct lvs_drain *drain);

/* Health: from probe results to weights ----------------------------------------------------------- */

/**
 * What a probe found out.
 */
LVS_ENUM(lvs_probe) {
  /**
   * The server does not answer, or not as it should.
   */
  LVS_PROBE_DOWN = 0,
  /**
   * The server answers.
   */
  LVS_PROBE_UP = 1,
  /**
   * The server answers and says which weight it wants from now on; 0 asks to be quiesced.
   */
  LVS_PROBE_UP_WITH_WEIGHT = 2,
  /**
   * The probe could not be run: the shortage is the program's own. Nothing changes.
   */
  LVS_PROBE_UNKNOWN = 3,
};

/**
 * What an operator wants of a server, whatever probes say.
 */
LVS_ENUM(lvs_forced) {
  /**
   * Out of use, even if its probes succeed.
   */
  LVS_FORCED_DOWN = 0,
  /**
   * In use with its usual weight, even if its probes fail.
   */
  LVS_FORCED_UP = 1,
  /**
   * This weight while its probes succeed; 0 quiesces it.
   */
  LVS_FORCED_WEIGHT = 2,
};

/**
 * What a report, or the time, has changed.
 */
LVS_ENUM(lvs_change_kind) {
  /**
   * A server is in use again.
   */
  LVS_CHANGE_KIND_SERVER_UP = 1,
  /**
   * A server is out of use.
   */
  LVS_CHANGE_KIND_SERVER_DOWN = 2,
  /**
   * A server has changed too often and stays down for the time that its damping says.
   */
  LVS_CHANGE_KIND_SERVER_DAMPED = 3,
  /**
   * The service has too little weight left: its sorry server serves, if it has one.
   */
  LVS_CHANGE_KIND_QUORUM_LOST = 4,
  /**
   * The service has enough weight again.
   */
  LVS_CHANGE_KIND_QUORUM_REGAINED = 5,
  /**
   * An override has ended by itself.
   */
  LVS_CHANGE_KIND_OVERRIDE_EXPIRED = 6,
  /**
   * A server's probes ask for more weight than it may have.
   */
  LVS_CHANGE_KIND_WEIGHT_LIMITED = 7,
};

/**
 * When servers come and go, and what a service does when too few are left. Initialise it with
 * LVS_HEALTH_POLICY_INIT: one success brings a server back, three failures in a row inhibit it;
 * quorum 1 without hysteresis.
 */
typedef struct lvs_health_policy {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Successes in a row that bring a server back; at least 1.
   */
  uint32_t rise;
  /**
   * Failures in a row that take a server out; at least 1.
   */
  uint32_t fall;
  /**
   * Not 0: a server that is down is removed. 0: it stays with weight 0.
   */
  uint32_t remove;
  /**
   * Not 0: servers are out of use until a first probe succeeds.
   */
  uint32_t start_down;
  /**
   * The weight of the servers in use below which the service has lost its quorum.
   */
  uint32_t quorum;
  /**
   * By how much the weight must pass the quorum, downwards to lose it and upwards to have it
   * back.
   */
  uint32_t hysteresis;
  /**
   * Damping: so many times down within `damping_window` hold a server down; 0 for no damping.
   */
  uint32_t damping_falls;
  /**
   * Damping: the time in which falls count, in nanoseconds.
   */
  uint64_t damping_window;
  /**
   * Damping: how long the server is held down, in nanoseconds.
   */
  uint64_t damping_hold;
  /**
   * How long a server that comes back takes to reach its weight, in nanoseconds; 0 for at once.
   */
  uint64_t slow_start;
  /**
   * Who serves while the quorum is lost, or NULL. Copied.
   */
  const struct lvs_destination *sorry_server;
  /**
   * The largest weight that a probe gets by asking for it, unless the server was given more; 0
   * for 256.
   */
  uint32_t max_asked_weight;
  /**
   * Reserved: must be 0.
   */
  uint32_t reserved;
} lvs_health_policy;
#define LVS_HEALTH_POLICY_INIT \
  {(uint32_t)sizeof(lvs_health_policy), 1, 3, 0, 0, 1, 0, 0, 0, 0, 0, NULL, 0, 0}

/**
 * A change of a server or a service. Initialise it with LVS_CHANGE_INIT.
 */
typedef struct lvs_change {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * What has changed: enum lvs_change_kind; 0 for something that this release has no number for.
   */
  uint32_t kind;
  /**
   * The service.
   */
  struct lvs_service_key service;
  /**
   * The server; without a family if it is about the service.
   */
  struct lvs_destination_key destination;
  /**
   * LVS_CHANGE_KIND_WEIGHT_LIMITED: the weight asked for.
   */
  uint32_t asked;
} lvs_change;
#define LVS_CHANGE_INIT \
  {(uint32_t)sizeof(lvs_change), 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_, 0}

/**
 * The health of services and their servers: a state machine without probes, clock or director.
 *
 * Made by lvs_health_new(), released by lvs_health_free(). One thread at a time.
 */
typedef struct lvs_health lvs_health;

/**
 * The name of a kind of change, such as "server_up". Never NULL: an unknown number gives
 * "unknown". The string is static. Any thread.
 */
const char *lvs_change_kind_name(uint32_t kind);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_health_policy_init(struct lvs_health_policy *policy,
                                  uint32_t struct_size,
                                  struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_change_init(struct lvs_change *change,
                           uint32_t struct_size,
                           struct lvs_error **err);

/**
 * Makes a health that watches nothing yet.
 */
LVS_NODISCARD lvs_status lvs_health_new(struct lvs_health **health, struct lvs_error **err);

/**
 * Watches service `index` of a table with its destinations, whose weights are those for when they
 * are well. `policy` may be NULL. A service that is watched already gets this configuration
 * instead of the one it had: servers that stay keep their states and overrides, others are
 * forgotten. What that changes can be read with lvs_health_change_get(). Ends the process if there
 * is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_health_watch(struct lvs_health *health,
                            const struct lvs_table *table,
                            size_t index,
                            const struct lvs_health_policy *policy,
                            struct lvs_error **err);

/**
 * Forgets a service. LVS_STATUS_NOT_FOUND if it is not watched.
 */
LVS_NODISCARD
lvs_status lvs_health_unwatch(struct lvs_health *health,
                              const struct lvs_service_key *service,
                              struct lvs_error **err);

/**
 * Sets the weight of a server for when it is well. What that changes can be read with
 * lvs_health_change_get().
 */
LVS_NODISCARD
lvs_status lvs_health_set_weight(struct lvs_health *health,
                                 const struct lvs_service_key *service,
                                 const struct lvs_destination_key *server,
                                 uint32_t weight,
                                 struct lvs_error **err);

/**
 * Learns from what a director holds which servers were out of use, for a start without a saved
 * state: those with weight 0, and if `absent_down` those that are missing from a service that is
 * there.
 */
LVS_NODISCARD
lvs_status lvs_health_start_from(struct lvs_health *health,
                                 const struct lvs_table *held,
                                 bool absent_down,
                                 struct lvs_error **err);

/**
 * Writes what is known of all servers as JSON, to be kept over a restart.
 * Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_health_save(const struct lvs_health *health,
                           uint64_t now,
                           struct lvs_text *text,
                           struct lvs_error **err);

/**
 * Goes on from what lvs_health_save() wrote: servers that are watched and were saved are as they
 * were. `away` is the time in nanoseconds that has passed since, as far as it is known. Call
 * lvs_health_tick() afterwards. LVS_STATUS_DECODE for text that is no such state.
 */
LVS_NODISCARD
lvs_status lvs_health_restore(struct lvs_health *health,
                              const char *json,
                              uint64_t now,
                              uint64_t away,
                              struct lvs_error **err);

/**
 * Holds a server to what an operator has decided, whatever its probes say, until a time
 * (LVS_NEVER: until it is cleared). `forced` is one of enum lvs_forced, `weight` counts with
 * LVS_FORCED_WEIGHT. What that changes can be read with lvs_health_change_get().
 */
LVS_NODISCARD
lvs_status lvs_health_set_override(struct lvs_health *health,
                                   const struct lvs_service_key *service,
                                   const struct lvs_destination_key *server,
                                   uint32_t forced,
                                   uint32_t weight,
                                   const char *reason,
                                   uint64_t until,
                                   struct lvs_error **err);

/**
 * Ends an override; without one nothing changes. What that changes can be read with
 * lvs_health_change_get().
 */
LVS_NODISCARD
lvs_status lvs_health_clear_override(struct lvs_health *health,
                                     const struct lvs_service_key *service,
                                     const struct lvs_destination_key *server,
                                     struct lvs_error **err);

/**
 * Writes what is odd about the policies, such as a quorum that all servers together do not reach:
 * a line each, nothing if all is well. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_health_warnings(const struct lvs_health *health,
                               struct lvs_text *text,
                               struct lvs_error **err);

/**
 * Takes in what a probe of one server of one service says, at a time in nanoseconds of any clock
 * that does not run backwards. `probe` is one of enum lvs_probe, `weight` counts with
 * LVS_PROBE_UP_WITH_WEIGHT. LVS_STATUS_NOT_FOUND if the server is not watched (any more). What has
 * changed by it can be read with lvs_health_change_get().
 */
LVS_NODISCARD
lvs_status lvs_health_report(struct lvs_health *health,
                             const struct lvs_service_key *service,
                             const struct lvs_destination_key *server,
                             uint32_t probe,
                             uint32_t weight,
                             uint64_t now,
                             struct lvs_error **err);

/**
 * Takes in what a probe of a whole host says: of all its servers in all services. Otherwise as
 * lvs_health_report().
 */
LVS_NODISCARD
lvs_status lvs_health_report_host(struct lvs_health *health,
                                  const struct lvs_address *host,
                                  uint32_t probe,
                                  uint32_t weight,
                                  uint64_t now,
                                  struct lvs_error **err);

/**
 * Takes in that time has passed: a hold may be over. Call it when lvs_health_next_change() says
 * so. Otherwise as lvs_health_report().
 */
LVS_NODISCARD
lvs_status lvs_health_tick(struct lvs_health *health,
                           uint64_t now,
                           struct lvs_error **err);

/**
 * How many changes the last report or tick has brought; 0 if `health` is NULL.
 */
size_t lvs_health_changes_len(const struct lvs_health *health);

/**
 * Reads a change of the last report or tick.
 */
LVS_NODISCARD
lvs_status lvs_health_change_get(const struct lvs_health *health,
                                 size_t index,
                                 struct lvs_change *change,
                                 struct lvs_error **err);

/**
 * Makes the table that is wanted at a time; put it in force with lvs_director_reconcile().
 */
LVS_NODISCARD
lvs_status lvs_health_wanted(const struct lvs_health *health,
                             uint64_t now,
                             struct lvs_table **table,
                             struct lvs_error **err);

/**
 * When the wanted table changes next without any report, in nanoseconds of the same clock;
 * LVS_NEVER if it does not, or if `health` is NULL.
 */
uint64_t lvs_health_next_change(const struct lvs_health *health, uint64_t now);

/**
 * Reads whether a server is in use. LVS_STATUS_NOT_FOUND if it is not watched.
 */
LVS_NODISCARD
lvs_status lvs_health_is_up(const struct lvs_health *health,
                            const struct lvs_service_key *service,
                            const struct lvs_destination_key *server,
                            bool *up,
                            struct lvs_error **err);

/**
 * Reads whether a service has its quorum. LVS_STATUS_NOT_FOUND if it is not watched.
 */
LVS_NODISCARD
lvs_status lvs_health_has_quorum(const struct lvs_health *health,
                                 const struct lvs_service_key *service,
                                 bool *quorum,
                                 struct lvs_error **err);

/**
 * Releases a health. NULL does nothing.
 */
void lvs_health_free(struct lvs_health *health);

/* Watching: what changed since the previous snapshot ---------------------------------------------- */

/**
 * A difference between two looks at a director. A later release may add some.
 */
LVS_ENUM(lvs_event_kind) {
  /**
   * A service is new. At the first look all are.
   */
  LVS_EVENT_KIND_SERVICE_APPEARED = 1,
  /**
   * The configuration of a service is another.
   */
  LVS_EVENT_KIND_SERVICE_CHANGED = 2,
  /**
   * A service is gone, and its destinations with it.
   */
  LVS_EVENT_KIND_SERVICE_VANISHED = 3,
  /**
   * A destination is new.
   */
  LVS_EVENT_KIND_DESTINATION_APPEARED = 4,
  /**
   * The configuration of a destination is another: its weight, for instance.
   */
  LVS_EVENT_KIND_DESTINATION_CHANGED = 5,
  /**
   * A destination is gone from a service that is still there.
   */
  LVS_EVENT_KIND_DESTINATION_VANISHED = 6,
  /**
   * Something was counted since the last look.
   */
  LVS_EVENT_KIND_COUNTED = 7,
  /**
   * Counters are lower than at the last look: zeroed, or what they belong to was removed and
   * added again.
   */
  LVS_EVENT_KIND_COUNTERS_RESET = 8,
  /**
   * The timeouts are others.
   */
  LVS_EVENT_KIND_TIMEOUTS_CHANGED = 9,
  /**
   * A sync daemon runs that did not, or not so.
   */
  LVS_EVENT_KIND_DAEMON_STARTED = 10,
  /**
   * A sync daemon does not run any more, or not so.
   */
  LVS_EVENT_KIND_DAEMON_STOPPED = 11,
};

/**
 * What is different, and about what. Initialise it with LVS_EVENT_INIT.
 */
typedef struct lvs_event {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * What is different: enum lvs_event_kind; 0 for something that this release has no number for.
   */
  uint32_t kind;
  /**
   * The service that it is about; without a family if it is about none.
   */
  struct lvs_service_key service;
  /**
   * The destination that it is about; without a family if it is about none.
   */
  struct lvs_destination_key destination;
  /**
   * Counted: how much.
   */
  struct lvs_counters delta;
  /**
   * Counted: the time between the looks, in nanoseconds. Counters move every two seconds, so
   * `delta` a second is not `delta / elapsed`.
   */
  uint64_t elapsed;
  /**
   * Counted: what rates are to be taken from: this much ...
   */
  struct lvs_counters window_delta;
  /**
   * ... in this time, in nanoseconds: whole ticks of the kernel's estimator. 0 as long as there
   * is no such time.
   */
  uint64_t window;
} lvs_event;
#define LVS_EVENT_INIT \
  {(uint32_t)sizeof(lvs_event), 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_, LVS_COUNTERS_INIT_, 0, \
   LVS_COUNTERS_INIT_, 0}

/**
 * Compares each look at a director with the one before. It has no clock: snapshots are given to
 * lvs_watcher_observe(), or read by lvs_watcher_look().
 *
 * Made by lvs_watcher_new(), released by lvs_watcher_free(). One thread at a time.
 */
typedef struct lvs_watcher lvs_watcher;

/**
 * The name of a kind of event as JSON has it, such as "service_appeared". Never NULL: an unknown
 * number gives "unknown". The string is static. Any thread.
 */
const char *lvs_event_kind_name(uint32_t kind);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_event_init(struct lvs_event *event,
                          uint32_t struct_size,
                          struct lvs_error **err);

/**
 * Makes a watcher that has seen nothing yet.
 */
LVS_NODISCARD lvs_status lvs_watcher_new(struct lvs_watcher **watcher, struct lvs_error **err);

/**
 * Takes in a look at a time, in nanoseconds of any clock that does not run backwards. What is
 * different since the one before can be read with lvs_watcher_event_get(). The snapshot is copied:
 * it stays the caller's. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_watcher_observe(struct lvs_watcher *watcher,
                               const struct lvs_snapshot *snapshot,
                               uint64_t now,
                               struct lvs_error **err);

/**
 * Reads a director and takes in what it shows, as lvs_watcher_observe() does of a snapshot, at the
 * least cost that the director offers: of a kernel over netlink, IPv4 services by the old socket
 * options, and over netlink what these do not show and may have changed. Such a look misses a
 * change of nothing but a service's persistence engine, one of nothing but a tunnel's parameters,
 * and, where there was no IPv6 service before, IPv6 services. They are seen at the next whole
 * look: the first, each after a failure, and every tenth.
 *
 * If it fails, what was seen before is kept, and the differences of the look before with it.
 */
LVS_NODISCARD
lvs_status lvs_watcher_look(struct lvs_watcher *watcher,
                            const struct lvs_director *director,
                            uint64_t now,
                            struct lvs_error **err);

/**
 * How many differences the last look has brought; 0 if `watcher` is NULL.
 */
size_t lvs_watcher_events_len(const struct lvs_watcher *watcher);

/**
 * Reads a difference.
 */
LVS_NODISCARD
lvs_status lvs_watcher_event_get(const struct lvs_watcher *watcher,
                                 size_t index,
                                 struct lvs_event *event,
                                 struct lvs_error **err);

/**
 * Reads what a service was and is. `before` is left alone if it is new, `after` if it is gone;
 * each may be NULL. LVS_STATUS_NOT_FOUND if the difference is not about the configuration of a
 * service.
 */
LVS_NODISCARD
lvs_status lvs_watcher_event_service(const struct lvs_watcher *watcher,
                                     size_t index,
                                     struct lvs_service *before,
                                     struct lvs_service *after,
                                     struct lvs_error **err);

/**
 * Reads what a destination was and is. `before` is left alone if it is new, `after` if it is gone;
 * each may be NULL. LVS_STATUS_NOT_FOUND if the difference is not about the configuration of a
 * destination.
 */
LVS_NODISCARD
lvs_status lvs_watcher_event_destination(const struct lvs_watcher *watcher,
                                         size_t index,
                                         struct lvs_destination *before,
                                         struct lvs_destination *after,
                                         struct lvs_error **err);

/**
 * Reads the sync daemon that started or stopped. LVS_STATUS_NOT_FOUND if the difference is not
 * about one.
 */
LVS_NODISCARD
lvs_status lvs_watcher_event_daemon(const struct lvs_watcher *watcher,
                                    size_t index,
                                    struct lvs_daemon *daemon,
                                    struct lvs_error **err);

/**
 * Releases a watcher. NULL does nothing.
 */
void lvs_watcher_free(struct lvs_watcher *watcher);

/* JSON of what can be stored and sent, in the one schema of all languages ------------------------- */

/**
 * Writes a snapshot as JSON, services and destinations in its order; lvs_snapshot_sort() puts them in another one.
 * The schema is that of all languages: lvs-core/schema/lvs.schema.json of the sources. Ends the process if there
 * is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_to_json(const struct lvs_snapshot *snapshot,
                                struct lvs_text *text,
                                struct lvs_error **err);

/**
 * Reads a snapshot from JSON. Unknown fields are refused: LVS_STATUS_INVALID_INPUT, and the message says where.
 * Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_snapshot_from_json(const char *text,
                                  struct lvs_snapshot **snapshot,
                                  struct lvs_error **err);

/**
 * Writes a table as JSON. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_table_to_json(const struct lvs_table *table,
                             struct lvs_text *text,
                             struct lvs_error **err);

/**
 * Reads a table from JSON. What has a default may be left out; unknown fields are refused. Ends the process if
 * there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_table_from_json(const char *text,
                               struct lvs_table **table,
                               struct lvs_error **err);

/**
 * Writes a plan as JSON: its steps, each with what undoes it. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_plan_to_json(const struct lvs_plan *plan,
                            struct lvs_text *text,
                            struct lvs_error **err);

/**
 * Reads a plan from JSON. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_plan_from_json(const char *text,
                              struct lvs_plan **plan,
                              struct lvs_error **err);

/**
 * Writes the operations of a batch as a JSON array. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_batch_to_json(const struct lvs_batch *batch,
                             struct lvs_text *text,
                             struct lvs_error **err);

/**
 * Makes a batch of the operations of a JSON array. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_batch_from_json(const char *text,
                               struct lvs_batch **batch,
                               struct lvs_error **err);

/**
 * Writes the events of a watcher as a JSON array. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_watcher_events_to_json(const struct lvs_watcher *watcher,
                                      struct lvs_text *text,
                                      struct lvs_error **err);

/**
 * Replaces the events of a watcher by those of a JSON array; what it compares the next snapshot
 * with stays. Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_watcher_events_from_json(struct lvs_watcher *watcher,
                                        const char *text,
                                        struct lvs_error **err);

/**
 * Writes the connections of a list as JSON, one object a line.
 * Ends the process if there is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_connections_to_json(const struct lvs_connections *connections,
                                   struct lvs_text *text,
                                   struct lvs_error **err);

/**
 * Writes what came of a batch as JSON, as Rust and Python write it; it is not read back. Ends the process if there
 * is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_report_to_json(const struct lvs_report *report,
                              struct lvs_text *text,
                              struct lvs_error **err);

/**
 * Writes what came of a plan as JSON, as Rust and Python write it; it is not read back. Ends the process if there
 * is no memory for it.
 */
LVS_NODISCARD
lvs_status lvs_outcome_to_json(const struct lvs_outcome *outcome,
                               struct lvs_text *text,
                               struct lvs_error **err);

/* Schedulers without a director ------------------------------------------------------------------- */

/**
 * What there is to know about a scheduler before using it. Initialise it with LVS_SCHEDULER_INIT.
 */
typedef struct lvs_scheduler {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Not 0: its choices follow from the history alone (not so for twos, which draws).
   */
  uint32_t deterministic;
  /**
   * Its name, as in `ipvsadm -s`.
   */
  char name[16];
  /**
   * Its name in full.
   */
  char title[64];
} lvs_scheduler;
#define LVS_SCHEDULER_INIT {(uint32_t)sizeof(lvs_scheduler), 0, "", ""}

/**
 * Settings of a balancer; each scheduler reads its own and ignores the others. Initialise it with
 * LVS_BALANCER_OPTIONS_INIT: IPv4, a current kernel of Debian's.
 */
typedef struct lvs_balancer_options {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Which behaviour to follow: enum lvs_profile.
   */
  uint32_t profile;
  /**
   * The family of the destinations: LVS_FAMILY_IPV4 or LVS_FAMILY_IPV6.
   */
  uint32_t family;
  /**
   * LVS_SERVICE_SCHED1 and LVS_SERVICE_SCHED2, read by sh and mh.
   */
  uint32_t flags;
  /**
   * sh: slots of the table as a power of two, 4 to 20.
   */
  uint32_t sh_table_bits;
  /**
   * mh: size of the table, 8 (251 slots) to 17 (131071 slots).
   */
  uint32_t mh_table_index;
  /**
   * lblc: idle time after which an entry is dropped, in milliseconds.
   */
  uint64_t lblc_expiration;
  /**
   * lblcr: idle time after which an entry is dropped, and time after which an unchanged set
   * shrinks, in milliseconds.
   */
  uint64_t lblcr_expiration;
  /**
   * twos: the seed of its draws.
   */
  uint64_t seed;
} lvs_balancer_options;
#define LVS_BALANCER_OPTIONS_INIT \
  {(uint32_t)sizeof(lvs_balancer_options), LVS_PROFILE_NEW, LVS_FAMILY_IPV4, 0, 8, 12, 86400000, 86400000, 0}

/**
 * The packet that opens a connection. Initialise it with LVS_REQUEST_INIT: TCP, at time 0.
 */
typedef struct lvs_request {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * LVS_PROTOCOL_...
   */
  uint32_t protocol;
  /**
   * The client's address.
   */
  struct lvs_address client;
  /**
   * What the client asked for: the virtual service's address, or any if the service is a
   * firewall mark.
   */
  struct lvs_address target;
  /**
   * The client's port in host order.
   */
  uint16_t client_port;
  /**
   * The port that the client asked for, in host order.
   */
  uint16_t target_port;
  /**
   * Reserved: must be 0.
   */
  uint32_t reserved;
  /**
   * When, in milliseconds since any fixed moment. Only lblc and lblcr look at it.
   */
  uint64_t now;
} lvs_request;
#define LVS_REQUEST_INIT \
  {(uint32_t)sizeof(lvs_request), LVS_PROTOCOL_TCP, LVS_ADDRESS_INIT_, LVS_ADDRESS_INIT_, 0, 0, 0, 0}

/**
 * What happens to a connection or a persistence template of a destination.
 */
LVS_ENUM(lvs_balancer_event) {
  /**
   * A new connection. It begins inactive.
   */
  LVS_BALANCER_EVENT_CONNECTION_ADDED = 0,
  /**
   * A connection entered an active state.
   */
  LVS_BALANCER_EVENT_CONNECTION_ACTIVATED = 1,
  /**
   * A connection left the active states.
   */
  LVS_BALANCER_EVENT_CONNECTION_DEACTIVATED = 2,
  /**
   * A connection in an active state is gone.
   */
  LVS_BALANCER_EVENT_ACTIVE_REMOVED = 3,
  /**
   * A connection in no active state is gone.
   */
  LVS_BALANCER_EVENT_INACTIVE_REMOVED = 4,
  /**
   * A new persistence template.
   */
  LVS_BALANCER_EVENT_TEMPLATE_ADDED = 5,
  /**
   * A persistence template is gone.
   */
  LVS_BALANCER_EVENT_TEMPLATE_REMOVED = 6,
};

/**
 * A destination of a balancer. Initialise it with LVS_BALANCER_DESTINATION_INIT.
 */
typedef struct lvs_balancer_destination {
  /**
   * The size of this record as the program was compiled.
   */
  uint32_t struct_size;
  /**
   * Its weight.
   */
  uint32_t weight;
  /**
   * Address and port.
   */
  struct lvs_destination_key key;
  /**
   * Active connections.
   */
  int32_t active;
  /**
   * Inactive connections.
   */
  int32_t inactive;
  /**
   * Persistence templates.
   */
  int32_t persistent;
  /**
   * Not 0: on the list; 0: removed, but not forgotten.
   */
  uint32_t listed;
  /**
   * Not 0: it has reached its upper threshold.
   */
  uint32_t overloaded;
} lvs_balancer_destination;
#define LVS_BALANCER_DESTINATION_INIT \
  {(uint32_t)sizeof(lvs_balancer_destination), 0, LVS_DESTINATION_KEY_INIT_, 0, 0, 0, 0, 0}

/**
 * The destinations of one virtual service with the scheduler that chooses among them, just as the
 * kernel's would. It knows no connections: the caller counts them.
 *
 * Made by lvs_balancer_new(), released by lvs_balancer_free(). One thread at a time.
 */
typedef struct lvs_balancer lvs_balancer;

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_scheduler_init(struct lvs_scheduler *scheduler,
                              uint32_t struct_size,
                              struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_balancer_options_init(struct lvs_balancer_options *options,
                                     uint32_t struct_size,
                                     struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_request_init(struct lvs_request *request,
                            uint32_t struct_size,
                            struct lvs_error **err);

/**
 * Initialises a record for programs that cannot use the macro: `struct_size` is the size that the program gives
 * it.
 */
LVS_NODISCARD
lvs_status lvs_balancer_destination_init(struct lvs_balancer_destination *destination,
                                         uint32_t struct_size,
                                         struct lvs_error **err);

/**
 * How many schedulers there are.
 */
size_t lvs_schedulers_len(void);

/**
 * Reads scheduler `index`, in the order of ipvsadm's manual.
 */
LVS_NODISCARD
lvs_status lvs_schedulers_get(size_t index,
                              struct lvs_scheduler *scheduler,
                              struct lvs_error **err);

/**
 * Makes a balancer without destinations, with the scheduler of that name. LVS_STATUS_UNSUPPORTED
 * if there is none. `options` may be NULL.
 */
LVS_NODISCARD
lvs_status lvs_balancer_new(const char *scheduler,
                            const struct lvs_balancer_options *options,
                            struct lvs_balancer **balancer,
                            struct lvs_error **err);

/**
 * Adds a destination at the head of the list and writes its number; a removed one that is still in
 * use comes back with its counters. Of `destination` address, port, weight and thresholds count.
 * LVS_STATUS_ALREADY_EXISTS if it is on the list.
 */
LVS_NODISCARD
lvs_status lvs_balancer_add(struct lvs_balancer *balancer,
                            const struct lvs_destination *destination,
                            uint32_t *number,
                            struct lvs_error **err);

/**
 * Sets weight and thresholds of a destination, as an edit does in the kernel even if nothing
 * changes by it.
 */
LVS_NODISCARD
lvs_status lvs_balancer_edit(struct lvs_balancer *balancer,
                             uint32_t number,
                             uint32_t weight,
                             uint32_t upper_threshold,
                             uint32_t lower_threshold,
                             struct lvs_error **err);

/**
 * Takes a destination off the list. Its number, counters and connections stay until it is
 * released.
 */
LVS_NODISCARD
lvs_status lvs_balancer_remove(struct lvs_balancer *balancer,
                               uint32_t number,
                               struct lvs_error **err);

/**
 * Forgets a removed destination, unless it is listed, the scheduler still refers to it, or it has
 * connections or templates; `released` says whether it is forgotten.
 */
LVS_NODISCARD
lvs_status lvs_balancer_release(struct lvs_balancer *balancer,
                                uint32_t number,
                                bool *released,
                                struct lvs_error **err);

/**
 * Chooses the destination of a new connection and writes its number. `found` says whether one may
 * have it; it is false, and `number` left alone, if all are quiesced or overloaded. Nothing is
 * counted: see lvs_balancer_count().
 */
LVS_NODISCARD
lvs_status lvs_balancer_pick(struct lvs_balancer *balancer,
                             const struct lvs_request *request,
                             uint32_t *number,
                             bool *found,
                             struct lvs_error **err);

/**
 * Counts a connection or template of a destination; `event` is one of enum lvs_balancer_event.
 */
LVS_NODISCARD
lvs_status lvs_balancer_count(struct lvs_balancer *balancer,
                              uint32_t number,
                              uint32_t event,
                              struct lvs_error **err);

/**
 * How many destinations are on the list; 0 if `balancer` is NULL.
 */
size_t lvs_balancer_len(const struct lvs_balancer *balancer);

/**
 * Reads a destination.
 */
LVS_NODISCARD
lvs_status lvs_balancer_get(const struct lvs_balancer *balancer,
                            uint32_t number,
                            struct lvs_balancer_destination *destination,
                            struct lvs_error **err);

/**
 * When lvs_balancer_tick() wants to be called next, in milliseconds; LVS_NEVER if never, or if
 * `balancer` is NULL.
 */
uint64_t lvs_balancer_next_tick(const struct lvs_balancer *balancer);

/**
 * Does what is due at `now`, in milliseconds: lblc and lblcr drop old entries once a minute.
 */
LVS_NODISCARD
lvs_status lvs_balancer_tick(struct lvs_balancer *balancer,
                             uint64_t now,
                             struct lvs_error **err);

/**
 * Releases a balancer. NULL does nothing.
 */
void lvs_balancer_free(struct lvs_balancer *balancer);

#ifdef __cplusplus
} // extern "C"
#endif

#endif /* LVS_H */
