/* What has changed between two looks. */
#include <lvs.h>
#include <stdio.h>

static int look(lvs_director *director, lvs_watcher *watcher, uint64_t now) {
    lvs_event event = LVS_EVENT_INIT;
    if (lvs_watcher_look(watcher, director, now, NULL) != LVS_STATUS_OK)
        return -1;
    for (size_t i = 0; i < lvs_watcher_events_len(watcher); i++)
        if (lvs_watcher_event_get(watcher, i, &event, NULL) == LVS_STATUS_OK)
            printf("%s\n", lvs_event_kind_name(event.kind));
    return 0;
}

int main(void) {
    lvs_director *director = NULL;
    lvs_watcher *watcher = NULL;
    lvs_service web = LVS_SERVICE_INIT;
    int failed = lvs_director_open_embedded(NULL, &director, NULL) != LVS_STATUS_OK ||
                 lvs_watcher_new(&watcher, NULL) != LVS_STATUS_OK || look(director, watcher, 0) != 0 ||
                 lvs_service_key_parse("fwmark:7", &web.key, NULL) != LVS_STATUS_OK ||
                 lvs_director_add_service(director, &web, NULL) != LVS_STATUS_OK ||
                 look(director, watcher, 2000000000) != 0; /* prints service_appeared */
    lvs_watcher_free(watcher);
    lvs_director_free(director);
    return failed;
}
