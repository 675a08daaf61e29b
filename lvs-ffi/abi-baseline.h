#ifndef LVS_H
#define LVS_H 
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#define LVS_VERSION "0.1.0"
#define LVS_VERSION_MAJOR 0
#define LVS_VERSION_MINOR 1
#define LVS_VERSION_PATCH 0
#define LVS_VERSION_NUMBER (LVS_VERSION_MAJOR * 1000000 + LVS_VERSION_MINOR * 1000 + LVS_VERSION_PATCH)
#if defined(__GNUC__)
#define LVS_NODISCARD __attribute__((warn_unused_result))
#else
#define LVS_NODISCARD 
#endif
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
const char *lvs_version(void);
uint32_t lvs_version_number(void);
LVS_ENUM(lvs_status) {
  LVS_STATUS_OK = 0,
  LVS_STATUS_INVALID_INPUT = 1,
  LVS_STATUS_SYNTAX = 2,
  LVS_STATUS_NOT_FOUND = 3,
  LVS_STATUS_ALREADY_EXISTS = 4,
  LVS_STATUS_PERMISSION_DENIED = 5,
  LVS_STATUS_UNSUPPORTED = 6,
  LVS_STATUS_DECODE = 7,
  LVS_STATUS_KERNEL = 8,
  LVS_STATUS_IO = 9,
  LVS_STATUS_PANIC = 10,
  LVS_STATUS_BUSY = 11,
  LVS_STATUS_NO_MEMORY = 12,
};
const char *lvs_status_name(uint32_t status);
typedef struct lvs_error lvs_error;
typedef struct lvs_diagnostic {
  uint32_t struct_size;
  uint32_t line;
  uint32_t column;
  uint32_t reserved;
  size_t start;
  size_t end;
  const char *message;
  const char *shown;
} lvs_diagnostic;
#define LVS_DIAGNOSTIC_INIT {(uint32_t)sizeof(lvs_diagnostic), 0, 0, 0, 0, 0, NULL, NULL}
LVS_ENUM(lvs_cause) {
  LVS_CAUSE_NONE = 0,
  LVS_CAUSE_SERVICE_NOT_FOUND = 1,
  LVS_CAUSE_SERVICE_EXISTS = 2,
  LVS_CAUSE_DESTINATION_NOT_FOUND = 3,
  LVS_CAUSE_DESTINATION_EXISTS = 4,
  LVS_CAUSE_SCHEDULER_NOT_FOUND = 5,
  LVS_CAUSE_ENGINE_NOT_FOUND = 6,
  LVS_CAUSE_SCHEDULER_OR_ENGINE_NOT_FOUND = 7,
  LVS_CAUSE_DAEMON_RUNNING = 8,
  LVS_CAUSE_DAEMON_NOT_RUNNING = 9,
  LVS_CAUSE_INTERFACE_NOT_FOUND = 10,
  LVS_CAUSE_PERMISSION_DENIED = 11,
  LVS_CAUSE_MODULE_MISSING = 12,
  LVS_CAUSE_OUT_OF_RANGE = 13,
  LVS_CAUSE_FAMILY_UNSUPPORTED = 14,
  LVS_CAUSE_UNSUPPORTED = 15,
  LVS_CAUSE_INVALID = 16,
  LVS_CAUSE_OTHER = 17,
  LVS_CAUSE_CHANGING = 18,
};
LVS_NODISCARD
lvs_status lvs_diagnostic_init(struct lvs_diagnostic *diagnostic,
                               uint32_t struct_size,
                               struct lvs_error **err);
const char *lvs_cause_name(uint32_t cause);
lvs_status lvs_error_status(const struct lvs_error *error);
lvs_cause lvs_error_cause(const struct lvs_error *error);
int32_t lvs_error_errno(const struct lvs_error *error);
const char *lvs_error_message(const struct lvs_error *error);
const char *lvs_error_kernel_message(const struct lvs_error *error);
size_t lvs_error_diagnostics_len(const struct lvs_error *error);
bool lvs_error_diagnostic_get(const struct lvs_error *error,
                              size_t index,
                              struct lvs_diagnostic *diagnostic);
void lvs_error_free(struct lvs_error *error);
typedef struct lvs_text lvs_text;
LVS_NODISCARD lvs_status lvs_text_new(struct lvs_text **text, struct lvs_error **err);
const char *lvs_text_data(const struct lvs_text *text);
size_t lvs_text_len(const struct lvs_text *text);
void lvs_text_free(struct lvs_text *text);
#define LVS_FAMILY_IPV4 2
#define LVS_FAMILY_IPV6 10
#define LVS_ADDRESS_STRLEN 46
typedef struct lvs_address {
  uint16_t family;
  uint16_t reserved;
  uint8_t bytes[16];
} lvs_address;
#define LVS_ADDRESS_INIT_ {0, 0, {0}}
LVS_NODISCARD
lvs_status lvs_address_parse(const char *text,
                             struct lvs_address *address,
                             struct lvs_error **err);
size_t lvs_address_format(const struct lvs_address *address, char *buffer, size_t size);
#define LVS_STATS_PRESENT 1
#define LVS_STATS32_PRESENT 2
#define LVS_STATS64_PRESENT 4
typedef struct lvs_counters {
  uint64_t connections;
  uint64_t packets_in;
  uint64_t packets_out;
  uint64_t bytes_in;
  uint64_t bytes_out;
} lvs_counters;
#define LVS_COUNTERS_INIT_ {0, 0, 0, 0, 0}
typedef struct lvs_rates {
  uint64_t connections;
  uint64_t packets_in;
  uint64_t packets_out;
  uint64_t bytes_in;
  uint64_t bytes_out;
} lvs_rates;
typedef struct lvs_stats {
  struct lvs_counters counters;
  struct lvs_rates rates;
} lvs_stats;
#define LVS_STATS_INIT_ {LVS_COUNTERS_INIT_, LVS_COUNTERS_INIT_}
#define LVS_PROTOCOL_TCP 6
#define LVS_PROTOCOL_UDP 17
#define LVS_PROTOCOL_SCTP 132
#define LVS_SERVICE_PERSISTENT 1
#define LVS_SERVICE_ONE_PACKET 4
#define LVS_SERVICE_SCHED1 8
#define LVS_SERVICE_SCHED2 16
#define LVS_SERVICE_SCHED3 32
#define LVS_NETMASK_FULL 4294967295
#define LVS_SERVICE_KEY_STRLEN 80
typedef struct lvs_service_key {
  struct lvs_address addr;
  uint16_t port;
  uint16_t protocol;
  uint32_t fwmark;
  uint32_t reserved;
} lvs_service_key;
#define LVS_SERVICE_KEY_INIT_ {LVS_ADDRESS_INIT_, 0, 0, 0, 0}
typedef struct lvs_service {
  uint32_t struct_size;
  uint32_t flags;
  struct lvs_service_key key;
  uint32_t timeout;
  uint32_t netmask;
  char scheduler[16];
  char engine[24];
} lvs_service;
#define LVS_SERVICE_INIT \
  {(uint32_t)sizeof(lvs_service), 0, LVS_SERVICE_KEY_INIT_, 0, LVS_NETMASK_FULL, "wlc", ""}
typedef struct lvs_service_state {
  uint32_t struct_size;
  uint32_t present;
  struct lvs_stats stats;
} lvs_service_state;
#define LVS_SERVICE_STATE_INIT \
  {(uint32_t)sizeof(lvs_service_state), 0, LVS_STATS_INIT_}
