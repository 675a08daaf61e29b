/* Shows each error of a rules text with its place. */
#include <lvs.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    static const char text[] = "-A -t 192.0.2.1:80 -s nosuch-scheduler\n-a -t 192.0.2.1\n";
    lvs_error *err = NULL;
    lvs_rules *rules = NULL;
    lvs_diagnostic found = LVS_DIAGNOSTIC_INIT;

    if (lvs_rules_parse(text, strlen(text), NULL, &rules, &err) == LVS_STATUS_OK) {
        lvs_rules_free(rules);
        return 1; /* The second line names no server. */
    }
    for (size_t i = 0; lvs_error_diagnostic_get(err, i, &found); i++)
        printf("%u:%u: %s\n", found.line, found.column, found.message);
    lvs_error_free(err);
    return 0;
}
