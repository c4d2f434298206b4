/* test_idset.c - idset.h: spellings of ids, many of them against a plain model, and running out of
 * memory at every moment.
 *
 * SPDX-License-Identifier: MIT */
#include "list/idset.h"

#include "check.h"

#define MANY    200000
#define MILLION 1000000

static const struct avp_mark seen = {1, 1};

static struct avp_idset *fixed_set(void) {
  struct avp_idset *set = avp_idset_new();
  CHECK(set != NULL);
  set->key.k0 = UINT64_C(0x0706050403020100); /* the same places in each run */
  set->key.k1 = UINT64_C(0x0f0e0d0c0b0a0908);
  return set;
}

static size_t count_of(const struct avp_idset *set) {
  size_t count = 0;
  size_t i;
  for (i = 0; i < AVP_IDSET_SEGMENTS; i++) count += set->segments[i].count;
  return count;
}

/* Puts the id with this era and returns the era in which the set had it, 0 if it had not. */
static int put(struct avp_idset *set, const char *text, int era) {
  struct avp_id id = avp_idset_id(set, text, strlen(text));
  struct avp_mark before = avp_idset_get(set, &id);
  struct avp_mark mark = {(uint16_t)era, 7};
  CHECK(avp_idset_reserve(set, &id, 1));
  avp_idset_put(set, &id, &mark);
  return before.era;
}

static struct avp_mark mark_of(const struct avp_idset *set, const char *text) {
  struct avp_id id = avp_idset_id(set, text, strlen(text));
  return avp_idset_get(set, &id);
}

static bool has(const struct avp_idset *set, const char *text) {
  return mark_of(set, text).era != 0;
}

static void test_marks(void) {
  static const struct avp_mark marks[] = {
      {1, 0}, {2, 1}, {2, 255}, {255, 256}, {256, 65536}, {AVP_ERA_MAX, AVP_PAGE_MAX}, {1, 0}};
  static const char *const ids[] = {"a", "03f7382e-1a2b-3c4d-5e6f-dd9af05974f0"};
  struct avp_idset *set = avp_idset_new();
  size_t n;
  size_t i;
  for (n = 0; n < 2; n++) {
    struct avp_id id = avp_idset_id(set, ids[n], strlen(ids[n]));
    CHECK_INT(0, mark_of(set, ids[n]).era);
    CHECK_INT(0, mark_of(set, ids[n]).page);
    for (i = 0; i < sizeof marks / sizeof marks[0]; i++) {
      CHECK(avp_idset_reserve(set, &id, 1));
      avp_idset_put(set, &id, &marks[i]);
      CHECK_INT(marks[i].era, mark_of(set, ids[n]).era);
      CHECK_INT(marks[i].page, mark_of(set, ids[n]).page);
      CHECK_INT(n + 1, count_of(set));
    }
  }
  CHECK_INT(1, mark_of(set, "a").era); /* the other id left it alone */
  avp_idset_free(set);
  avp_idset_free(NULL);
}

static void test_guid_spellings(void) {
  struct avp_idset *set = avp_idset_new();
  CHECK_INT(0, put(set, "03f7382e-1a2b-3c4d-5e6f-dd9af05974f0", 1));
  CHECK_INT(1, put(set, "03F7382E-1A2B-3C4D-5E6F-DD9AF05974F0", 1));
  CHECK_INT(1, put(set, "03f7382E-1a2B-3C4d-5e6F-Dd9af05974f0", 1));
  CHECK_INT(0, put(set, "03f7382e-1a2b-3c4d-5e6f-dd9af05974f1", 1));
  CHECK_INT(0, put(set, "00000000-0000-0000-0000-000000000000", 1));
  CHECK_INT(1, put(set, "00000000-0000-0000-0000-000000000000", 1));
  CHECK_INT(0, put(set, "ffffffff-ffff-ffff-ffff-ffffffffffff", 1));
  avp_idset_free(set);
}

/* Anything but a GUID counts letter by letter. */
static void test_other_ids(void) {
  static const char *const ids[] = {
      "",
      "a",
      "A",
      "1",
      "01",
      " 1",
      "1 ",
      "customer",
      "Customer",
      "03f7382e1a2b3c4d5e6fdd9af05974f0",
      "03F7382e1a2b3c4d5e6fdd9af05974f0",
      "{03f7382e-1a2b-3c4d-5e6f-dd9af05974f0}",
      "03f7382e-1a2b-3c4d-5e6f-dd9af05974f",
      "03f7382e-1a2b-3c4d-5e6f-dd9af05974f00",
      "03f7382e-1a2b-3c4d-5e6f-dd9af05974fg",
      "03f7382e-1a2b-3c4d-5e6f-dd9af05974fG",
      "03f7382e+1a2b-3c4d-5e6f-dd9af05974f0",
      "03f7382e-1a2b-3c4d-5e6fdd-9af05974f0",
      "03f7382-e1a2b-3c4d-5e6f-dd9af05974f0",
      "-3f7382e-1a2b-3c4d-5e6f-dd9af05974f0",
      "03f7382e-1a2b-3c4d-5e6f--d9af05974f0",
      "03f7382e-1a2b-3c4d-5e6f-dd9af05974f-",
  };
  struct avp_idset *set = avp_idset_new();
  size_t n = sizeof ids / sizeof ids[0];
  size_t i;
  for (i = 0; i < n; i++) CHECK_INT(0, put(set, ids[i], 1));
  for (i = 0; i < n; i++) CHECK_INT(1, put(set, ids[i], 1));
  CHECK_INT(n, count_of(set));
  avp_idset_free(set);
}

