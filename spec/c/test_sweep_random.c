/* test_sweep_random.c - sweep.h against thousands of lists that move while they are read.
 *
 * A history is made from its seed alone. Whatever happens, no id comes twice; and where the reader
 * ends without an error, each customer who was there from the first fetch to the last has come,
 * but for histories which nobody can see from outside: those whose last sweep shows, from page to
 * page, just what a list that stands still would show (cannot_be_seen has the exact words). They
 * are counted by name.
 *
 * usage: test_sweep_random [seed]   with a seed: that history alone, with its events
 *
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <stdlib.h>

#include "sweep_reader.h"

#define LIST_MAX  400
#define HISTORIES 12000 /* of each kind */

enum kind { HONEST, STRICT, HIDDEN, STALE, NO_TOTAL, KINDS };

static const char *const kind_names[KINDS] = {"repair", "strict",
                                              "rows that the total counts and the server hides",
                                              "a total that lags behind", "no total"};

struct world {
  struct server server; /* first, so that one is the other */
  enum kind kind;
  uint64_t random;
  int list[LIST_MAX];
  int count;
  int next_id;
  long version;           /* counts changes */
  bool unsteady[IDS_MAX]; /* away at some moment, or before the first page of the listing */
  bool hidden[IDS_MAX];   /* counted by the total and not sent */
  int away[LIST_MAX];     /* ids that were removed and may come back */
  int away_count;
  int size;        /* rows of a page */
  int busy;        /* changes come once in so many fetches */
  bool level;      /* only changes that leave the total as it was */
  long calm_after; /* no more changes after so many fetches */
  long fetches;
  int64_t stale_total;
  int border; /* rows before the first page of the listing */
  bool talk;  /* print what happens */
};

static void put(struct world *w, int id, int at) {
  if (w->count == LIST_MAX || id >= IDS_MAX) return;
  memmove(w->list + at + 1, w->list + at, (size_t)(w->count - at) * sizeof w->list[0]);
  w->list[at] = id;
  w->count++;
  if (w->talk) printf("#   customer %d comes in at %d\n", id, at);
}

static int take_out(struct world *w, int at) {
  int id = w->list[at];
  w->count--;
  memmove(w->list + at, w->list + at + 1, (size_t)(w->count - at) * sizeof w->list[0]);
  if (w->talk) printf("#   customer %d goes from %d\n", id, at);
  return id;
}

static int new_id(struct world *w) {
  int id = w->next_id++;
  w->hidden[id] = w->kind == HIDDEN && below(&w->random, 6) == 0;
  return id;
}

static void insert(struct world *w) {
  int at = below(&w->random, w->count + 1);
  int id;
  if (w->away_count > 0 && below(&w->random, 2) == 0) {
    id = w->away[--w->away_count]; /* it was there before */
  } else {
    id = new_id(w);
    w->unsteady[id] = true;
  }
  put(w, id, at);
}

static void remove_one(struct world *w) {
  int id;
  if (w->count == 0) return;
  id = take_out(w, below(&w->random, w->count));
  w->unsteady[id] = true;
  if (w->away_count < LIST_MAX) w->away[w->away_count++] = id;
}

static void change(struct world *w) {
  switch (below(&w->random, w->level ? 2 : 6)) {
  case 2:
  case 3:
    insert(w);
    break;
  case 4:
  case 5:
    remove_one(w);
    break;
  case 0: /* one goes, one comes */
    remove_one(w);
    insert(w);
    break;
  default: /* one gets another place, as when it is renamed in a sorted list */
    if (w->count > 0) {
      int id = take_out(w, below(&w->random, w->count));
      put(w, id, below(&w->random, w->count + 1));
    }
  }
  w->version++;
}

/* Rows that were before the listing's first page at any moment are outside the promise. */
static void mark_border(struct world *w) {
  int i;
  for (i = 0; i < w->border && i < w->count; i++) w->unsteady[w->list[i]] = true;
}

static void happen(struct world *w) {
  if (w->fetches++ == 0 || w->fetches > w->calm_after) return;
  while (below(&w->random, w->busy) == 0) {
    change(w);
    mark_border(w);
    if (w->busy == 1 && below(&w->random, 3) == 0) break;
  }
  if (w->busy == 1 || below(&w->random, 4) == 0) w->stale_total = w->count;
}

static void serve(struct server *server, long number, struct page *out) {
  struct world *w = (struct world *)server;
  long at = (number - 1) * w->size;
  long end = at + w->size;
  happen(w);
  if (w->talk) printf("# page %ld of %d rows:", number, w->count);
  for (; at < end && at < w->count; at++) {
    if (!w->hidden[w->list[at]]) out->ids[out->rows++] = w->list[at];
    if (w->talk) printf(" %d", w->list[at]);
  }
  if (w->talk) printf("\n");
  out->version = w->version;
  out->has_total = w->kind != NO_TOTAL;
  out->total = w->kind == STALE ? w->stale_total : out->has_total ? w->count : 0;
  out->said = w->kind != NO_TOTAL ? w->size : 0;
}

