/* Lists services, their destinations and who is busy. */
#include <lvs.h>
#include <stdio.h>

int main(void) {
    lvs_error *err = NULL;
    lvs_director *director = NULL;
    lvs_snapshot *snapshot = NULL;
    lvs_service service = LVS_SERVICE_INIT;
    lvs_destination server = LVS_DESTINATION_INIT;
    lvs_destination_state state = LVS_DESTINATION_STATE_INIT;
    char name[LVS_SERVICE_KEY_STRLEN];

    if (lvs_director_open_embedded(NULL, &director, &err) != LVS_STATUS_OK || /* or lvs_director_open_kernel */
        lvs_director_snapshot(director, &snapshot, &err) != LVS_STATUS_OK) {
        fprintf(stderr, "%s\n", lvs_error_message(err));
        lvs_error_free(err);
        lvs_director_free(director);
        return 1;
    }
    lvs_snapshot_sort(snapshot);
    for (size_t i = 0; i < lvs_snapshot_services_len(snapshot); i++) {
        if (lvs_snapshot_service_get(snapshot, i, &service, NULL, NULL) != LVS_STATUS_OK)
            break;
        lvs_service_key_format(&service.key, name, sizeof name);
        printf("%s %s\n", name, service.scheduler);
        for (size_t j = 0; j < lvs_snapshot_destinations_len(snapshot, i); j++)
            if (lvs_snapshot_destination_get(snapshot, i, j, &server, &state, NULL) == LVS_STATUS_OK)
                printf("  weight %u, %u active\n", server.weight, state.active);
    }
    lvs_snapshot_free(snapshot);
    lvs_director_free(director);
    return 0;
}
