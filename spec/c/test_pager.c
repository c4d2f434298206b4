/* test_pager.c - pager.h: the window of pages, their order, and what is dropped when.
 *
 * SPDX-License-Identifier: MIT */
#include "list/pager.h"

#include "rig.h"

static const struct avp_source source = {"https://api.example/customers", NULL, "pageIndex",
                                         "pageSize"};

struct pages {
  struct rig rig;
  struct avp_pager pager;
};

static void open_pager(struct pages *p, int window) {
  struct avp_settings settings = rig_settings();
  settings.concurrency = AVP_WINDOW_MAX;
  rig_signed_in(&p->rig, &settings);
  avp_pager_init(&p->pager, p->rig.r, &source, 50, window);
}

static void close_pager(struct pages *p) {
  avp_pager_close(&p->pager);
  avp_pager_close(&p->pager); /* twice does no harm */
  CHECK_INT(0, fake_running());
  rig_close(&p->rig);
}

static void fill(struct pages *p) {
  CHECK(avp_pager_fill(&p->pager));
  step(&p->rig);
}

static const char *part_of(long page) {
  static char part[2][32];
  static int turn;
  turn = !turn;
  snprintf(part[turn], sizeof part[turn], "pageIndex=%ld&", page);
  return part[turn];
}

static bool runs(long page) { return fake_find(part_of(page)) != NULL; }

static void reply(struct pages *p, long page, int status) {
  char body[32];
  snprintf(body, sizeof body, "page %ld", page);
  fake_reply(part_of(page), status, status == 204 ? "" : body);
  step(&p->rig);
}

static void check_ready(const struct pages *p, const char *body) {
  CHECK_INT(AVP_PAGER_READY, avp_pager_state(&p->pager));
  if (avp_pager_state(&p->pager) != AVP_PAGER_READY) return;
  CHECK_STR(body, avp_pager_reply(&p->pager)->body_received.data);
}

static void test_asks_for_nothing_by_itself(void) {
  struct pages p;
  open_pager(&p, 4);
  step(&p.rig);
  CHECK_INT(0, fake_running());
  CHECK_INT(AVP_PAGER_PENDING, avp_pager_state(&p.pager));
  close_pager(&p);
}

static void test_one_at_a_time_while_the_last_is_unknown(void) {
  struct pages p;
  open_pager(&p, 4);
  p.pager.allowed = 4;
  fill(&p);
  CHECK_INT(1, fake_running());
  CHECK_STR("https://api.example/customers?pageIndex=1&pageSize=50", fake->running->url);
  CHECK(!fake->running->post);
  CHECK_INT(AVP_PAGER_PENDING, avp_pager_state(&p.pager));
  reply(&p, 1, 200);
  check_ready(&p, "page 1");
  fill(&p); /* it is there: nothing more */
  CHECK_INT(0, fake_running());
  avp_pager_advance(&p.pager);
  CHECK_INT(AVP_PAGER_PENDING, avp_pager_state(&p.pager));
  fill(&p);
  CHECK(runs(2) && fake_running() == 1);
  close_pager(&p);
}

static void test_window(void) {
  struct pages p;
  open_pager(&p, 3);
  p.pager.allowed = 3;
  avp_pager_set_last(&p.pager, 5);
  fill(&p);
  CHECK(runs(1) && runs(2) && runs(3) && fake_running() == 3);
  reply(&p, 3, 200); /* out of order: it waits */
  CHECK_INT(AVP_PAGER_PENDING, avp_pager_state(&p.pager));
  fill(&p);
  CHECK_INT(2, fake_running());
  reply(&p, 1, 200);
  check_ready(&p, "page 1");
  avp_pager_advance(&p.pager);
  fill(&p);
  CHECK(runs(2) && runs(4) && fake_running() == 2);
  reply(&p, 2, 204);
  CHECK_INT(AVP_PAGER_READY, avp_pager_state(&p.pager));
  CHECK_INT(204, avp_pager_reply(&p.pager)->status);
  avp_pager_advance(&p.pager);
  check_ready(&p, "page 3");
  avp_pager_advance(&p.pager);
  fill(&p);
  CHECK(runs(4) && runs(5) && fake_running() == 2); /* none behind the last */
  close_pager(&p);
}

