/* test_tally.c - tally.h: what is counted, and what of it only looks so.
 *
 * SPDX-License-Identifier: MIT */
#include "ground/tally.h"

#include "check.h"

static void check(const char *text, size_t nulls, size_t numbers, size_t odd_keys) {
  struct avp_tally tally = avp_tally(text, strlen(text));
  CHECK_INT(nulls, tally.nulls);
  CHECK_INT(numbers, tally.numbers);
  CHECK_INT(odd_keys, tally.odd_keys);
}

static void test_values(void) {
  check("", 0, 0, 0);
  check("{}", 0, 0, 0);
  check("{\"a\":[null,true,false],\"b\":null}", 2, 0, 0);
  check("[0,-1,2.5,1e9,-1.5E+10,[7]]", 0, 6, 0);
  check("{\"a\": 1 ,\r\n\t\"b\" :null}", 1, 1, 0);
}

static void test_strings(void) {
  check("{\"null 1\":\"null, 2, -3\"}", 0, 0, 0);
  check("[\"a\\\"null\",\"b\\\\\",null,\"\\\\\\\"5\"]", 1, 0, 0);
  check("[\"\\\\\\\\\",1,\"\",2]", 0, 2, 0);
  check("[\"never closed, null", 0, 0, 0);
  check("[\"\\\"", 0, 0, 1);
  check("[\"", 0, 0, 0);
  CHECK_INT(1, avp_tally("[\"a\0 null\",null]", 16).nulls);
}

static void test_odd_keys(void) {
  check("{\"id\":\"Id\",\"name\":\"Name\",\"x\":[\"N/A\"]}", 0, 0, 0);
  check("{\"Id\":\"\",\"Name\" :\"\"}", 0, 0, 2);
  check("{\"\\u0049d\":\"\\u0049d\"}", 0, 0, 1);
  check("[\"N/A\" , \"\\n\"\n]", 0, 0, 2); /* a blank may stand before a colon */
}

static const struct check_test tests[] = {
    {"tally: values", test_values},
    {"tally: strings", test_strings},
    {"tally: odd keys", test_odd_keys},
};

CHECK_MAIN(tests)
