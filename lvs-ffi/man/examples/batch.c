/* Many changes with few system calls, and what became of each. */
#include <lvs.h>
#include <stdio.h>

int main(void) {
    lvs_error *err = NULL;
    lvs_director *director = NULL;
    lvs_batch *batch = NULL;
    lvs_report *report = NULL;
    lvs_service web = LVS_SERVICE_INIT;

    if (lvs_director_open_embedded(NULL, &director, &err) != LVS_STATUS_OK || /* or lvs_director_open_kernel */
        lvs_batch_new(&batch, &err) != LVS_STATUS_OK ||
        lvs_service_key_parse("tcp://192.0.2.1:80", &web.key, &err) != LVS_STATUS_OK ||
        lvs_batch_add_service(batch, &web, &err) != LVS_STATUS_OK ||
        lvs_batch_add_service(batch, &web, &err) != LVS_STATUS_OK) { /* twice: the second is refused */
        fprintf(stderr, "%s\n", lvs_error_message(err));
        return 1;
    }
    if (lvs_director_apply(director, batch, LVS_ON_REFUSAL_CONTINUE, &report, &err) != LVS_STATUS_OK)
        for (size_t i = 0; i < lvs_report_refused_len(report); i++) {
            const lvs_error *why;
            size_t operation;
            if (lvs_report_refused_get(report, i, &operation, &why, NULL) == LVS_STATUS_OK)
                printf("operation %zu: %s\n", operation, lvs_error_message(why));
        }
    lvs_error_free(err);
    lvs_report_free(report);
    lvs_batch_free(batch);
    lvs_director_free(director);
    return 0;
}