static void test_zero_bytes_count(void) {
  struct avp_idset *set = avp_idset_new();
  struct avp_id a = avp_idset_id(set, "x\0a", 3);
  struct avp_id b = avp_idset_id(set, "x\0b", 3);
  CHECK(avp_idset_reserve(set, &a, 1) && avp_idset_reserve(set, &b, 1));
  avp_idset_put(set, &a, &seen);
  CHECK_INT(0, avp_idset_get(set, &b).era);
  avp_idset_put(set, &b, &seen);
  CHECK_INT(2, count_of(set));
  avp_idset_free(set);
}

/* A GUID whose bytes are some other id's hash is another id. */
static void test_a_hash_is_no_guid(void) {
  struct avp_idset *set = avp_idset_new();
  struct avp_id hash = avp_idset_id(set, "customer", 8);
  char guid[40];
  const unsigned char *b = hash.bytes;
  snprintf(guid, sizeof guid,
           "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1], b[2],
           b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
  CHECK_INT(0, put(set, "customer", 1));
  CHECK(!has(set, guid));
  CHECK_INT(0, put(set, guid, 1));
  CHECK_INT(1, put(set, "customer", 1));
  avp_idset_free(set);
}

/* The same where both belong into one place, which takes some tries to happen. */
static void test_a_hash_is_no_guid_in_its_place(void) {
  unsigned taken = 0;
  unsigned i;
  for (i = 0; i < 10000; i++) {
    struct avp_idset *set = fixed_set();
    char text[32];
    struct avp_id id;
    snprintf(text, sizeof text, "customer-%u", i);
    id = avp_idset_id(set, text, strlen(text));
    CHECK_INT(0, put(set, text, 1));
    id.hashed = false; /* the GUID of these bytes */
    taken += avp_idset_get(set, &id).era != 0;
    avp_idset_free(set);
  }
  CHECK_INT(0, taken);
}

static void test_keys_differ(void) {
  struct avp_idset *one = avp_idset_new();
  struct avp_idset *two = avp_idset_new();
  CHECK(memcmp(&one->key, &two->key, sizeof one->key) != 0);
  avp_idset_free(one);
  avp_idset_free(two);
}

/* Half GUIDs, half other ids; never two of one spelling. */
static void spell(unsigned n, char *out, size_t size) {
  if (n % 2 == 0) {
    snprintf(out, size, "%08x-0000-4000-8000-%012x", n * 2654435761u, n);
  } else {
    snprintf(out, size, "customer-%u", n);
  }
}

static uint64_t next_random(uint64_t *state) {
  *state ^= *state << 13;
  *state ^= *state >> 7;
  *state ^= *state << 17;
  return *state;
}

/* The model is an array: for each number the era that saw it last. */
static void test_many_against_a_model(void) {
  static unsigned char model[MANY];
  struct avp_idset *set = fixed_set();
  uint64_t random = 88172645463325252u;
  size_t count = 0;
  char text[64];
  unsigned wrong = 0;
  unsigned i;
  memset(model, 0, sizeof model);
  for (i = 0; i < 3 * MANY; i++) {
    unsigned n = i < MANY ? i : (unsigned)(next_random(&random) % MANY);
    int era = 1 + (int)(i / MANY);
    spell(n, text, sizeof text);
    wrong += put(set, text, era) != model[n];
    count += model[n] == 0;
    model[n] = (unsigned char)era;
  }
  CHECK_INT(0, wrong);
  CHECK_INT(MANY, count);
  CHECK_INT(count, count_of(set));
  for (i = 0; i < 2 * MANY; i++) {
    spell(i, text, sizeof text);
    wrong += has(set, text) != (i < MANY);
  }
  CHECK_INT(0, wrong);
  avp_idset_free(set);
}

/* Spread over all segments, and none of them much fuller than the others. */
static void test_segments_are_even(void) {
  struct avp_idset *set = fixed_set();
  char text[64];
  unsigned i;
  for (i = 0; i < 51200; i++) {
    spell(i, text, sizeof text);
    CHECK_INT(0, put(set, text, 1));
  }
  for (i = 0; i < AVP_IDSET_SEGMENTS; i++) {
    const struct avp_idset_segment *segment = &set->segments[i];
    CHECK(segment->count > 100 && segment->count < 300); /* 200 on average */
    CHECK(segment->count < segment->size);               /* a full one would never end a search */
  }
  avp_idset_free(set);
}

#define PAGE 40

/* A page of ids as the reader takes it: room for all, then all. False where there was no room. */
static bool take_page(struct avp_idset *set, unsigned first) {
  struct avp_id ids[PAGE];
  char text[64];
  unsigned i;
  for (i = 0; i < PAGE; i++) {
    spell(first + i, text, sizeof text);
    ids[i] = avp_idset_id(set, text, strlen(text));
  }
  if (!avp_idset_reserve(set, ids, PAGE)) return false;
  for (i = 0; i < PAGE; i++) {
    CHECK_INT(0, avp_idset_get(set, &ids[i]).era);
    avp_idset_put(set, &ids[i], &seen);
  }
  return true;
}

static void check_holds_exactly(const struct avp_idset *set, unsigned count) {
  char text[64];
  unsigned wrong = 0;
  unsigned i;
  for (i = 0; i < count + PAGE; i++) {
    spell(i, text, sizeof text);
    wrong += has(set, text) != (i < count);
  }
  CHECK_INT(0, wrong);
  CHECK_INT(count, count_of(set));
}

/* Pages of ids with the n-th allocation failing: that page is refused whole, nothing before it is
 * lost, and taken again it fits. */
static bool fail_at(long n) {
  struct avp_idset *set;
  unsigned first;
  bool failed = false;
  avp_mem_fail_at(n);
  set = avp_idset_new();
  if (set == NULL) return true;
  set->key.k0 = set->key.k1 = 42;
  for (first = 0; first < 25 * PAGE; first += PAGE) {
    if (take_page(set, first)) continue;
    CHECK(!failed);
    failed = true;
    check_holds_exactly(set, first);
    CHECK(take_page(set, first));
  }
  check_holds_exactly(set, first);
  avp_idset_free(set);
  return failed;
}

static void test_out_of_memory(void) {
  long live = avp_mem_live();
  long n = 1;
  while (fail_at(n)) {
    avp_mem_fail_at(0);
    CHECK_INT(live, avp_mem_live());
    n++;
  }
  CHECK(n > 256); /* each segment has grown at least once */
}

static size_t slots_of(const struct avp_idset *set) {
  size_t slots = 0;
  int i;
  for (i = 0; i < AVP_IDSET_SEGMENTS; i++) slots += set->segments[i].size;
  return slots;
}

/* Room that was made for a page that never came is there for the next one. */
static void test_room_does_not_add_up(void) {
  struct avp_idset *set = fixed_set();
  struct avp_id id = avp_idset_id(set, "a", 1);
  int i;
  for (i = 0; i < 100; i++) CHECK(avp_idset_reserve(set, &id, 1));
  CHECK_INT(0, count_of(set));
  for (i = 0; i < 100; i++) { /* nor does an id take room that is there already */
    CHECK(avp_idset_reserve(set, &id, 1));
    avp_idset_put(set, &id, &seen);
  }
  CHECK(slots_of(set) <= 8);
  CHECK_INT(1, count_of(set));
  avp_idset_free(set);
}

/* Ids of one page that fall into one segment need room for each. */
static void test_room_for_a_whole_page(void) {
  struct avp_idset *set = fixed_set();
  struct avp_id ids[50];
  size_t i;
  for (i = 0; i < 50; i++) {
    ids[i] = avp_idset_id(set, (const char *)&i, sizeof i);
    ids[i].spread -= ids[i].spread % AVP_IDSET_SEGMENTS;
  }
  CHECK(avp_idset_reserve(set, ids, 50));
  CHECK(slots_of(set) * 85 >= 50 * 100);
  avp_idset_free(set);
}

/* What the design promises: at most 32 MiB for a million ids, and no jump before. A slot has 21
 * bytes. */
static void test_memory(void) {
  struct avp_idset *set = fixed_set();
  char text[64];
  unsigned i;
  for (i = 1; i <= MILLION; i++) {
    spell(i, text, sizeof text);
    put(set, text, 1);
    if (i < 10000 || i % 1000 != 0) continue;
    CHECK(slots_of(set) * 2 <= (size_t)i * 3);
    CHECK(slots_of(set) * 21 + sizeof *set <= 33554432);
  }
  CHECK_INT(MILLION, count_of(set));
  avp_idset_free(set);
}

static const struct check_test tests[] = {
    {"idset: marks", test_marks},
    {"idset: spellings of a GUID", test_guid_spellings},
    {"idset: other ids", test_other_ids},
    {"idset: zero bytes count", test_zero_bytes_count},
    {"idset: a hash is never taken for a GUID", test_a_hash_is_no_guid},
    {"idset: nor in its place", test_a_hash_is_no_guid_in_its_place},
    {"idset: each set has its own key", test_keys_differ},
    {"idset: many ids against a model", test_many_against_a_model},
    {"idset: segments are even", test_segments_are_even},
    {"idset: out of memory loses nothing", test_out_of_memory},
    {"idset: room does not add up", test_room_does_not_add_up},
    {"idset: room for a whole page", test_room_for_a_whole_page},
    {"idset: memory of a million ids", test_memory},
};

CHECK_MAIN(tests)
