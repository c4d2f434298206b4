/* check.h - the few macros of the C unit tests. A test is a function; main runs a list of them.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_CHECK_H
#define AVP_CHECK_H

#include <stdio.h>
#include <string.h>

#include "ground/mem.h"

static int check_failures;     /* in the test that runs */
static const char *check_name; /* its name */

/* Notes a failure and goes on. */
#define CHECK(condition)                                                                           \
  do {                                                                                             \
    if (!(condition)) {                                                                            \
      printf("not ok %s: %s:%d: %s\n", check_name, __FILE__, __LINE__, #condition);                \
      check_failures++;                                                                            \
    }                                                                                              \
  } while (0)

/* Two whole numbers, shown when they differ. */
#define CHECK_INT(expected, actual)                                                                \
  do {                                                                                             \
    long long check_e = (long long)(expected);                                                     \
    long long check_a = (long long)(actual);                                                       \
    if (check_e != check_a) {                                                                      \
      printf("not ok %s: %s:%d: %s is %lld, not %lld\n", check_name, __FILE__, __LINE__, #actual,  \
             check_a, check_e);                                                                    \
      check_failures++;                                                                            \
    }                                                                                              \
  } while (0)

#define CHECK_STR(expected, actual)                                                                \
  do {                                                                                             \
    const char *check_s = (actual);                                                                \
    if (check_s == NULL || strcmp((expected), check_s) != 0) {                                     \
      printf("not ok %s: %s:%d: %s is \"%s\", not \"%s\"\n", check_name, __FILE__, __LINE__,       \
             #actual, check_s ? check_s : "NULL", (expected));                                     \
      check_failures++;                                                                            \
    }                                                                                              \
  } while (0)

struct check_test {
  const char *name;
  void (*run)(void);
};

/* Runs the list; each test must give back all the memory it took. */
static inline int check_run(const struct check_test *tests, size_t count) {
  int failed = 0;
  size_t i;
  for (i = 0; i < count; i++) {
    long live = avp_mem_live();
    check_failures = 0;
    check_name = tests[i].name;
    tests[i].run();
    avp_mem_fail_at(0);
    CHECK_INT(live, avp_mem_live());
    if (check_failures == 0) printf("ok %s\n", tests[i].name);
    failed += check_failures != 0;
  }
  return failed != 0;
}

#define CHECK_MAIN(tests)                                                                          \
  int main(void) { return check_run((tests), sizeof(tests) / sizeof((tests)[0])); }

#endif