static void make_world(struct world *w, enum kind kind, uint64_t seed) {
  static const int busy[] = {1, 2, 4, 8, 16, 40};
  int rows;
  memset(w, 0, sizeof *w);
  w->server.serve = serve;
  w->kind = kind;
  w->random = seed * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)kind + 1;
  (void)draw(&w->random);
  rows = below(&w->random, below(&w->random, 4) == 0 ? 120 : 24);
  w->size = 1 + below(&w->random, 9);
  w->busy = busy[below(&w->random, 6)];
  w->level = below(&w->random, 3) == 0;
  w->calm_after = below(&w->random, 3) == 0 ? 100000 : below(&w->random, 40);
  while (w->count < rows) put(w, new_id(w), w->count);
  w->stale_total = w->count;
}

/* Customers who were there all the time, were to be sent, and have not come. */
static int count_lost(const struct world *w, const struct reader *r, bool talk) {
  int lost = 0;
  int i;
  for (i = 0; i < w->count; i++) {
    int id = w->list[i];
    if (w->unsteady[id] || w->hidden[id] || r->yielded[id]) continue;
    lost++;
    if (talk) printf("# lost: customer %d\n", id);
  }
  return lost;
}

enum { NEVER_SEEN, ONE_SWEEP, LATER_SWEEP, SAME_TWICE, SHORT_TOTAL, SHORT_LIST, NAMES };

static const char *const names[NAMES] = {
    "a loss that could be seen",
    "changes that cancel out within the only sweep",
    "changes that cancel out within the last sweep, of ids known before",
    "changes that make two sweeps alike",
    "a total that is too low, with the last page full",
    "no total, and changes that leave no row twice",
};

/* The sweep before showed the same: as many ids, as many of them twice, under the same total. */
static bool same_as_before(const struct reader *r) {
  const struct record *now = &r->now;
  const struct record *prior = &r->prior;
  return prior->totals_equal == now->totals_equal && prior->no_totals == now->no_totals &&
         prior->total == now->total && prior->distinct == now->distinct &&
         prior->repeats == now->repeats;
}

/* Why nobody could have seen the loss, or NEVER_SEEN where that is not so. The last sweep told one
 * total on all pages (or none on any), and a later one brought nothing new. Either no id came twice
 * in it and they add up to the total, or the sweep before showed just the same. And the list did
 * change during the sweep: else it is the reader that has lost the row. */
static int cannot_be_seen(const struct world *w, const struct reader *r) {
  const struct record *now = &r->now;
  bool first = r->sweep.number == 1;
  bool moved = now->oldest != now->newest;
  int64_t gap = now->total - w->border - now->distinct;
  if (!first && now->fresh > 0) return NEVER_SEEN;
  if (!first && moved && same_as_before(r) && (now->repeats > 0 || gap != 0)) return SAME_TWICE;
  if (now->repeats > 0) return NEVER_SEEN;
  if (w->kind == NO_TOTAL) {
    return now->no_totals && !now->cut_short && moved ? SHORT_LIST : NEVER_SEEN;
  }
  if (!now->totals_equal || gap != 0) return NEVER_SEEN;
  if (moved) return first ? ONE_SWEEP : LATER_SWEEP;
  return w->kind == STALE && w->count > now->total ? SHORT_TOTAL : NEVER_SEEN;
}

struct tally {
  int ended;       /* without an error */
  int failed;      /* with one */
  int repaired;    /* ended after more than one sweep */
  int hurt[NAMES]; /* histories with a loss, by name */
  int twice;       /* histories in which an id came twice */
  int endless;
  uint64_t bad_seed; /* of the first history that must not be */
};

static void judge(struct tally *tally, const struct world *w, const struct reader *r,
                  uint64_t seed) {
  bool bad = r->twice > 0 || r->verdict == AVP_SWEEP_GO_ON;
  tally->twice += r->twice > 0;
  tally->endless += r->verdict == AVP_SWEEP_GO_ON;
  tally->failed += r->verdict == AVP_SWEEP_FAIL;
  if (r->verdict == AVP_SWEEP_END) {
    tally->ended++;
    tally->repaired += r->sweep.number > 1;
    if (count_lost(w, r, w->talk) > 0) {
      int name = cannot_be_seen(w, r);
      tally->hurt[name]++;
      bad = bad || name == NEVER_SEEN;
      if (w->talk) printf("# %s\n", names[name]);
    }
  }
  if (bad && tally->bad_seed == 0) tally->bad_seed = seed;
}

static void play(struct tally *tally, enum kind kind, uint64_t seed, bool talk) {
  static struct world w; /* large, and used one at a time */
  static struct reader r;
  make_world(&w, kind, seed);
  w.talk = talk;
  reader_init(&r, &w.server, kind == STRICT ? AVP_DRIFT_STRICT : AVP_DRIFT_REPAIR, w.size);
  r.window = 1 + below(&w.random, WINDOW_MAX);
  r.random = draw(&w.random) | 1;
  if (kind != NO_TOTAL && kind != HIDDEN && kind != STALE && below(&w.random, 8) == 0) {
    r.sweep.first_page = 2;
    w.border = w.size;
    mark_border(&w);
  }
  if (talk) printf("# %s, pages of %d, window %d\n", kind_names[kind], w.size, r.window);
  reader_run(&r);
  if (talk && r.verdict == AVP_SWEEP_FAIL) printf("# %s\n", r.err.message);
  if (talk) printf("# sweeps %d, missing %d\n", r.sweep.number, (int)r.sweep.missing);
  judge(tally, &w, &r, seed);
}

