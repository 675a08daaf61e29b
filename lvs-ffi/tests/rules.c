/* Rules files: read with all their errors, turned into tables and batches, written again. */
#include "check.h"

static lvs_rules *parse(const char *text) {
  lvs_error *err = NULL;
  lvs_rules *rules = NULL;
  OK(lvs_rules_parse(text, strlen(text), NULL, &rules, &err));
  return rules;
}

static const char web[] = "# web\n"
                          "-A -t 192.0.2.1:80 -s wrr -p 300\n"
                          "-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3 -x 100 -y 50\n"
                          "-A -f 7 -6 -s rr\n";

static void a_file_becomes_a_table_and_a_file_again(void) {
  lvs_error *err = NULL;
  lvs_rules *rules = parse(web);
  lvs_table *table = NULL, *same = NULL;
  lvs_text *text = NULL;
  lvs_losses *losses = NULL;
  size_t line = 0;
  OK(lvs_text_new(&text, &err));
  CHECK(lvs_rules_len(rules) == 3);
  OK(lvs_rules_line(rules, 0, &line, &err));
  CHECK(line == 2);
  OK(lvs_rules_to_table(rules, &table, &err));
  CHECK(lvs_table_services_len(table) == 2 && lvs_table_destinations_len(table, 0) == 1);
  OK(lvs_table_emit(table, NULL, text, &losses, &err));
  CHECK(strcmp(lvs_text_data(text), "-A -t 192.0.2.1:80 -s wrr -p 300\n"
                                    "-a -t 192.0.2.1:80 -r 198.51.100.7:8080 -m -w 3 -x 100 -y 50\n"
                                    "-A -f 7 -6 -s rr\n") == 0);
  CHECK(lvs_losses_len(losses) == 0);
  lvs_losses_free(losses);
  lvs_rules *again = parse(lvs_text_data(text));
  OK(lvs_rules_to_table(again, &same, &err));
  CHECK(lvs_table_equal(table, same));
  OK(lvs_rules_emit(rules, NULL, text, NULL, &err));
  CHECK(strncmp(lvs_text_data(text), "# web\n-A -t", 11) == 0);
  lvs_rules_free(again);
  lvs_table_free(same);

  /* What ipvsadm -S loses. */
  lvs_rules_options options = LVS_RULES_OPTIONS_INIT;
  lvs_loss loss = LVS_LOSS_INIT;
  options.dialect = LVS_DIALECT_IPVSADM;
  OK(lvs_table_emit(table, &options, text, &losses, &err));
  CHECK(strstr(lvs_text_data(text), "-x 100") == NULL);
  CHECK(lvs_losses_len(losses) == 1);
  OK(lvs_losses_get(losses, 0, &loss, &err));
  CHECK(loss.kind == LVS_LOSS_KIND_THRESHOLDS && loss.destination.port == 8080 && loss.role == 0);
  OK(lvs_losses_describe(losses, text, &err));
  CHECK(strcmp(lvs_text_data(text), "destination 198.51.100.7:8080 of tcp://192.0.2.1:80: its thresholds are lost\n") == 0);
  FAILS(lvs_losses_get(losses, 1, &loss, &err), LVS_STATUS_INVALID_INPUT);
  lvs_losses_free(losses);
  options.dialect = 2;
  FAILS(lvs_table_emit(table, &options, text, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_text_free(text);
  lvs_table_free(table);
  lvs_rules_free(rules);
  lvs_error_free(err);
}

static void a_file_becomes_a_batch_whose_failures_have_lines(void) {
  lvs_error *err = NULL;
  lvs_rules *rules = parse("-A -t 192.0.2.1:80\n\n-a -t 192.0.2.2:80 -r 198.51.100.7\n-A -t 192.0.2.3:80\n");
  lvs_director *director = embedded();
  lvs_batch *batch = NULL;
  lvs_report *report = NULL;
  lvs_text *text = NULL;
  size_t operation = 0, line = 0;
  OK(lvs_batch_new(&batch, &err));
  OK(lvs_rules_to_batch(rules, batch, &err));
  CHECK(lvs_batch_len(batch) == 3);
  FAILS(lvs_director_apply(director, batch, LVS_ON_REFUSAL_CONTINUE, &report, &err), LVS_STATUS_NOT_FOUND);
  OK(lvs_report_refused_get(report, 0, &operation, NULL, &err));
  OK(lvs_rules_line(rules, operation, &line, &err));
  CHECK(line == 3);
  OK(lvs_text_new(&text, &err));
  OK(lvs_batch_emit(batch, NULL, text, NULL, &err));
  CHECK(strncmp(lvs_text_data(text), "-A -t 192.0.2.1:80 -s wlc\n-a ", 29) == 0);
  lvs_text_free(text);
  lvs_report_free(report);
  lvs_batch_free(batch);
  lvs_director_free(director);
  lvs_rules_free(rules);
  lvs_error_free(err);
}

static void a_plan_is_written_as_rules(void) {
  lvs_error *err = NULL;
  lvs_rules *rules = parse(web);
  lvs_table *none = NULL, *wanted = NULL;
  lvs_plan *plan = NULL;
  lvs_text *text = NULL;
  OK(lvs_table_new(&none, &err));
  OK(lvs_rules_to_table(rules, &wanted, &err));
  OK(lvs_plan_between(wanted, none, NULL, LVS_PLAN_REMOVE_ALL, &plan, &err));
  OK(lvs_text_new(&text, &err));
  OK(lvs_plan_emit(plan, NULL, text, NULL, &err));
  CHECK(strcmp(lvs_text_data(text), "-D -t 192.0.2.1:80\n-D -f 7 -6\n") == 0);
  FAILS(lvs_plan_emit(NULL, NULL, text, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_text_free(text);
  lvs_plan_free(plan);
  lvs_table_free(none);
  lvs_table_free(wanted);
  lvs_rules_free(rules);
  lvs_error_free(err);
}

static void all_mistakes_are_reported_with_their_places(void) {
  static const char wrong[] = "-A -t 192.0.2.1:80 -s\n-a -t 192.0.2.1:80 -r 198.51.100.7 -w many\n-Q\n";
  lvs_error *err = NULL;
  lvs_rules *rules = NULL;
  lvs_table *table = NULL;
  lvs_diagnostic found = LVS_DIAGNOSTIC_INIT;
  FAILS(lvs_rules_parse(wrong, strlen(wrong), NULL, &rules, &err), LVS_STATUS_SYNTAX);
  CHECK(rules == NULL && lvs_error_diagnostics_len(err) == 3);
  CHECK(lvs_error_diagnostic_get(err, 0, &found));
  CHECK(found.line == 1 && found.column == 22 && found.start == 21 && found.end == 21);
  CHECK(strcmp(found.message, "expected a scheduler name after `-s`") == 0);
  CHECK(strstr(found.shown, "1 | -A -t 192.0.2.1:80 -s\n") != NULL && strchr(found.shown, '^') != NULL);
  CHECK(lvs_error_diagnostic_get(err, 1, &found) && found.line == 2 && found.column == 39);
  CHECK(memcmp(wrong + found.start, "many", found.end - found.start) == 0);
  CHECK(!lvs_error_diagnostic_get(err, 3, &found) && !lvs_error_diagnostic_get(NULL, 0, &found));
  CHECK(!lvs_error_diagnostic_get(err, 0, NULL));
  found.struct_size = 1;
  CHECK(!lvs_error_diagnostic_get(err, 0, &found));

  rules = parse("-A -t 192.0.2.1:80\n-A -t 192.0.2.1:80\n");
  FAILS(lvs_rules_to_table(rules, &table, &err), LVS_STATUS_SYNTAX);
  CHECK(lvs_error_diagnostics_len(err) == 1);
  lvs_rules_free(rules);
  rules = parse("-L -n\n");
  FAILS(lvs_rules_to_table(rules, &table, &err), LVS_STATUS_SYNTAX);
  lvs_batch *batch = NULL;
  OK(lvs_batch_new(&batch, &err));
  FAILS(lvs_rules_to_batch(rules, batch, &err), LVS_STATUS_SYNTAX);
  CHECK(table == NULL && lvs_batch_len(batch) == 0);
  lvs_batch_free(batch);
  lvs_rules_free(rules);

  lvs_rules_options options = LVS_RULES_OPTIONS_INIT;
  options.names = 1;
  options.first_error_only = 1;
  OK(lvs_rules_parse("-A -t 127.0.0.1:80\n", 19, &options, &rules, &err));
  lvs_rules_free(rules);
  lvs_error_free(err);
}

static void a_port_that_is_not_honoured_is_warned_about(void) {
  lvs_error *err = NULL;
  lvs_rules *rules = parse("-A -t 192.0.2.1:80\n-a -t 192.0.2.1:80 -r 198.51.100.7:8000 -g\n");
  lvs_text *text = NULL;
  OK(lvs_text_new(&text, &err));
  OK(lvs_rules_warnings(rules, text, &err));
  CHECK(strncmp(lvs_text_data(text), "line 2, column 23: port 8000 is never reached", 45) == 0);
  CHECK(strstr(lvs_text_data(text), "use port 80, or masquerade\n") != NULL);
  lvs_rules_free(rules);
  rules = parse(web);
  OK(lvs_rules_warnings(rules, text, &err));
  CHECK(lvs_text_len(text) == 0);
  FAILS(lvs_rules_warnings(NULL, text, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_rules_warnings(rules, NULL, &err), LVS_STATUS_INVALID_INPUT);
  lvs_rules_free(rules);
  lvs_text_free(text);
  lvs_error_free(err);
}

static void any_bytes_are_text(void) {
  lvs_error *err = NULL;
  lvs_rules *rules = NULL;
  char bytes[256];
  for (int i = 0; i < 256; i++)
    bytes[i] = (char)i;
  FAILS(lvs_rules_parse(bytes, sizeof bytes, NULL, &rules, &err), LVS_STATUS_SYNTAX);
  FAILS(lvs_rules_parse("-A -t \0\xff:80", 11, NULL, &rules, &err), LVS_STATUS_SYNTAX);
  OK(lvs_rules_parse(NULL, 0, NULL, &rules, &err));
  CHECK(lvs_rules_len(rules) == 0);
  lvs_rules_free(rules);
  FAILS(lvs_rules_parse(NULL, 1, NULL, &rules, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_rules_parse("", SIZE_MAX, NULL, &rules, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_rules_parse("", 0, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_rules_line(NULL, 0, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_rules_emit(NULL, NULL, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_batch_emit(NULL, NULL, NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  FAILS(lvs_losses_describe(NULL, NULL, &err), LVS_STATUS_INVALID_INPUT);
  CHECK(lvs_rules_len(NULL) == 0 && lvs_losses_len(NULL) == 0 && lvs_error_diagnostics_len(NULL) == 0);
  lvs_rules_free(NULL);
  lvs_losses_free(NULL);
  lvs_error_free(err);
}

int main(void) {
  a_file_becomes_a_table_and_a_file_again();
  a_file_becomes_a_batch_whose_failures_have_lines();
  a_plan_is_written_as_rules();
  all_mistakes_are_reported_with_their_places();
  a_port_that_is_not_honoured_is_warned_about();
  any_bytes_are_text();
  return 0;
}
