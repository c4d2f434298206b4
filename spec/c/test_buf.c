/* test_buf.c - buf.h: growth, the limit, moving, and what a failed allocation leaves behind.
 *
 * SPDX-License-Identifier: MIT */
#include "ground/buf.h"

#include "check.h"

static void test_starts_empty(void) {
  struct avp_buf buf;
  avp_buf_init(&buf, 10);
  CHECK(buf.data == NULL);
  CHECK_INT(0, buf.len);
  avp_buf_free(&buf); /* of an empty one: nothing happens */
  CHECK_INT(10, buf.max);
}

static void test_appends_and_terminates(void) {
  struct avp_buf buf;
  avp_buf_init(&buf, 100);
  CHECK(avp_buf_adds(&buf, "one"));
  CHECK(avp_buf_add(&buf, ", two", 5));
  CHECK_STR("one, two", buf.data);
  CHECK_INT(8, buf.len);
  CHECK(avp_buf_add(&buf, "a\0b", 3));
  CHECK_INT(11, buf.len);
  CHECK(memcmp(buf.data, "one, twoa\0b", 12) == 0);
  avp_buf_free(&buf);
  CHECK(buf.data == NULL);
}

static void test_nothing_is_something(void) {
  struct avp_buf buf;
  avp_buf_init(&buf, 0);
  CHECK(avp_buf_add(&buf, NULL, 0));
  CHECK_STR("", buf.data);
  CHECK(!avp_buf_adds(&buf, "x"));
  avp_buf_free(&buf);
}

static void test_limit_is_exact(void) {
  size_t max;
  for (max = 1; max < 1100; max++) {
    struct avp_buf buf;
    size_t i;
    avp_buf_init(&buf, max);
    for (i = 0; i < max; i++) CHECK(avp_buf_add(&buf, "x", 1));
    CHECK(!avp_buf_add(&buf, "y", 1));
    CHECK(!avp_buf_add(&buf, "y", (size_t)-1)); /* must not wrap around */
    CHECK_INT(max, buf.len);
    CHECK(buf.data[max - 1] == 'x' && buf.data[max] == '\0');
    avp_buf_free(&buf);
  }
}

static void test_large_piece_in_one_go(void) {
  static const char piece[5000] = {1, 2, 3};
  struct avp_buf buf;
  avp_buf_init(&buf, sizeof piece);
  CHECK(avp_buf_add(&buf, piece, sizeof piece));
  CHECK(memcmp(buf.data, piece, sizeof piece) == 0);
  CHECK(buf.size <= sizeof piece + 1); /* no more than the limit needs */
  avp_buf_free(&buf);
}

static void test_out_of_memory_changes_nothing(void) {
  static const char more[1000];
  struct avp_buf buf;
  avp_buf_init(&buf, 10000);
  avp_mem_fail_at(1);
  CHECK(!avp_buf_adds(&buf, "x"));
  CHECK(buf.data == NULL && buf.len == 0);
  CHECK(avp_buf_adds(&buf, "kept"));
  avp_mem_fail_at(1);
  CHECK(!avp_buf_add(&buf, more, sizeof more));
  CHECK_STR("kept", buf.data);
  CHECK_INT(4, buf.len);
  CHECK(avp_buf_add(&buf, more, sizeof more));
  CHECK_INT(1004, buf.len);
  avp_buf_free(&buf);
}

static void test_stays_usable_after_free(void) {
  struct avp_buf buf;
  avp_buf_init(&buf, 5);
  avp_buf_adds(&buf, "12345");
  avp_buf_free(&buf);
  CHECK(avp_buf_adds(&buf, "54321"));
  CHECK(!avp_buf_adds(&buf, "0"));
  CHECK_STR("54321", buf.data);
  avp_buf_free(&buf);
}

static void test_move(void) {
  struct avp_buf from;
  struct avp_buf to;
  const char *data;
  avp_buf_init(&from, 20);
  avp_buf_init(&to, 5);
  avp_buf_adds(&from, "contents");
  avp_buf_adds(&to, "old");
  data = from.data;
  avp_buf_move(&to, &from);
  CHECK(to.data == data);
  CHECK_STR("contents", to.data);
  CHECK(from.data == NULL && from.len == 0);
  CHECK_INT(20, from.max);
  CHECK(avp_buf_adds(&from, "again"));
  avp_buf_free(&from);
  avp_buf_free(&to);
}

static const struct check_test tests[] = {
    {"buf: starts empty", test_starts_empty},
    {"buf: appends and terminates", test_appends_and_terminates},
    {"buf: adding nothing makes an empty string", test_nothing_is_something},
    {"buf: the limit is exact", test_limit_is_exact},
    {"buf: a large piece in one go", test_large_piece_in_one_go},
    {"buf: out of memory changes nothing", test_out_of_memory_changes_nothing},
    {"buf: stays usable after free", test_stays_usable_after_free},
    {"buf: move", test_move},
};

CHECK_MAIN(tests)
