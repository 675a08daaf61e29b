/* Puts a rules file in force with the fewest changes, and undoes all of them if one is refused. */
#include <lvs.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    static const char text[] = "-A -t 192.0.2.1:80 -s wlc\n"
                               "-a -t 192.0.2.1:80 -r 198.51.100.7:80 -m -w 2\n";
    lvs_error *err = NULL;
    lvs_director *director = NULL;
    lvs_rules *rules = NULL;
    lvs_table *wanted = NULL;
    lvs_plan *plan = NULL;
    lvs_text *changes = NULL;
    int failed = 1;

    if (lvs_director_open_embedded(NULL, &director, &err) == LVS_STATUS_OK && /* or lvs_director_open_kernel */
        lvs_rules_parse(text, strlen(text), NULL, &rules, &err) == LVS_STATUS_OK &&
        lvs_rules_to_table(rules, &wanted, &err) == LVS_STATUS_OK &&
        lvs_director_reconcile(director, wanted, NULL, 0, LVS_ON_FAILURE_UNDO, &plan, NULL, &err) == LVS_STATUS_OK &&
        lvs_text_new(&changes, &err) == LVS_STATUS_OK &&
        lvs_plan_describe(plan, changes, &err) == LVS_STATUS_OK) {
        fputs(lvs_text_data(changes), stdout);
        failed = 0;
    } else {
        fprintf(stderr, "%s\n", lvs_error_message(err));
    }
    lvs_text_free(changes);
    lvs_plan_free(plan);
    lvs_table_free(wanted);
    lvs_rules_free(rules);
    lvs_director_free(director);
    lvs_error_free(err);
    return failed;
}