LVS_NODISCARD
lvs_status lvs_service_init(struct lvs_service *service,
                            uint32_t struct_size,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_service_state_init(struct lvs_service_state *state,
                                  uint32_t struct_size,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_service_key_parse(const char *text,
                                 struct lvs_service_key *key,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_service_key_endpoint(uint16_t protocol,
                                    const char *addr,
                                    uint16_t port,
                                    struct lvs_service_key *key,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_service_key_fwmark(uint32_t fwmark,
                                  uint16_t family,
                                  struct lvs_service_key *key,
                                  struct lvs_error **err);
size_t lvs_service_key_format(const struct lvs_service_key *key, char *buffer, size_t size);
bool lvs_service_key_equal(const struct lvs_service_key *a, const struct lvs_service_key *b);
int32_t lvs_service_key_compare(const struct lvs_service_key *a, const struct lvs_service_key *b);
LVS_ENUM(lvs_forwarding) {
  LVS_FORWARDING_MASQUERADE = 0,
  LVS_FORWARDING_LOCAL = 1,
  LVS_FORWARDING_TUNNEL = 2,
  LVS_FORWARDING_DIRECT = 3,
  LVS_FORWARDING_BYPASS = 4,
};
LVS_ENUM(lvs_tunnel) {
  LVS_TUNNEL_IPIP = 0,
  LVS_TUNNEL_GUE = 1,
  LVS_TUNNEL_GRE = 2,
};
#define LVS_TUNNEL_NO_CHECKSUM 0
#define LVS_TUNNEL_CHECKSUM 1
#define LVS_TUNNEL_REMOTE_CHECKSUM 2
#define LVS_DESTINATION_KEY_STRLEN 56
typedef struct lvs_destination_key {
  struct lvs_address addr;
  uint16_t port;
  uint16_t reserved;
} lvs_destination_key;
#define LVS_DESTINATION_KEY_INIT_ {LVS_ADDRESS_INIT_, 0, 0}
typedef struct lvs_destination {
  uint32_t struct_size;
  uint32_t forwarding;
  struct lvs_destination_key key;
  uint32_t weight;
  uint32_t upper_threshold;
  uint32_t lower_threshold;
  uint32_t tunnel;
  uint16_t tunnel_port;
  uint16_t tunnel_flags;
} lvs_destination;
#define LVS_DESTINATION_INIT \
  {(uint32_t)sizeof(lvs_destination), LVS_FORWARDING_DIRECT, LVS_DESTINATION_KEY_INIT_, 1, 0, 0, \
   LVS_TUNNEL_IPIP, 0, 0}
typedef struct lvs_destination_state {
  uint32_t struct_size;
  uint32_t present;
  uint32_t active;
  uint32_t inactive;
  uint32_t persistent;
  uint32_t reserved;
  struct lvs_stats stats;
} lvs_destination_state;
#define LVS_DESTINATION_STATE_INIT \
  {(uint32_t)sizeof(lvs_destination_state), 0, 0, 0, 0, 0, LVS_STATS_INIT_}
LVS_NODISCARD
lvs_status lvs_destination_init(struct lvs_destination *destination,
                                uint32_t struct_size,
                                struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_destination_state_init(struct lvs_destination_state *state,
                                      uint32_t struct_size,
                                      struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_destination_key_parse(const char *text,
                                     struct lvs_destination_key *key,
                                     struct lvs_error **err);
size_t lvs_destination_key_format(const struct lvs_destination_key *key, char *buffer, size_t size);
bool lvs_destination_key_equal(const struct lvs_destination_key *a,
                               const struct lvs_destination_key *b);
int32_t lvs_destination_key_compare(const struct lvs_destination_key *a,
                                    const struct lvs_destination_key *b);
const char *lvs_forwarding_name(uint32_t forwarding);
typedef struct lvs_timeouts {
  uint32_t struct_size;
  uint32_t tcp;
  uint32_t tcp_fin;
  uint32_t udp;
} lvs_timeouts;
#define LVS_TIMEOUTS_INIT {(uint32_t)sizeof(lvs_timeouts), 0, 0, 0}
LVS_NODISCARD
lvs_status lvs_timeouts_init(struct lvs_timeouts *timeouts,
                             uint32_t struct_size,
                             struct lvs_error **err);
LVS_ENUM(lvs_role) {
  LVS_ROLE_MASTER = 1,
  LVS_ROLE_BACKUP = 2,
};
typedef struct lvs_daemon {
  uint32_t struct_size;
  uint32_t role;
  uint32_t sync_id;
  uint16_t max_len;
  uint16_t port;
  char interface[16];
  struct lvs_address group;
  uint8_t ttl;
  uint8_t reserved[3];
} lvs_daemon;
#define LVS_DAEMON_INIT \
  {(uint32_t)sizeof(lvs_daemon), LVS_ROLE_MASTER, 0, 0, 0, "", LVS_ADDRESS_INIT_, 0, {0, 0, 0}}
LVS_NODISCARD
lvs_status lvs_daemon_init(struct lvs_daemon *daemon,
                           uint32_t struct_size,
                           struct lvs_error **err);
typedef struct lvs_info {
  uint32_t struct_size;
  uint16_t version_major;
  uint8_t version_minor;
  uint8_t version_patch;
  uint32_t connection_table_size;
} lvs_info;
#define LVS_INFO_INIT {(uint32_t)sizeof(lvs_info), 0, 0, 0, 0}
LVS_NODISCARD
lvs_status lvs_info_init(struct lvs_info *info,
                         uint32_t struct_size,
                         struct lvs_error **err);
typedef struct lvs_service_list lvs_service_list;
typedef struct lvs_destination_list lvs_destination_list;
size_t lvs_service_list_len(const struct lvs_service_list *list);
LVS_NODISCARD
lvs_status lvs_service_list_get(const struct lvs_service_list *list,
                                size_t index,
                                struct lvs_service *service,
                                struct lvs_service_state *state,
                                struct lvs_error **err);
void lvs_service_list_free(struct lvs_service_list *list);
size_t lvs_destination_list_len(const struct lvs_destination_list *list);
LVS_NODISCARD
lvs_status lvs_destination_list_get(const struct lvs_destination_list *list,
                                    size_t index,
                                    struct lvs_destination *destination,
                                    struct lvs_destination_state *state,
                                    struct lvs_error **err);
void lvs_destination_list_free(struct lvs_destination_list *list);
#define LVS_COVERAGE_IPV6 1
#define LVS_COVERAGE_TUNNELS 2
#define LVS_COVERAGE_ENGINES 4
#define LVS_COVERAGE_STATS64 8
#define LVS_COVERAGE_DAEMON_DETAILS 16
#define LVS_COMPLETE_IPV4 1
#define LVS_COMPLETE_IPV6 2
typedef struct lvs_snapshot lvs_snapshot;
size_t lvs_snapshot_services_len(const struct lvs_snapshot *snapshot);
LVS_NODISCARD
lvs_status lvs_snapshot_service_get(const struct lvs_snapshot *snapshot,
                                    size_t index,
                                    struct lvs_service *service,
                                    struct lvs_service_state *state,
                                    struct lvs_error **err);
size_t lvs_snapshot_destinations_len(const struct lvs_snapshot *snapshot, size_t index);
LVS_NODISCARD
lvs_status lvs_snapshot_destination_get(const struct lvs_snapshot *snapshot,
                                        size_t service_index,
                                        size_t destination_index,
                                        struct lvs_destination *destination,
                                        struct lvs_destination_state *state,
                                        struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_snapshot_service_stats32(const struct lvs_snapshot *snapshot,
                                        size_t index,
                                        struct lvs_stats *stats,
                                        struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_snapshot_destination_stats32(const struct lvs_snapshot *snapshot,
                                            size_t service_index,
                                            size_t destination_index,
                                            struct lvs_stats *stats,
                                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_snapshot_find(const struct lvs_snapshot *snapshot,
                             const struct lvs_service_key *key,
                             size_t *index,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_snapshot_info(const struct lvs_snapshot *snapshot,
                             struct lvs_info *info,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_snapshot_timeouts(const struct lvs_snapshot *snapshot,
                                 struct lvs_timeouts *timeouts,
                                 struct lvs_error **err);
size_t lvs_snapshot_daemons_len(const struct lvs_snapshot *snapshot);
LVS_NODISCARD
lvs_status lvs_snapshot_daemon_get(const struct lvs_snapshot *snapshot,
                                   size_t index,
                                   struct lvs_daemon *daemon,
                                   struct lvs_error **err);
uint32_t lvs_snapshot_coverage(const struct lvs_snapshot *snapshot);
uint32_t lvs_snapshot_complete(const struct lvs_snapshot *snapshot);
void lvs_snapshot_sort(struct lvs_snapshot *snapshot);
typedef struct lvs_table lvs_table;
LVS_NODISCARD
lvs_status lvs_snapshot_to_table(const struct lvs_snapshot *snapshot,
                                 struct lvs_table **table,
                                 struct lvs_error **err);
void lvs_snapshot_free(struct lvs_snapshot *snapshot);
LVS_NODISCARD lvs_status lvs_table_new(struct lvs_table **table, struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_add_service(struct lvs_table *table,
                                 const struct lvs_service *service,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_add_destination(struct lvs_table *table,
                                     const struct lvs_service_key *key,
                                     const struct lvs_destination *destination,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_find(const struct lvs_table *table,
                          const struct lvs_service_key *key,
                          size_t *index,
                          struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_update_service(struct lvs_table *table,
                                    const struct lvs_service *service,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_remove_service(struct lvs_table *table,
                                    const struct lvs_service_key *key,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_update_destination(struct lvs_table *table,
                                        const struct lvs_service_key *key,
                                        const struct lvs_destination *destination,
                                        struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_remove_destination(struct lvs_table *table,
                                        const struct lvs_service_key *key,
                                        const struct lvs_destination_key *destination,
                                        struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_remove_daemon(struct lvs_table *table,
                                   uint32_t role,
                                   struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_set_timeouts(struct lvs_table *table,
                                  const struct lvs_timeouts *timeouts,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_add_daemon(struct lvs_table *table,
                                const struct lvs_daemon *daemon,
                                struct lvs_error **err);
typedef struct lvs_scope lvs_scope;
LVS_NODISCARD
lvs_status lvs_table_restricted_to(const struct lvs_table *table,
                                   const struct lvs_scope *scope,
                                   struct lvs_table **restricted,
                                   struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_lint(const struct lvs_table *table,
                          struct lvs_text *text,
                          struct lvs_error **err);
size_t lvs_table_services_len(const struct lvs_table *table);
LVS_NODISCARD
lvs_status lvs_table_service_get(const struct lvs_table *table,
                                 size_t index,
                                 struct lvs_service *service,
                                 struct lvs_error **err);
size_t lvs_table_destinations_len(const struct lvs_table *table, size_t index);
LVS_NODISCARD
lvs_status lvs_table_destination_get(const struct lvs_table *table,
                                     size_t service_index,
                                     size_t destination_index,
                                     struct lvs_destination *destination,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_timeouts(const struct lvs_table *table,
                              struct lvs_timeouts *timeouts,
                              bool *present,
                              struct lvs_error **err);
size_t lvs_table_daemons_len(const struct lvs_table *table);
LVS_NODISCARD
lvs_status lvs_table_daemon_get(const struct lvs_table *table,
                                size_t index,
                                struct lvs_daemon *daemon,
                                struct lvs_error **err);
void lvs_table_sort(struct lvs_table *table);
bool lvs_table_equal(const struct lvs_table *a, const struct lvs_table *b);
LVS_NODISCARD
lvs_status lvs_table_clone(const struct lvs_table *table,
                           struct lvs_table **copy,
                           struct lvs_error **err);
void lvs_table_free(struct lvs_table *table);
LVS_ENUM(lvs_on_refusal) {
  LVS_ON_REFUSAL_CONTINUE = 0,
  LVS_ON_REFUSAL_STOP = 1,
};
typedef struct lvs_batch lvs_batch;
typedef struct lvs_report lvs_report;
LVS_NODISCARD lvs_status lvs_batch_new(struct lvs_batch **batch, struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_add_service(struct lvs_batch *batch,
                                 const struct lvs_service *service,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_update_service(struct lvs_batch *batch,
                                    const struct lvs_service *service,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_remove_service(struct lvs_batch *batch,
                                    const struct lvs_service_key *key,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_add_destination(struct lvs_batch *batch,
                                     const struct lvs_service_key *key,
                                     const struct lvs_destination *destination,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_update_destination(struct lvs_batch *batch,
                                        const struct lvs_service_key *key,
                                        const struct lvs_destination *destination,
                                        struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_remove_destination(struct lvs_batch *batch,
                                        const struct lvs_service_key *key,
                                        const struct lvs_destination_key *destination,
                                        struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_set_timeouts(struct lvs_batch *batch,
                                  const struct lvs_timeouts *timeouts,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_start_daemon(struct lvs_batch *batch,
                                  const struct lvs_daemon *daemon,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_stop_daemon(struct lvs_batch *batch,
                                 uint32_t role,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_zero(struct lvs_batch *batch,
                          const struct lvs_service_key *key,
                          struct lvs_error **err);
LVS_NODISCARD lvs_status lvs_batch_flush(struct lvs_batch *batch, struct lvs_error **err);
size_t lvs_batch_len(const struct lvs_batch *batch);
void lvs_batch_clear(struct lvs_batch *batch);
void lvs_batch_free(struct lvs_batch *batch);
size_t lvs_report_answered(const struct lvs_report *report);
size_t lvs_report_sent(const struct lvs_report *report);
size_t lvs_report_applied(const struct lvs_report *report);
bool lvs_report_is_complete(const struct lvs_report *report);
size_t lvs_report_refused_len(const struct lvs_report *report);
LVS_NODISCARD
lvs_status lvs_report_refused_get(const struct lvs_report *report,
                                  size_t index,
                                  size_t *operation,
                                  const struct lvs_error **why,
                                  struct lvs_error **err);
const struct lvs_error *lvs_report_interrupted(const struct lvs_report *report);
void lvs_report_free(struct lvs_report *report);
typedef struct lvs_director lvs_director;
LVS_NODISCARD
lvs_status lvs_director_info(const struct lvs_director *director,
                             struct lvs_info *info,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_services(const struct lvs_director *director,
                                 struct lvs_service_list **services,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_service(const struct lvs_director *director,
                                const struct lvs_service_key *key,
                                struct lvs_service *service,
                                struct lvs_service_state *state,
                                struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_destinations(const struct lvs_director *director,
                                     const struct lvs_service_key *key,
                                     struct lvs_destination_list **destinations,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_destination(const struct lvs_director *director,
                                    const struct lvs_service_key *service,
                                    const struct lvs_destination_key *key,
                                    struct lvs_destination *destination,
                                    struct lvs_destination_state *state,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_snapshot(const struct lvs_director *director,
                                 struct lvs_snapshot **snapshot,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_timeouts(const struct lvs_director *director,
                                 struct lvs_timeouts *timeouts,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_daemons(const struct lvs_director *director,
                                struct lvs_daemon *daemons,
                                size_t capacity,
                                size_t *count,
                                struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_add_service(const struct lvs_director *director,
                                    const struct lvs_service *service,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_update_service(const struct lvs_director *director,
                                       const struct lvs_service *service,
                                       struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_remove_service(const struct lvs_director *director,
                                       const struct lvs_service_key *key,
                                       struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_add_destination(const struct lvs_director *director,
                                        const struct lvs_service_key *key,
                                        const struct lvs_destination *destination,
                                        struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_update_destination(const struct lvs_director *director,
                                           const struct lvs_service_key *key,
                                           const struct lvs_destination *destination,
                                           struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_remove_destination(const struct lvs_director *director,
                                           const struct lvs_service_key *key,
                                           const struct lvs_destination_key *destination,
                                           struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_set_timeouts(const struct lvs_director *director,
                                     const struct lvs_timeouts *timeouts,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_start_daemon(const struct lvs_director *director,
                                     const struct lvs_daemon *daemon,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_stop_daemon(const struct lvs_director *director,
                                    uint32_t role,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_zero(const struct lvs_director *director,
                             const struct lvs_service_key *key,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_flush(const struct lvs_director *director,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_apply(const struct lvs_director *director,
                              const struct lvs_batch *batch,
                              uint32_t on_refusal,
                              struct lvs_report **report,
                              struct lvs_error **err);
void lvs_director_free(struct lvs_director *director);
LVS_ENUM(lvs_transport) {
  LVS_TRANSPORT_NETLINK = 0,
  LVS_TRANSPORT_SOCKET_OPTIONS = 1,
  LVS_TRANSPORT_AUTO = 2,
};
typedef struct lvs_kernel_options {
  uint32_t struct_size;
  uint32_t transport;
  uint32_t load_module;
  uint32_t namespace_pid;
  const char *namespace_path;
  const char *namespace_name;
  uint64_t receive_timeout;
} lvs_kernel_options;
#define LVS_KERNEL_OPTIONS_INIT \
  {(uint32_t)sizeof(lvs_kernel_options), LVS_TRANSPORT_NETLINK, 0, 0, NULL, NULL, 0}
LVS_NODISCARD
lvs_status lvs_kernel_options_init(struct lvs_kernel_options *options,
                                   uint32_t struct_size,
                                   struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_open_kernel(const struct lvs_kernel_options *options,
                                    struct lvs_director **director,
                                    struct lvs_error **err);
LVS_ENUM(lvs_profile) {
  LVS_PROFILE_NEW = 0,
  LVS_PROFILE_OLD = 1,
  LVS_PROFILE_LINUX7 = 2,
};
typedef struct lvs_interface {
  char name[16];
  uint32_t mtu;
} lvs_interface;
typedef struct lvs_network {
  struct lvs_address addr;
  uint16_t prefix_length;
  uint16_t reserved;
} lvs_network;
typedef struct lvs_embedded_options {
  uint32_t struct_size;
  uint32_t profile;
  uint64_t seed;
  uint32_t connection_table_size;
  uint32_t no_ipv6;
  const struct lvs_network *local;
  size_t local_len;
  const struct lvs_interface *interfaces;
  size_t interfaces_len;
  const char *const *schedulers;
  size_t schedulers_len;
  const char *const *engines;
  size_t engines_len;
  uint32_t ftp_helper;
  uint32_t reserved;
} lvs_embedded_options;
#define LVS_EMBEDDED_OPTIONS_INIT \
  {(uint32_t)sizeof(lvs_embedded_options), LVS_PROFILE_NEW, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, \
   0, 0}
typedef struct lvs_settings {
  uint32_t struct_size;
  uint32_t expire_nodest_conn;
  uint32_t expire_quiescent_template;
  int32_t conn_reuse_mode;
  uint32_t sloppy_tcp;
  uint32_t sloppy_sctp;
  uint32_t secure_tcp;
  uint32_t cache_bypass;
  uint32_t drop_packet;
  int32_t am_droprate;
  uint32_t run_estimation;
  uint32_t backup_only;
  uint32_t ip_unprivileged_port_start;
  uint32_t lblc_expiration;
  uint32_t lblcr_expiration;
  uint32_t drop_entry;
  int32_t amemthresh;
  uint32_t conntrack;
  uint32_t conn_max;
  int32_t conn_lfactor;
  int32_t svc_lfactor;
  uint32_t reserved;
} lvs_settings;
#define LVS_SETTINGS_INIT \
  {(uint32_t)sizeof(lvs_settings), 0, 0, 1, 0, 0, 0, 0, 0, 10, 1, 0, 1024, 86400, 86400, 0, 1024, 0, \
   1073741824, -4, -3, 0}
LVS_NODISCARD
lvs_status lvs_embedded_options_init(struct lvs_embedded_options *options,
                                     uint32_t struct_size,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_settings_init(struct lvs_settings *settings,
                             uint32_t struct_size,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_open_embedded(const struct lvs_embedded_options *options,
                                      struct lvs_director **director,
                                      struct lvs_error **err);
bool lvs_director_is_embedded(const struct lvs_director *director);
LVS_NODISCARD
lvs_status lvs_director_advance(const struct lvs_director *director,
                                uint64_t nanoseconds,
                                struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_set_available_pages(const struct lvs_director *director,
                                            uint64_t pages,
                                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_now(const struct lvs_director *director,
                            uint64_t *nanoseconds,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_totals(const struct lvs_director *director,
                               struct lvs_stats *totals,
                               struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_profile(const struct lvs_director *director,
                                uint32_t *profile,
                                struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_settings(const struct lvs_director *director,
                                 struct lvs_settings *settings,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_set_settings(const struct lvs_director *director,
                                     const struct lvs_settings *settings,
                                     struct lvs_error **err);
#define LVS_TCP_FIN 1
#define LVS_TCP_SYN 2
#define LVS_TCP_RST 4
#define LVS_TCP_ACK 16
LVS_ENUM(lvs_sctp_chunk) {
  LVS_SCTP_CHUNK_DATA = 0,
  LVS_SCTP_CHUNK_INIT = 1,
  LVS_SCTP_CHUNK_INIT_ACK = 2,
  LVS_SCTP_CHUNK_COOKIE_ECHO = 3,
  LVS_SCTP_CHUNK_COOKIE_ACK = 4,
  LVS_SCTP_CHUNK_SHUTDOWN = 5,
  LVS_SCTP_CHUNK_SHUTDOWN_ACK = 6,
  LVS_SCTP_CHUNK_SHUTDOWN_COMPLETE = 7,
  LVS_SCTP_CHUNK_ERROR = 8,
  LVS_SCTP_CHUNK_ABORT = 9,
};
typedef struct lvs_packet {
  uint32_t struct_size;
  uint32_t from_server;
  struct lvs_address source;
  struct lvs_address destination;
  uint16_t source_port;
  uint16_t destination_port;
  uint32_t protocol;
  uint32_t flags;
  uint32_t fwmark;
  uint32_t length;
  uint32_t icmp_error;
  uint32_t tracked;
} lvs_packet;
#define LVS_PACKET_INIT \
  {(uint32_t)sizeof(lvs_packet), 0, LVS_ADDRESS_INIT_, LVS_ADDRESS_INIT_, 0, 0, LVS_PROTOCOL_TCP, 0, 0, 0, 0, 0}
LVS_ENUM(lvs_tracked) {
  LVS_TRACKED_UNKNOWN = 0,
  LVS_TRACKED_YES = 1,
  LVS_TRACKED_NO = 2,
};
typedef struct lvs_flow {
  uint32_t struct_size;
  uint32_t protocol;
  struct lvs_address client;
  struct lvs_address service;
  uint16_t client_port;
  uint16_t service_port;
  uint32_t fwmark;
} lvs_flow;
#define LVS_FLOW_INIT \
  {(uint32_t)sizeof(lvs_flow), LVS_PROTOCOL_TCP, LVS_ADDRESS_INIT_, LVS_ADDRESS_INIT_, 0, 0, 0}
LVS_ENUM(lvs_verdict_kind) {
  LVS_VERDICT_KIND_FORWARDED = 0,
  LVS_VERDICT_KIND_BYPASSED = 1,
  LVS_VERDICT_KIND_REJECTED = 2,
  LVS_VERDICT_KIND_PASSED = 3,
  LVS_VERDICT_KIND_DROPPED = 4,
};
LVS_ENUM(lvs_why) {
  LVS_WHY_NONE = 0,
  LVS_WHY_CONNECTION = 1,
  LVS_WHY_TEMPLATE = 2,
  LVS_WHY_SCHEDULED = 3,
  LVS_WHY_REPLY = 4,
  LVS_WHY_NO_DESTINATION = 5,
  LVS_WHY_NO_SCHEDULER = 6,
  LVS_WHY_PORT_ZERO = 7,
  LVS_WHY_PROTOCOL = 8,
  LVS_WHY_NO_SERVICE = 9,
  LVS_WHY_NOT_OPENING = 10,
  LVS_WHY_FTP_DATA_PORT = 11,
  LVS_WHY_OTHER_PORT = 12,
  LVS_WHY_BACKUP_ONLY = 13,
  LVS_WHY_NO_REPLY = 14,
  LVS_WHY_DESTINATION_REMOVED = 15,
  LVS_WHY_DEFENCE = 16,
  LVS_WHY_TRACKED = 17,
  LVS_WHY_NO_HOOK = 18,
  LVS_WHY_CONNECTION_LIMIT = 19,
};
typedef struct lvs_verdict {
  uint32_t struct_size;
  uint32_t kind;
  uint32_t why;
  uint32_t forwarding;
  struct lvs_destination_key destination;
  uint16_t port;
  uint16_t reserved;
} lvs_verdict;
#define LVS_VERDICT_INIT {(uint32_t)sizeof(lvs_verdict), 0, 0, 0, LVS_DESTINATION_KEY_INIT_, 0, 0}
LVS_NODISCARD
lvs_status lvs_packet_init(struct lvs_packet *packet,
                           uint32_t struct_size,
                           struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_flow_init(struct lvs_flow *flow,
                         uint32_t struct_size,
                         struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_verdict_init(struct lvs_verdict *verdict,
                            uint32_t struct_size,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_receive(const struct lvs_director *director,
                                const struct lvs_packet *packet,
                                struct lvs_verdict *verdict,
                                struct lvs_text *sentence,
                                struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_receive_all(const struct lvs_director *director,
                                    const struct lvs_packet *packets,
                                    size_t len,
                                    struct lvs_verdict *verdicts,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_open_flow(const struct lvs_director *director,
                                  const struct lvs_flow *flow,
                                  struct lvs_verdict *verdict,
                                  struct lvs_text *sentence,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_send_flow(const struct lvs_director *director,
                                  const struct lvs_flow *flow,
                                  uint32_t length,
                                  struct lvs_verdict *verdict,
                                  struct lvs_text *sentence,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_close_flow(const struct lvs_director *director,
                                   const struct lvs_flow *flow,
                                   struct lvs_error **err);
LVS_ENUM(lvs_state) {
  LVS_STATE_NONE = 0,
  LVS_STATE_ESTABLISHED = 1,
  LVS_STATE_SYN_SENT = 2,
  LVS_STATE_SYN_RECV = 3,
  LVS_STATE_FIN_WAIT = 4,
  LVS_STATE_TIME_WAIT = 5,
  LVS_STATE_CLOSE = 6,
  LVS_STATE_CLOSE_WAIT = 7,
  LVS_STATE_LAST_ACK = 8,
  LVS_STATE_LISTEN = 9,
  LVS_STATE_SYN_ACK = 10,
  LVS_STATE_UDP = 11,
  LVS_STATE_INIT1 = 12,
  LVS_STATE_INIT = 13,
  LVS_STATE_COOKIE_SENT = 14,
  LVS_STATE_COOKIE_REPLIED = 15,
  LVS_STATE_COOKIE_WAIT = 16,
  LVS_STATE_COOKIE = 17,
  LVS_STATE_COOKIE_ECHOED = 18,
  LVS_STATE_SHUTDOWN_SENT = 19,
  LVS_STATE_SHUTDOWN_RECEIVED = 20,
  LVS_STATE_SHUTDOWN_ACK_SENT = 21,
  LVS_STATE_REJECTED = 22,
  LVS_STATE_CLOSED = 23,
  LVS_STATE_ASSURED = 24,
  LVS_STATE_UNKNOWN = 25,
};
LVS_ENUM(lvs_origin) {
  LVS_ORIGIN_UNKNOWN = 0,
  LVS_ORIGIN_LOCAL = 1,
  LVS_ORIGIN_SYNC = 2,
};
LVS_ENUM(lvs_connection_kind) {
  LVS_CONNECTION_KIND_CONNECTION = 0,
  LVS_CONNECTION_KIND_TEMPLATE = 1,
};
typedef struct lvs_connection {
  uint32_t struct_size;
  uint32_t state;
  uint32_t expires;
  uint32_t origin;
  struct lvs_address client;
  struct lvs_address target;
  struct lvs_address destination;
  uint16_t client_port;
  uint16_t target_port;
  uint16_t destination_port;
  uint16_t protocol;
  uint32_t fwmark;
  uint32_t kind;
  uint32_t reserved;
  const char *engine;
  size_t engine_len;
  const uint8_t *engine_data;
  size_t engine_data_len;
  const char *unknown_state;
  size_t unknown_state_len;
} lvs_connection;
#define LVS_CONNECTION_INIT \
  {(uint32_t)sizeof(lvs_connection), 0, 0, 0, LVS_ADDRESS_INIT_, LVS_ADDRESS_INIT_, LVS_ADDRESS_INIT_, \
   0, 0, 0, 0, 0, 0, 0, NULL, 0, NULL, 0, NULL, 0}
#define LVS_FILTER_SERVICE 1
#define LVS_FILTER_PROTOCOL 2
#define LVS_FILTER_DESTINATION 4
#define LVS_FILTER_STATE 8
#define LVS_FILTER_CLIENT_NETWORK 16
#define LVS_FILTER_KIND 32
#define LVS_FILTER_ORIGIN 64
#define LVS_FILTER_MIN_EXPIRES 128
#define LVS_FILTER_MAX_EXPIRES 256
typedef struct lvs_connection_filter {
  uint32_t struct_size;
  uint32_t conditions;
  struct lvs_service_key service;
  struct lvs_destination_key destination;
  struct lvs_address client;
  uint32_t client_netmask;
  uint32_t state;
  uint32_t protocol;
  uint32_t kind;
  uint32_t origin;
  uint32_t min_expires;
  uint32_t max_expires;
} lvs_connection_filter;
#define LVS_CONNECTION_FILTER_INIT \
  {(uint32_t)sizeof(lvs_connection_filter), 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_, \
   LVS_ADDRESS_INIT_, LVS_NETMASK_FULL, 0, 0, 0, 0, 0, 0}
typedef bool (*lvs_connection_visitor)(const struct lvs_connection *connection, void *user);
typedef struct lvs_connections lvs_connections;
LVS_NODISCARD
lvs_status lvs_connection_init(struct lvs_connection *connection,
                               uint32_t struct_size,
                               struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_connection_filter_init(struct lvs_connection_filter *filter,
                                      uint32_t struct_size,
                                      struct lvs_error **err);
const char *lvs_state_name(uint32_t state);
LVS_NODISCARD
lvs_status lvs_director_visit_connections(const struct lvs_director *director,
                                          const struct lvs_connection_filter *filter,
                                          lvs_connection_visitor visitor,
                                          void *user,
                                          struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_connections_new(struct lvs_connections **connections,
                               struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_connections_read(struct lvs_connections *connections,
                                const struct lvs_director *director,
                                const struct lvs_connection_filter *filter,
                                struct lvs_error **err);
size_t lvs_connections_len(const struct lvs_connections *connections);
LVS_NODISCARD
lvs_status lvs_connections_get(const struct lvs_connections *connections,
                               size_t index,
                               struct lvs_connection *connection,
                               struct lvs_error **err);
void lvs_connections_free(struct lvs_connections *connections);
LVS_ENUM(lvs_sum_by) {
  LVS_SUM_BY_GROUP = 0,
  LVS_SUM_BY_TARGET = 1,
  LVS_SUM_BY_DESTINATION = 2,
  LVS_SUM_BY_TOTAL = 3,
};
typedef struct lvs_connection_sum {
  uint32_t struct_size;
  uint32_t fwmark;
  struct lvs_address target;
  uint16_t target_port;
  uint16_t protocol;
  struct lvs_destination_key destination;
  uint64_t connections;
  uint64_t active;
  uint64_t inactive;
  uint64_t templates;
} lvs_connection_sum;
#define LVS_CONNECTION_SUM_INIT \
  {(uint32_t)sizeof(lvs_connection_sum), 0, LVS_ADDRESS_INIT_, 0, 0, LVS_DESTINATION_KEY_INIT_, 0, 0, 0, 0}
typedef struct lvs_connection_sums lvs_connection_sums;
LVS_NODISCARD
lvs_status lvs_connection_sum_init(struct lvs_connection_sum *sum,
                                   uint32_t struct_size,
                                   struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_sum_connections(const struct lvs_director *director,
                                        const struct lvs_connection_filter *filter,
                                        uint32_t by,
                                        struct lvs_connection_sums **sums,
                                        struct lvs_error **err);
size_t lvs_connection_sums_len(const struct lvs_connection_sums *sums);
LVS_NODISCARD
lvs_status lvs_connection_sums_get(const struct lvs_connection_sums *sums,
                                   size_t index,
                                   struct lvs_connection_sum *sum,
                                   struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_connection_sums_state(const struct lvs_connection_sums *sums,
                                     size_t index,
                                     uint32_t state,
                                     uint64_t *connections,
                                     struct lvs_error **err);
void lvs_connection_sums_free(struct lvs_connection_sums *sums);
typedef struct lvs_procfs lvs_procfs;
typedef struct lvs_sysctls lvs_sysctls;
LVS_ENUM(lvs_connection_file) {
  LVS_CONNECTION_FILE_ENGINES = 0,
  LVS_CONNECTION_FILE_ORIGINS = 1,
};
typedef struct lvs_helper {
  const char *name;
  size_t name_len;
  uint16_t protocol;
  uint16_t port;
  int32_t use_count;
} lvs_helper;
typedef struct lvs_table_status {
  uint64_t entries;
  uint64_t buckets;
  uint32_t bits;
  int32_t lfactor;
  uint64_t lengths[8];
} lvs_table_status;
#define LVS_TABLE_STATUS_INIT_ {0, 0, 0, 0, {0, 0, 0, 0, 0, 0, 0, 0}}
typedef struct lvs_proc_status {
  uint32_t struct_size;
  uint32_t reserved;
  struct lvs_table_status connections;
  struct lvs_table_status services;
  uint64_t estimator_threads;
  uint64_t estimator_max_threads;
  uint64_t estimator_chain_length;
  uint64_t estimator_per_thread;
} lvs_proc_status;
#define LVS_PROC_STATUS_INIT \
  {(uint32_t)sizeof(lvs_proc_status), 0, LVS_TABLE_STATUS_INIT_, LVS_TABLE_STATUS_INIT_, 0, 0, 0, 0}
typedef bool (*lvs_cpu_visitor)(uint32_t cpu, const struct lvs_counters *counters, void *user);
typedef bool (*lvs_helper_visitor)(const struct lvs_helper *helper, void *user);
LVS_NODISCARD
lvs_status lvs_proc_status_init(struct lvs_proc_status *status,
                                uint32_t struct_size,
                                struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_procfs_new(const char *directory,
                          struct lvs_procfs **procfs,
                          struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_procfs_stats(const struct lvs_procfs *procfs,
                            struct lvs_stats *stats,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_procfs_status(const struct lvs_procfs *procfs,
                             struct lvs_proc_status *status,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_proc_status(const struct lvs_director *director,
                                    struct lvs_proc_status *status,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_procfs_visit_cpus(const struct lvs_procfs *procfs,
                                 lvs_cpu_visitor visitor,
                                 void *user,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_procfs_visit_helpers(const struct lvs_procfs *procfs,
                                    lvs_helper_visitor visitor,
                                    void *user,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_procfs_visit_connections(const struct lvs_procfs *procfs,
                                        uint32_t file,
                                        const struct lvs_connection_filter *filter,
                                        lvs_connection_visitor visitor,
                                        void *user,
                                        struct lvs_error **err);
void lvs_procfs_free(struct lvs_procfs *procfs);
LVS_NODISCARD
lvs_status lvs_sysctls_new(const char *directory,
                           struct lvs_sysctls **sysctls,
                           struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_sysctls_names(const struct lvs_sysctls *sysctls,
                             struct lvs_text *names,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_sysctls_get(const struct lvs_sysctls *sysctls,
                           const char *name,
                           struct lvs_text *value,
                           struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_sysctls_set(const struct lvs_sysctls *sysctls,
                           const char *name,
                           const char *value,
                           struct lvs_error **err);
void lvs_sysctls_free(struct lvs_sysctls *sysctls);
LVS_ENUM(lvs_listing_mode) {
  LVS_LISTING_MODE_DEFAULT = 0,
  LVS_LISTING_MODE_STATS = 1,
  LVS_LISTING_MODE_RATE = 2,
  LVS_LISTING_MODE_THRESHOLDS = 3,
  LVS_LISTING_MODE_PERSISTENT_CONNECTIONS = 4,
  LVS_LISTING_MODE_TUNNEL_INFO = 5,
};
LVS_ENUM(lvs_listing_style) {
  LVS_LISTING_STYLE_IPVSADM = 0,
  LVS_LISTING_STYLE_FIXED = 1,
};
typedef struct lvs_listing_options {
  uint32_t struct_size;
  uint32_t mode;
  uint32_t style;
  uint32_t exact;
  uint32_t unsorted;
  uint32_t names;
  uint32_t engines;
} lvs_listing_options;
#define LVS_LISTING_OPTIONS_INIT {(uint32_t)sizeof(lvs_listing_options), 0, 0, 0, 0, 0, 0}
LVS_NODISCARD
lvs_status lvs_listing_options_init(struct lvs_listing_options *options,
                                    uint32_t struct_size,
                                    struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_snapshot_list(const struct lvs_snapshot *snapshot,
                             const struct lvs_listing_options *options,
                             struct lvs_text *text,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_snapshot_list_service(const struct lvs_snapshot *snapshot,
                                     size_t index,
                                     const struct lvs_listing_options *options,
                                     struct lvs_text *text,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_snapshot_list_timeouts(const struct lvs_snapshot *snapshot,
                                      struct lvs_text *text,
                                      struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_snapshot_list_daemons(const struct lvs_snapshot *snapshot,
                                     struct lvs_text *text,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_connections_list(const struct lvs_connections *connections,
                                const struct lvs_listing_options *options,
                                struct lvs_text *text,
                                struct lvs_error **err);
LVS_ENUM(lvs_operation_kind) {
  LVS_OPERATION_KIND_ADD_SERVICE = 1,
  LVS_OPERATION_KIND_UPDATE_SERVICE = 2,
  LVS_OPERATION_KIND_REMOVE_SERVICE = 3,
  LVS_OPERATION_KIND_ADD_DESTINATION = 4,
  LVS_OPERATION_KIND_UPDATE_DESTINATION = 5,
  LVS_OPERATION_KIND_REMOVE_DESTINATION = 6,
  LVS_OPERATION_KIND_SET_TIMEOUTS = 7,
  LVS_OPERATION_KIND_START_DAEMON = 8,
  LVS_OPERATION_KIND_STOP_DAEMON = 9,
  LVS_OPERATION_KIND_ZERO = 10,
  LVS_OPERATION_KIND_FLUSH = 11,
};
typedef struct lvs_operation {
  uint32_t struct_size;
  uint32_t kind;
  struct lvs_service_key service;
  struct lvs_destination_key destination;
  uint32_t role;
} lvs_operation;
#define LVS_OPERATION_INIT \
  {(uint32_t)sizeof(lvs_operation), 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_, 0}
LVS_NODISCARD
lvs_status lvs_operation_init(struct lvs_operation *operation,
                              uint32_t struct_size,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_get(const struct lvs_batch *batch,
                         size_t index,
                         struct lvs_operation *operation,
                         struct lvs_service *service,
                         struct lvs_destination *destination,
                         struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_get_timeouts(const struct lvs_batch *batch,
                                  size_t index,
                                  struct lvs_timeouts *timeouts,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_get_daemon(const struct lvs_batch *batch,
                                size_t index,
                                struct lvs_daemon *daemon,
                                struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_describe(const struct lvs_batch *batch,
                              struct lvs_text *text,
                              struct lvs_error **err);
typedef bool (*lvs_scope_predicate)(const struct lvs_service_key *key, void *user);
LVS_NODISCARD
lvs_status lvs_scope_marks(uint32_t first,
                           uint32_t last,
                           struct lvs_scope **scope,
                           struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_scope_ports(uint16_t first,
                           uint16_t last,
                           struct lvs_scope **scope,
                           struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_scope_network(const struct lvs_address *network,
                             uint32_t prefix_length,
                             struct lvs_scope **scope,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_scope_matching(lvs_scope_predicate predicate,
                              void *user,
                              struct lvs_scope **scope,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_scope_services(const struct lvs_table *table,
                              struct lvs_scope **scope,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_scope_with(const struct lvs_scope *of,
                          bool timeouts,
                          bool daemons,
                          struct lvs_scope **scope,
                          struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_scope_or(const struct lvs_scope *a,
                        const struct lvs_scope *b,
                        struct lvs_scope **scope,
                        struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_scope_and(const struct lvs_scope *a,
                         const struct lvs_scope *b,
                         struct lvs_scope **scope,
                         struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_scope_inverted(const struct lvs_scope *of,
                              struct lvs_scope **scope,
                              struct lvs_error **err);
bool lvs_scope_owns(const struct lvs_scope *scope, const struct lvs_service_key *key);
void lvs_scope_free(struct lvs_scope *scope);
LVS_ENUM(lvs_phase) {
  LVS_PHASE_STOP_DAEMONS = 0,
  LVS_PHASE_ADD = 1,
  LVS_PHASE_CHANGE = 2,
  LVS_PHASE_REMOVE = 3,
  LVS_PHASE_SETTLE = 4,
  LVS_PHASE_QUIESCE = 5,
};
LVS_ENUM(lvs_on_failure) {
  LVS_ON_FAILURE_KEEP = 0,
  LVS_ON_FAILURE_UNDO = 1,
  LVS_ON_FAILURE_UNDO_SERVICE = 2,
};
#define LVS_PLAN_REMOVE_ALL 1
#define LVS_PLAN_UNCHECKED 2
#define LVS_PLAN_ALLOW_ADD_SERVICE 256
#define LVS_PLAN_ALLOW_UPDATE_SERVICE 512
#define LVS_PLAN_ALLOW_REMOVE_SERVICE 1024
#define LVS_PLAN_ALLOW_ADD_DESTINATION 2048
#define LVS_PLAN_ALLOW_UPDATE_DESTINATION 4096
#define LVS_PLAN_ALLOW_REMOVE_DESTINATION 8192
#define LVS_PLAN_ALLOW_SET_TIMEOUTS 16384
#define LVS_PLAN_ALLOW_START_DAEMON 32768
#define LVS_PLAN_ALLOW_STOP_DAEMON 65536
typedef struct lvs_plan lvs_plan;
typedef struct lvs_outcome lvs_outcome;
LVS_NODISCARD
lvs_status lvs_plan_between(const struct lvs_table *current,
                            const struct lvs_table *wanted,
                            const struct lvs_scope *scope,
                            uint32_t flags,
                            struct lvs_plan **plan,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_plan(const struct lvs_director *director,
                             const struct lvs_table *wanted,
                             const struct lvs_scope *scope,
                             uint32_t flags,
                             struct lvs_plan **plan,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_plan_rollback(const struct lvs_table *current,
                             const struct lvs_table *before,
                             const struct lvs_scope *scope,
                             struct lvs_plan **plan,
                             struct lvs_error **err);
size_t lvs_plan_len(const struct lvs_plan *plan);
LVS_NODISCARD
lvs_status lvs_plan_step_get(const struct lvs_plan *plan,
                             size_t index,
                             uint32_t *phase,
                             struct lvs_operation *operation,
                             struct lvs_service *service,
                             struct lvs_destination *destination,
                             struct lvs_error **err);
size_t lvs_plan_withheld_len(const struct lvs_plan *plan);
LVS_NODISCARD
lvs_status lvs_plan_withheld_get(const struct lvs_plan *plan,
                                 size_t index,
                                 struct lvs_operation *operation,
                                 struct lvs_service *service,
                                 struct lvs_destination *destination,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_plan_describe(const struct lvs_plan *plan,
                             struct lvs_text *text,
                             struct lvs_error **err);
void lvs_plan_free(struct lvs_plan *plan);
LVS_NODISCARD
lvs_status lvs_director_apply_plan(const struct lvs_director *director,
                                   const struct lvs_plan *plan,
                                   uint32_t on_failure,
                                   struct lvs_outcome **outcome,
                                   struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_director_reconcile(const struct lvs_director *director,
                                  const struct lvs_table *wanted,
                                  const struct lvs_scope *scope,
                                  uint32_t flags,
                                  uint32_t on_failure,
                                  struct lvs_plan **plan,
                                  struct lvs_outcome **outcome,
                                  struct lvs_error **err);
bool lvs_outcome_is_complete(const struct lvs_outcome *outcome);
size_t lvs_outcome_done_len(const struct lvs_outcome *outcome);
LVS_NODISCARD
lvs_status lvs_outcome_done_get(const struct lvs_outcome *outcome,
                                size_t index,
                                size_t *step,
                                struct lvs_error **err);
size_t lvs_outcome_refused_len(const struct lvs_outcome *outcome);
LVS_NODISCARD
lvs_status lvs_outcome_refused_get(const struct lvs_outcome *outcome,
                                   size_t index,
                                   size_t *step,
                                   const struct lvs_error **why,
                                   struct lvs_error **err);
size_t lvs_outcome_held_len(const struct lvs_outcome *outcome);
LVS_NODISCARD
lvs_status lvs_outcome_held_get(const struct lvs_outcome *outcome,
                                size_t index,
                                size_t *step,
                                size_t *because,
                                struct lvs_error **err);
const struct lvs_error *lvs_outcome_interrupted(const struct lvs_outcome *outcome);
bool lvs_outcome_undone(const struct lvs_outcome *outcome);
size_t lvs_outcome_undo_refused_len(const struct lvs_outcome *outcome);
LVS_NODISCARD
lvs_status lvs_outcome_undo_refused_get(const struct lvs_outcome *outcome,
                                        size_t index,
                                        const struct lvs_error **why,
                                        struct lvs_error **err);
void lvs_outcome_free(struct lvs_outcome *outcome);
LVS_ENUM(lvs_dialect) {
  LVS_DIALECT_LOSSLESS = 0,
  LVS_DIALECT_IPVSADM = 1,
};
typedef struct lvs_rules_options {
  uint32_t struct_size;
  uint32_t dialect;
  uint32_t names;
  uint32_t first_error_only;
  uint32_t no_extended_lines;
} lvs_rules_options;
#define LVS_RULES_OPTIONS_INIT {(uint32_t)sizeof(lvs_rules_options), LVS_DIALECT_LOSSLESS, 0, 0, 0}
LVS_ENUM(lvs_loss_kind) {
  LVS_LOSS_KIND_EVERYTHING = 1,
  LVS_LOSS_KIND_UNREADABLE = 2,
  LVS_LOSS_KIND_FLAGS = 3,
  LVS_LOSS_KIND_TIMEOUT = 4,
  LVS_LOSS_KIND_NETMASK = 5,
  LVS_LOSS_KIND_ENGINE = 6,
  LVS_LOSS_KIND_FORWARDING = 7,
  LVS_LOSS_KIND_WEIGHT = 8,
  LVS_LOSS_KIND_THRESHOLDS = 9,
  LVS_LOSS_KIND_TUNNEL = 10,
  LVS_LOSS_KIND_TIMEOUTS = 11,
  LVS_LOSS_KIND_DAEMON = 12,
};
typedef struct lvs_loss {
  uint32_t struct_size;
  uint32_t kind;
  struct lvs_service_key service;
  struct lvs_destination_key destination;
  uint32_t role;
} lvs_loss;
#define LVS_LOSS_INIT \
  {(uint32_t)sizeof(lvs_loss), 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_, 0}
typedef struct lvs_rules lvs_rules;
typedef struct lvs_losses lvs_losses;
LVS_NODISCARD
lvs_status lvs_rules_options_init(struct lvs_rules_options *options,
                                  uint32_t struct_size,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_loss_init(struct lvs_loss *loss,
                         uint32_t struct_size,
                         struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_rules_parse(const char *text,
                           size_t len,
                           const struct lvs_rules_options *options,
                           struct lvs_rules **rules,
                           struct lvs_error **err);
size_t lvs_rules_len(const struct lvs_rules *rules);
LVS_NODISCARD
lvs_status lvs_rules_line(const struct lvs_rules *rules,
                          size_t index,
                          size_t *line,
                          struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_rules_warnings(const struct lvs_rules *rules,
                              struct lvs_text *text,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_rules_to_table(const struct lvs_rules *rules,
                              struct lvs_table **table,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_rules_to_batch(const struct lvs_rules *rules,
                              struct lvs_batch *batch,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_rules_emit(const struct lvs_rules *rules,
                          const struct lvs_rules_options *options,
                          struct lvs_text *text,
                          struct lvs_losses **losses,
                          struct lvs_error **err);
void lvs_rules_free(struct lvs_rules *rules);
LVS_NODISCARD
lvs_status lvs_table_emit(const struct lvs_table *table,
                          const struct lvs_rules_options *options,
                          struct lvs_text *text,
                          struct lvs_losses **losses,
                          struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_emit(const struct lvs_batch *batch,
                          const struct lvs_rules_options *options,
                          struct lvs_text *text,
                          struct lvs_losses **losses,
                          struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_plan_emit(const struct lvs_plan *plan,
                         const struct lvs_rules_options *options,
                         struct lvs_text *text,
                         struct lvs_losses **losses,
                         struct lvs_error **err);
size_t lvs_losses_len(const struct lvs_losses *losses);
LVS_NODISCARD
lvs_status lvs_losses_get(const struct lvs_losses *losses,
                          size_t index,
                          struct lvs_loss *loss,
                          struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_losses_describe(const struct lvs_losses *losses,
                               struct lvs_text *text,
                               struct lvs_error **err);
void lvs_losses_free(struct lvs_losses *losses);
LVS_ENUM(lvs_drain_target) {
  LVS_DRAIN_TARGET_DESTINATION = 0,
  LVS_DRAIN_TARGET_REAL_SERVER = 1,
  LVS_DRAIN_TARGET_SERVICE = 2,
};
LVS_ENUM(lvs_wait_for) {
  LVS_WAIT_FOR_NOTHING = 0,
  LVS_WAIT_FOR_ACTIVE = 1,
  LVS_WAIT_FOR_INACTIVE = 2,
  LVS_WAIT_FOR_PERSISTENT = 3,
};
typedef struct lvs_drain_options {
  uint32_t struct_size;
  uint32_t target;
  struct lvs_service_key service;
  struct lvs_destination_key destination;
  uint32_t tcp;
  uint32_t udp;
  uint32_t sctp;
  uint32_t keep;
  uint64_t deadline;
} lvs_drain_options;
#define LVS_DRAIN_OPTIONS_INIT \
  {(uint32_t)sizeof(lvs_drain_options), LVS_DRAIN_TARGET_DESTINATION, LVS_SERVICE_KEY_INIT_, \
   LVS_DESTINATION_KEY_INIT_, LVS_WAIT_FOR_ACTIVE, LVS_WAIT_FOR_NOTHING, LVS_WAIT_FOR_ACTIVE, 0, LVS_NEVER}
#define LVS_NEVER UINT64_MAX
typedef struct lvs_remaining {
  uint32_t struct_size;
  uint32_t active;
  uint32_t inactive;
  uint32_t persistent;
  struct lvs_service_key service;
  struct lvs_destination_key destination;
} lvs_remaining;
#define LVS_REMAINING_INIT \
  {(uint32_t)sizeof(lvs_remaining), 0, 0, 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_}
typedef struct lvs_drain lvs_drain;
LVS_NODISCARD
lvs_status lvs_drain_options_init(struct lvs_drain_options *options,
                                  uint32_t struct_size,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_remaining_init(struct lvs_remaining *remaining,
                              uint32_t struct_size,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_drain_new(const struct lvs_drain_options *options,
                         struct lvs_drain **drain,
                         struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_drain_resume(struct lvs_drain *drain,
                            const struct lvs_table *table,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_drain_step(struct lvs_drain *drain,
                          const struct lvs_snapshot *snapshot,
                          uint64_t now,
                          struct lvs_batch *operations,
                          bool *done,
                          struct lvs_error **err);
size_t lvs_drain_waiting_len(const struct lvs_drain *drain);
LVS_NODISCARD
lvs_status lvs_drain_waiting_get(const struct lvs_drain *drain,
                                 size_t index,
                                 struct lvs_remaining *remaining,
                                 struct lvs_error **err);
size_t lvs_drain_cut_len(const struct lvs_drain *drain);
LVS_NODISCARD
lvs_status lvs_drain_cut_get(const struct lvs_drain *drain,
                             size_t index,
                             struct lvs_remaining *remaining,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_drain_cancel(struct lvs_drain *drain,
                            const struct lvs_snapshot *snapshot,
                            struct lvs_batch *operations,
                            struct lvs_error **err);
void lvs_drain_free(struct lvs_drain *drain);
LVS_ENUM(lvs_probe) {
  LVS_PROBE_DOWN = 0,
  LVS_PROBE_UP = 1,
  LVS_PROBE_UP_WITH_WEIGHT = 2,
  LVS_PROBE_UNKNOWN = 3,
};
LVS_ENUM(lvs_forced) {
  LVS_FORCED_DOWN = 0,
  LVS_FORCED_UP = 1,
  LVS_FORCED_WEIGHT = 2,
};
LVS_ENUM(lvs_change_kind) {
  LVS_CHANGE_KIND_SERVER_UP = 1,
  LVS_CHANGE_KIND_SERVER_DOWN = 2,
  LVS_CHANGE_KIND_SERVER_DAMPED = 3,
  LVS_CHANGE_KIND_QUORUM_LOST = 4,
  LVS_CHANGE_KIND_QUORUM_REGAINED = 5,
  LVS_CHANGE_KIND_OVERRIDE_EXPIRED = 6,
  LVS_CHANGE_KIND_WEIGHT_LIMITED = 7,
};
typedef struct lvs_health_policy {
  uint32_t struct_size;
  uint32_t rise;
  uint32_t fall;
  uint32_t remove;
  uint32_t start_down;
  uint32_t quorum;
  uint32_t hysteresis;
  uint32_t damping_falls;
  uint64_t damping_window;
  uint64_t damping_hold;
  uint64_t slow_start;
  const struct lvs_destination *sorry_server;
  uint32_t max_asked_weight;
  uint32_t reserved;
} lvs_health_policy;
#define LVS_HEALTH_POLICY_INIT \
  {(uint32_t)sizeof(lvs_health_policy), 1, 3, 0, 0, 1, 0, 0, 0, 0, 0, NULL, 0, 0}
typedef struct lvs_change {
  uint32_t struct_size;
  uint32_t kind;
  struct lvs_service_key service;
  struct lvs_destination_key destination;
  uint32_t asked;
} lvs_change;
#define LVS_CHANGE_INIT \
  {(uint32_t)sizeof(lvs_change), 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_, 0}
typedef struct lvs_health lvs_health;
const char *lvs_change_kind_name(uint32_t kind);
LVS_NODISCARD
lvs_status lvs_health_policy_init(struct lvs_health_policy *policy,
                                  uint32_t struct_size,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_change_init(struct lvs_change *change,
                           uint32_t struct_size,
                           struct lvs_error **err);
LVS_NODISCARD lvs_status lvs_health_new(struct lvs_health **health, struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_watch(struct lvs_health *health,
                            const struct lvs_table *table,
                            size_t index,
                            const struct lvs_health_policy *policy,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_unwatch(struct lvs_health *health,
                              const struct lvs_service_key *service,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_set_weight(struct lvs_health *health,
                                 const struct lvs_service_key *service,
                                 const struct lvs_destination_key *server,
                                 uint32_t weight,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_start_from(struct lvs_health *health,
                                 const struct lvs_table *held,
                                 bool absent_down,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_save(const struct lvs_health *health,
                           uint64_t now,
                           struct lvs_text *text,
                           struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_restore(struct lvs_health *health,
                              const char *json,
                              uint64_t now,
                              uint64_t away,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_set_override(struct lvs_health *health,
                                   const struct lvs_service_key *service,
                                   const struct lvs_destination_key *server,
                                   uint32_t forced,
                                   uint32_t weight,
                                   const char *reason,
                                   uint64_t until,
                                   struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_clear_override(struct lvs_health *health,
                                     const struct lvs_service_key *service,
                                     const struct lvs_destination_key *server,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_warnings(const struct lvs_health *health,
                               struct lvs_text *text,
                               struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_report(struct lvs_health *health,
                             const struct lvs_service_key *service,
                             const struct lvs_destination_key *server,
                             uint32_t probe,
                             uint32_t weight,
                             uint64_t now,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_report_host(struct lvs_health *health,
                                  const struct lvs_address *host,
                                  uint32_t probe,
                                  uint32_t weight,
                                  uint64_t now,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_tick(struct lvs_health *health,
                           uint64_t now,
                           struct lvs_error **err);
size_t lvs_health_changes_len(const struct lvs_health *health);
LVS_NODISCARD
lvs_status lvs_health_change_get(const struct lvs_health *health,
                                 size_t index,
                                 struct lvs_change *change,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_wanted(const struct lvs_health *health,
                             uint64_t now,
                             struct lvs_table **table,
                             struct lvs_error **err);
uint64_t lvs_health_next_change(const struct lvs_health *health, uint64_t now);
LVS_NODISCARD
lvs_status lvs_health_is_up(const struct lvs_health *health,
                            const struct lvs_service_key *service,
                            const struct lvs_destination_key *server,
                            bool *up,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_health_has_quorum(const struct lvs_health *health,
                                 const struct lvs_service_key *service,
                                 bool *quorum,
                                 struct lvs_error **err);
void lvs_health_free(struct lvs_health *health);
LVS_ENUM(lvs_event_kind) {
  LVS_EVENT_KIND_SERVICE_APPEARED = 1,
  LVS_EVENT_KIND_SERVICE_CHANGED = 2,
  LVS_EVENT_KIND_SERVICE_VANISHED = 3,
  LVS_EVENT_KIND_DESTINATION_APPEARED = 4,
  LVS_EVENT_KIND_DESTINATION_CHANGED = 5,
  LVS_EVENT_KIND_DESTINATION_VANISHED = 6,
  LVS_EVENT_KIND_COUNTED = 7,
  LVS_EVENT_KIND_COUNTERS_RESET = 8,
  LVS_EVENT_KIND_TIMEOUTS_CHANGED = 9,
  LVS_EVENT_KIND_DAEMON_STARTED = 10,
  LVS_EVENT_KIND_DAEMON_STOPPED = 11,
};
typedef struct lvs_event {
  uint32_t struct_size;
  uint32_t kind;
  struct lvs_service_key service;
  struct lvs_destination_key destination;
  struct lvs_counters delta;
  uint64_t elapsed;
  struct lvs_counters window_delta;
  uint64_t window;
} lvs_event;
#define LVS_EVENT_INIT \
  {(uint32_t)sizeof(lvs_event), 0, LVS_SERVICE_KEY_INIT_, LVS_DESTINATION_KEY_INIT_, LVS_COUNTERS_INIT_, 0, \
   LVS_COUNTERS_INIT_, 0}
typedef struct lvs_watcher lvs_watcher;
const char *lvs_event_kind_name(uint32_t kind);
LVS_NODISCARD
lvs_status lvs_event_init(struct lvs_event *event,
                          uint32_t struct_size,
                          struct lvs_error **err);
LVS_NODISCARD lvs_status lvs_watcher_new(struct lvs_watcher **watcher, struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_watcher_observe(struct lvs_watcher *watcher,
                               const struct lvs_snapshot *snapshot,
                               uint64_t now,
                               struct lvs_error **err);
size_t lvs_watcher_events_len(const struct lvs_watcher *watcher);
LVS_NODISCARD
lvs_status lvs_watcher_event_get(const struct lvs_watcher *watcher,
                                 size_t index,
                                 struct lvs_event *event,
                                 struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_watcher_event_service(const struct lvs_watcher *watcher,
                                     size_t index,
                                     struct lvs_service *before,
                                     struct lvs_service *after,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_watcher_event_destination(const struct lvs_watcher *watcher,
                                         size_t index,
                                         struct lvs_destination *before,
                                         struct lvs_destination *after,
                                         struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_watcher_event_daemon(const struct lvs_watcher *watcher,
                                    size_t index,
                                    struct lvs_daemon *daemon,
                                    struct lvs_error **err);
void lvs_watcher_free(struct lvs_watcher *watcher);
LVS_NODISCARD
lvs_status lvs_snapshot_to_json(const struct lvs_snapshot *snapshot,
                                struct lvs_text *text,
                                struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_snapshot_from_json(const char *text,
                                  struct lvs_snapshot **snapshot,
                                  struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_to_json(const struct lvs_table *table,
                             struct lvs_text *text,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_table_from_json(const char *text,
                               struct lvs_table **table,
                               struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_plan_to_json(const struct lvs_plan *plan,
                            struct lvs_text *text,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_plan_from_json(const char *text,
                              struct lvs_plan **plan,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_to_json(const struct lvs_batch *batch,
                             struct lvs_text *text,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_batch_from_json(const char *text,
                               struct lvs_batch **batch,
                               struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_watcher_events_to_json(const struct lvs_watcher *watcher,
                                      struct lvs_text *text,
                                      struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_watcher_events_from_json(struct lvs_watcher *watcher,
                                        const char *text,
                                        struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_connections_to_json(const struct lvs_connections *connections,
                                   struct lvs_text *text,
                                   struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_report_to_json(const struct lvs_report *report,
                              struct lvs_text *text,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_outcome_to_json(const struct lvs_outcome *outcome,
                               struct lvs_text *text,
                               struct lvs_error **err);
typedef struct lvs_scheduler {
  uint32_t struct_size;
  uint32_t deterministic;
  char name[16];
  char title[64];
} lvs_scheduler;
#define LVS_SCHEDULER_INIT {(uint32_t)sizeof(lvs_scheduler), 0, "", ""}
typedef struct lvs_balancer_options {
  uint32_t struct_size;
  uint32_t profile;
  uint32_t family;
  uint32_t flags;
  uint32_t sh_table_bits;
  uint32_t mh_table_index;
  uint64_t lblc_expiration;
  uint64_t lblcr_expiration;
  uint64_t seed;
} lvs_balancer_options;
#define LVS_BALANCER_OPTIONS_INIT \
  {(uint32_t)sizeof(lvs_balancer_options), LVS_PROFILE_NEW, LVS_FAMILY_IPV4, 0, 8, 12, 86400000, 86400000, 0}
typedef struct lvs_request {
  uint32_t struct_size;
  uint32_t protocol;
  struct lvs_address client;
  struct lvs_address target;
  uint16_t client_port;
  uint16_t target_port;
  uint32_t reserved;
  uint64_t now;
} lvs_request;
#define LVS_REQUEST_INIT \
  {(uint32_t)sizeof(lvs_request), LVS_PROTOCOL_TCP, LVS_ADDRESS_INIT_, LVS_ADDRESS_INIT_, 0, 0, 0, 0}
LVS_ENUM(lvs_balancer_event) {
  LVS_BALANCER_EVENT_CONNECTION_ADDED = 0,
  LVS_BALANCER_EVENT_CONNECTION_ACTIVATED = 1,
  LVS_BALANCER_EVENT_CONNECTION_DEACTIVATED = 2,
  LVS_BALANCER_EVENT_ACTIVE_REMOVED = 3,
  LVS_BALANCER_EVENT_INACTIVE_REMOVED = 4,
  LVS_BALANCER_EVENT_TEMPLATE_ADDED = 5,
  LVS_BALANCER_EVENT_TEMPLATE_REMOVED = 6,
};
typedef struct lvs_balancer_destination {
  uint32_t struct_size;
  uint32_t weight;
  struct lvs_destination_key key;
  int32_t active;
  int32_t inactive;
  int32_t persistent;
  uint32_t listed;
  uint32_t overloaded;
} lvs_balancer_destination;
#define LVS_BALANCER_DESTINATION_INIT \
  {(uint32_t)sizeof(lvs_balancer_destination), 0, LVS_DESTINATION_KEY_INIT_, 0, 0, 0, 0, 0}
typedef struct lvs_balancer lvs_balancer;
LVS_NODISCARD
lvs_status lvs_scheduler_init(struct lvs_scheduler *scheduler,
                              uint32_t struct_size,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_balancer_options_init(struct lvs_balancer_options *options,
                                     uint32_t struct_size,
                                     struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_request_init(struct lvs_request *request,
                            uint32_t struct_size,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_balancer_destination_init(struct lvs_balancer_destination *destination,
                                         uint32_t struct_size,
                                         struct lvs_error **err);
size_t lvs_schedulers_len(void);
LVS_NODISCARD
lvs_status lvs_schedulers_get(size_t index,
                              struct lvs_scheduler *scheduler,
                              struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_balancer_new(const char *scheduler,
                            const struct lvs_balancer_options *options,
                            struct lvs_balancer **balancer,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_balancer_add(struct lvs_balancer *balancer,
                            const struct lvs_destination *destination,
                            uint32_t *number,
                            struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_balancer_edit(struct lvs_balancer *balancer,
                             uint32_t number,
                             uint32_t weight,
                             uint32_t upper_threshold,
                             uint32_t lower_threshold,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_balancer_remove(struct lvs_balancer *balancer,
                               uint32_t number,
                               struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_balancer_release(struct lvs_balancer *balancer,
                                uint32_t number,
                                bool *released,
                                struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_balancer_pick(struct lvs_balancer *balancer,
                             const struct lvs_request *request,
                             uint32_t *number,
                             bool *found,
                             struct lvs_error **err);
LVS_NODISCARD
lvs_status lvs_balancer_count(struct lvs_balancer *balancer,
                              uint32_t number,
                              uint32_t event,
                              struct lvs_error **err);
size_t lvs_balancer_len(const struct lvs_balancer *balancer);
LVS_NODISCARD
lvs_status lvs_balancer_get(const struct lvs_balancer *balancer,
                            uint32_t number,
                            struct lvs_balancer_destination *destination,
                            struct lvs_error **err);
uint64_t lvs_balancer_next_tick(const struct lvs_balancer *balancer);
LVS_NODISCARD
lvs_status lvs_balancer_tick(struct lvs_balancer *balancer,
                             uint64_t now,
                             struct lvs_error **err);
void lvs_balancer_free(struct lvs_balancer *balancer);
#ifdef __cplusplus
}
#endif
#endif