static void test_allowed(void) {
  struct pages p;
  open_pager(&p, 4);
  avp_pager_set_last(&p.pager, 100);
  fill(&p);
  CHECK_INT(1, fake_running());
  p.pager.allowed = 2;
  fill(&p);
  CHECK_INT(2, fake_running());
  p.pager.allowed = 50; /* never more than the window */
  fill(&p);
  CHECK_INT(4, fake_running());
  close_pager(&p);
}

/* The owner decides whether there is a next page; the pager asks for it even behind the last. */
static void test_next_page_behind_the_last(void) {
  struct pages p;
  open_pager(&p, 4);
  p.pager.allowed = 4;
  avp_pager_set_last(&p.pager, 2);
  avp_pager_seek(&p.pager, 7);
  fill(&p);
  CHECK(runs(7) && fake_running() == 1);
  close_pager(&p);
}

static void test_last_moves(void) {
  struct pages p;
  open_pager(&p, 4);
  p.pager.allowed = 4;
  avp_pager_set_last(&p.pager, 10);
  fill(&p);
  reply(&p, 4, 200);
  avp_pager_set_last(&p.pager, 2); /* what is in flight or waits behind it is dropped */
  CHECK(runs(1) && runs(2) && fake_running() == 2);
  avp_pager_set_last(&p.pager, 3);
  fill(&p);
  CHECK(runs(3) && fake_running() == 3);
  avp_pager_set_last(&p.pager, 0); /* unknown again: what is there stays */
  CHECK_INT(3, fake_running());
  close_pager(&p);
}

static void test_cancel_and_seek(void) {
  struct pages p;
  open_pager(&p, 4);
  p.pager.allowed = 4;
  avp_pager_set_last(&p.pager, 10);
  fill(&p);
  reply(&p, 1, 200);
  avp_pager_cancel(&p.pager);
  CHECK_INT(0, fake_running());
  CHECK_INT(AVP_PAGER_PENDING, avp_pager_state(&p.pager));
  fill(&p);
  CHECK(runs(1) && runs(4)); /* the next page stays the next page */
  avp_pager_seek(&p.pager, 6);
  CHECK_INT(0, fake_running());
  fill(&p);
  CHECK(runs(6) && runs(9) && fake_running() == 4);
  close_pager(&p);
}

static void test_another_source(void) {
  static const struct avp_source batch = {"https://api.example/batch", "{}", "p", "s"};
  struct pages p;
  open_pager(&p, 4);
  fill(&p);
  avp_pager_use(&p.pager, &batch, 10);
  CHECK_INT(0, fake_running());
  fill(&p);
  CHECK_STR("https://api.example/batch?p=1&s=10", fake->running->url);
  CHECK(fake->running->post);
  CHECK_STR("{}", fake->running->body);
  close_pager(&p);
}

static void test_failures(void) {
  struct pages p;
  open_pager(&p, 3);
  p.pager.allowed = 3;
  avp_pager_set_last(&p.pager, 3);
  fill(&p);
  reply(&p, 2, 403);
  CHECK_INT(AVP_PAGER_PENDING, avp_pager_state(&p.pager)); /* page 1 comes first */
  reply(&p, 3, 200);
  reply(&p, 1, 404);
  CHECK_INT(AVP_PAGER_FAILED, avp_pager_state(&p.pager));
  CHECK_INT(AVP_ERR_NOT_FOUND, avp_pager_error(&p.pager)->kind);
  CHECK_INT(1, avp_pager_error(&p.pager)->page);
  avp_pager_again(&p.pager); /* both failures are gone, page 3 is kept */
  CHECK_INT(AVP_PAGER_PENDING, avp_pager_state(&p.pager));
  fill(&p);
  CHECK(runs(1) && runs(2) && fake_running() == 2);
  reply(&p, 1, 200);
  check_ready(&p, "page 1");
  avp_pager_again(&p.pager); /* its owner could not read it */
  CHECK_INT(AVP_PAGER_PENDING, avp_pager_state(&p.pager));
  fill(&p);
  CHECK(runs(1));
  reply(&p, 1, 200);
  avp_pager_advance(&p.pager);
  reply(&p, 2, 200);
  avp_pager_advance(&p.pager);
  check_ready(&p, "page 3");
  close_pager(&p);
}