static void test_kind(enum kind kind) {
  struct tally tally;
  uint64_t seed;
  int i;
  memset(&tally, 0, sizeof tally);
  for (seed = 1; seed <= HISTORIES; seed++) play(&tally, kind, seed, false);
  printf("# %s: %d histories, %d ended (%d repaired), %d with an error\n", kind_names[kind],
         HISTORIES, tally.ended, tally.repaired, tally.failed);
  for (i = 0; i < NAMES; i++) {
    if (tally.hurt[i] > 0) printf("#   %d: %s\n", tally.hurt[i], names[i]);
  }
  CHECK_INT(0, tally.bad_seed); /* to replay it: test_sweep_random SEED */
  CHECK_INT(0, tally.twice);
  CHECK_INT(0, tally.endless);
  CHECK_INT(0, tally.hurt[NEVER_SEEN]);
  CHECK(tally.ended > HISTORIES / 4 && tally.repaired > HISTORIES / 20);
}

static void test_honest(void) { test_kind(HONEST); }
static void test_strict(void) { test_kind(STRICT); }
static void test_hidden(void) { test_kind(HIDDEN); }
static void test_stale(void) { test_kind(STALE); }
static void test_no_total(void) { test_kind(NO_TOTAL); }

static const struct check_test tests[] = {
    {"sweep, random: repair loses nothing that can be seen", test_honest},
    {"sweep, random: strict loses nothing that can be seen", test_strict},
    {"sweep, random: with rows that are counted but hidden", test_hidden},
    {"sweep, random: with a total that lags behind", test_stale},
    {"sweep, random: without totals", test_no_total},
};

/* How often repair raises, by how often the list changes and how many pages it has. */
static int raised_of(int pages, int every, int histories) {
  static struct world w;
  static struct reader r;
  int raised = 0;
  uint64_t seed;
  for (seed = 1; seed <= (uint64_t)histories; seed++) {
    make_world(&w, HONEST, seed);
    w.size = 5;
    w.busy = every;
    w.calm_after = LONG_MAX;
    w.level = false;
    while (w.count < pages * w.size - 2) put(&w, new_id(&w), w.count);
    while (w.count > pages * w.size - 2) (void)take_out(&w, w.count - 1);
    reader_init(&r, &w.server, AVP_DRIFT_REPAIR, w.size);
    r.window = WINDOW_MAX;
    r.random = seed;
    reader_run(&r);
    raised += r.verdict == AVP_SWEEP_FAIL;
  }
  return raised;
}

static const int rate_pages[] = {1, 3, 10, 30};
static const int rate_every[] = {1000, 200, 100, 50, 20, 10, 5};
#define RATE_HISTORIES 2000
#define LENGTH(array)  (sizeof(array) / sizeof(array)[0])

static int print_rates(void) {
  size_t p;
  size_t e;
  printf("How often drift = \"repair\" raises, of %d lists each\n", RATE_HISTORIES);
  printf("one change in     ");
  for (p = 0; p < LENGTH(rate_pages); p++) printf("%6d page%s", rate_pages[p], p > 0 ? "s" : " ");
  printf("\n");
  for (e = 0; e < LENGTH(rate_every); e++) {
    printf("%5d pages read ", rate_every[e]);
    for (p = 0; p < LENGTH(rate_pages); p++) {
      int raised = raised_of(rate_pages[p], rate_every[e], RATE_HISTORIES);
      printf("%10.2f %%", 100.0 * raised / RATE_HISTORIES);
    }
    printf("\n");
  }
  return 0;
}

/* What the README says: a list that changes less than once in ten sweeps is always repaired. */
static void test_raises_seldom(void) {
  size_t p;
  for (p = 0; p < LENGTH(rate_pages); p++) {
    CHECK_INT(0, raised_of(rate_pages[p], 10 * rate_pages[p] + 1, 500));
  }
  CHECK_INT(0, raised_of(1, 10, 500));
  CHECK_INT(0, raised_of(3, 10, 500));
}

static const struct check_test rate_tests[] = {
    {"sweep, random: repair seldom raises", test_raises_seldom},
};

/* usage: test_sweep_random [rates | SEED] */
int main(int argc, char **argv) {
  struct tally tally;
  int kind;
  if (argc < 2) {
    int failed = check_run(tests, sizeof tests / sizeof tests[0]);
    return check_run(rate_tests, 1) || failed;
  }
  if (strcmp(argv[1], "rates") == 0) return print_rates();
  memset(&tally, 0, sizeof tally);
  for (kind = 0; kind < KINDS; kind++)
    play(&tally, (enum kind)kind, strtoul(argv[1], NULL, 10), true);
  return tally.bad_seed != 0;
}
