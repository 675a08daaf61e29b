/* The header alone, in every standard: it needs no other include, and its initialisers have no holes. */
#include <lvs.h>
#include <lvs.h> /* twice does no harm */

struct all {
  lvs_service service;
  lvs_service_state service_state;
  lvs_destination destination;
  lvs_destination_state destination_state;
  lvs_timeouts timeouts;
  lvs_daemon daemon;
  lvs_info info;
  lvs_embedded_options embedded_options;
  lvs_kernel_options kernel_options;
  lvs_settings settings;
  lvs_proc_status proc_status;
  lvs_packet packet;
  lvs_flow flow;
  lvs_verdict verdict;
  lvs_connection connection;
  lvs_connection_filter filter;
  lvs_connection_sum sum;
  lvs_operation operation;
  lvs_drain_options drain_options;
  lvs_remaining remaining;
  lvs_health_policy health_policy;
  lvs_change change;
  lvs_event event;
  lvs_diagnostic diagnostic;
  lvs_rules_options rules_options;
  lvs_loss loss;
  lvs_listing_options listing;
  lvs_scheduler scheduler;
  lvs_balancer_options balancer;
  lvs_request request;
  lvs_balancer_destination member;
};

extern struct all all;
struct all all = {
    LVS_SERVICE_INIT,  LVS_SERVICE_STATE_INIT, LVS_DESTINATION_INIT, LVS_DESTINATION_STATE_INIT,
    LVS_TIMEOUTS_INIT, LVS_DAEMON_INIT,        LVS_INFO_INIT,        LVS_EMBEDDED_OPTIONS_INIT,
    LVS_KERNEL_OPTIONS_INIT,
    LVS_SETTINGS_INIT, LVS_PROC_STATUS_INIT, LVS_PACKET_INIT,        LVS_FLOW_INIT,        LVS_VERDICT_INIT,
    LVS_CONNECTION_INIT, LVS_CONNECTION_FILTER_INIT, LVS_CONNECTION_SUM_INIT, LVS_OPERATION_INIT,
    LVS_DRAIN_OPTIONS_INIT, LVS_REMAINING_INIT, LVS_HEALTH_POLICY_INIT, LVS_CHANGE_INIT, LVS_EVENT_INIT,
    LVS_DIAGNOSTIC_INIT, LVS_RULES_OPTIONS_INIT, LVS_LOSS_INIT,
    LVS_LISTING_OPTIONS_INIT, LVS_SCHEDULER_INIT, LVS_BALANCER_OPTIONS_INIT, LVS_REQUEST_INIT,
    LVS_BALANCER_DESTINATION_INIT,
};

int main(void) { return lvs_version_number() == LVS_VERSION_NUMBER ? 0 : 1; }