static void test_largest_window(void) {
  struct pages p;
  long page;
  open_pager(&p, AVP_WINDOW_MAX);
  p.pager.allowed = AVP_WINDOW_MAX;
  avp_pager_seek(&p.pager, 1000000000);
  avp_pager_set_last(&p.pager, 1000001000);
  fill(&p);
  CHECK_INT(AVP_WINDOW_MAX, fake_running());
  for (page = 1000000000 + AVP_WINDOW_MAX - 1; page >= 1000000000; page--) reply(&p, page, 200);
  for (page = 0; page < AVP_WINDOW_MAX; page++) {
    char body[32];
    snprintf(body, sizeof body, "page %ld", 1000000000 + page);
    check_ready(&p, body);
    avp_pager_advance(&p.pager);
  }
  CHECK_INT(AVP_PAGER_PENDING, avp_pager_state(&p.pager));
  close_pager(&p);
}

static void test_deadline_and_stats(void) {
  struct pages p;
  open_pager(&p, 2);
  p.pager.deadline = p.rig.now + 500;
  fill(&p);
  CHECK_INT(500, fake->running->timeout_ms);
  fake_reply_with(part_of(1), 503, "wait", "0", NULL);
  step(&p.rig);
  reply(&p, 1, 200);
  check_ready(&p, "page 1");
  CHECK_INT(2, p.pager.stats.requests);
  CHECK_INT(1, p.pager.stats.retries);
  CHECK(p.pager.stats.bytes == 10);
  avp_pager_advance(&p.pager);
  p.rig.now += 500;
  fill(&p);
  CHECK_INT(AVP_PAGER_FAILED, avp_pager_state(&p.pager));
  CHECK_INT(AVP_ERR_TIMEOUT, avp_pager_error(&p.pager)->kind);
  CHECK_INT(2, avp_pager_error(&p.pager)->page);
  close_pager(&p);
}

/* A client that is closed under a listing: what had come stays, the rest fails. */
static void test_closed_client(void) {
  struct pages p;
  open_pager(&p, 2);
  p.pager.allowed = 2;
  avp_pager_set_last(&p.pager, 4);
  fill(&p);
  reply(&p, 1, 200);
  avp_requests_close(p.rig.r);
  check_ready(&p, "page 1");
  avp_pager_advance(&p.pager);
  CHECK_INT(AVP_PAGER_FAILED, avp_pager_state(&p.pager));
  CHECK_INT(AVP_ERR_CLOSED, avp_pager_error(&p.pager)->kind);
  fill(&p);
  close_pager(&p);
}

/* The pager keeps the requests alive. */
static void test_outlives_the_client(void) {
  struct pages p;
  open_pager(&p, 2);
  fill(&p);
  avp_requests_release(p.rig.r);
  CHECK(fake != NULL);
  reply(&p, 1, 200);
  check_ready(&p, "page 1");
  avp_pager_close(&p.pager);
  CHECK(fake == NULL);
}

/* Only the page that is needed next is worth an error; those ahead are asked for again later. */
static void test_out_of_memory(void) {
  long n;
  for (n = 1; n <= 16; n++) {
    struct pages p;
    bool filled;
    open_pager(&p, 3);
    p.pager.allowed = 3;
    avp_pager_set_last(&p.pager, 3);
    avp_mem_fail_at(n);
    filled = avp_pager_fill(&p.pager);
    avp_mem_fail_at(0);
    CHECK(filled || p.pager.slots[1].call == NULL);
    fill(&p);
    CHECK(runs(1) && runs(2) && runs(3));
    close_pager(&p);
  }
}

static const struct check_test tests[] = {
    {"pager: asks for nothing by itself", test_asks_for_nothing_by_itself},
    {"pager: one at a time while the last is unknown",
     test_one_at_a_time_while_the_last_is_unknown},
    {"pager: window", test_window},
    {"pager: how many are allowed", test_allowed},
    {"pager: the next page may be behind the last", test_next_page_behind_the_last},
    {"pager: the last page moves", test_last_moves},
    {"pager: cancel and seek", test_cancel_and_seek},
    {"pager: another source", test_another_source},
    {"pager: failures", test_failures},
    {"pager: the largest window", test_largest_window},
    {"pager: deadline and stats", test_deadline_and_stats},
    {"pager: a closed client", test_closed_client},
    {"pager: it outlives the client", test_outlives_the_client},
    {"pager: out of memory", test_out_of_memory},
};

CHECK_MAIN(tests)
