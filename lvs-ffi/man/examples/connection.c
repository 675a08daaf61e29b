/* Streams the connection table without storing it. */
#include <lvs.h>
#include <stdbool.h>
#include <stdio.h>

static bool count(const lvs_connection *connection, void *user) {
    size_t *seen = user;
    printf("%s, %u s left\n", lvs_state_name(connection->state), connection->expires);
    return ++*seen < 1000; /* enough */
}

int main(void) {
    lvs_error *err = NULL;
    lvs_director *director = NULL;
    size_t seen = 0;
    int failed = lvs_director_open_embedded(NULL, &director, &err) != LVS_STATUS_OK || /* or _open_kernel */
                 lvs_director_visit_connections(director, NULL, count, &seen, &err) != LVS_STATUS_OK;
    if (failed)
        fprintf(stderr, "%s\n", lvs_error_message(err));
    lvs_error_free(err);
    lvs_director_free(director);
    return failed;
}
