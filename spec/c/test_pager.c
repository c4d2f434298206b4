/* test_pager.c - pager.h: which pages are asked for, and what is dropped when.
 *
 * SPDX-License-Identifier: MIT */
#include "list/pager.h"

#include "rig.h"

static const struct avp_source source = {"https://api.example/customers", NULL, NULL, "pageIndex",
                                         "pageSize"};

struct pages {
  struct rig rig;
  struct avp_pager pager;
  long next; /* as its owner keeps them: the page to take next, */
  int width; /* how many to ask for, */
  long last; /* and none behind this one */
};

static void open_pager(struct pages *p, int width, long last) {
  struct avp_settings settings = rig_settings();
  settings.concurrency = AVP_WIDTH_MAX;
  rig_signed_in(&p->rig, &settings);
  p->rig.r->max_in_flight = settings.concurrency; /* as after as many successes */
  avp_pager_init(&p->pager, p->rig.r);
  avp_pager_use(&p->pager, &source, 50);
  p->next = 1;
  p->width = width;
  p->last = last;
}

static void close_pager(struct pages *p) {
  avp_pager_close(&p->pager);
  avp_pager_close(&p->pager); /* twice does no harm */
  CHECK_INT(0, fake_running());
  rig_close(&p->rig);
}

static void fill(struct pages *p) {
  avp_pager_trim(&p->pager, p->next, p->last);
  CHECK(avp_pager_ask(&p->pager, p->next, p->width, p->last));
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

static enum avp_call_state state(const struct pages *p) {
  const struct avp_call *call = avp_pager_page(&p->pager, p->next);
  return call != NULL ? call->state : AVP_CALL_QUEUED;
}

static const struct avp_call *call_of(const struct pages *p) {
  return avp_pager_page(&p->pager, p->next);
}

static void take(struct pages *p) { avp_pager_drop(&p->pager, p->next++); }

static void check_ready(const struct pages *p, const char *body) {
  CHECK_INT(AVP_CALL_DONE, state(p));
  if (state(p) != AVP_CALL_DONE) return;
  CHECK_STR(body, call_of(p)->body_received.data);
}

static void test_asks_for_nothing_by_itself(void) {
  struct pages p;
  open_pager(&p, 4, 0);
  step(&p.rig);
  CHECK_INT(0, fake_running());
  CHECK(state(&p) < AVP_CALL_DONE);
  close_pager(&p);
}

static void test_one_at_a_time_while_the_last_is_unknown(void) {
  struct pages p;
  open_pager(&p, 4, 0);
  p.width = 4;
  fill(&p);
  CHECK_INT(1, fake_running());
  CHECK_STR("https://api.example/customers?pageIndex=1&pageSize=50", fake->running->url);
  CHECK(!fake->running->post);
  CHECK(state(&p) < AVP_CALL_DONE);
  reply(&p, 1, 200);
  check_ready(&p, "page 1");
  fill(&p); /* it is there: nothing more */
  CHECK_INT(0, fake_running());
  take(&p);
  CHECK(state(&p) < AVP_CALL_DONE);
  fill(&p);
  CHECK(runs(2) && fake_running() == 1);
  close_pager(&p);
}

static void test_any_order(void) {
  struct pages p;
  open_pager(&p, 3, 0);
  p.width = 3;
  p.last = 5;
  fill(&p);
  CHECK(runs(1) && runs(2) && runs(3) && fake_running() == 3);
  reply(&p, 3, 200); /* out of order: it waits */
  CHECK(state(&p) < AVP_CALL_DONE);
  fill(&p);
  CHECK_INT(2, fake_running());
  reply(&p, 1, 200);
  check_ready(&p, "page 1");
  take(&p);
  fill(&p);
  CHECK(runs(2) && runs(4) && fake_running() == 2);
  reply(&p, 2, 204);
  CHECK_INT(AVP_CALL_DONE, state(&p));
  CHECK_INT(204, call_of(&p)->status);
  take(&p);
  check_ready(&p, "page 3");
  take(&p);
  fill(&p);
  CHECK(runs(4) && runs(5) && fake_running() == 2); /* none behind the last */
  close_pager(&p);
}

static void test_allowed(void) {
  struct pages p;
  open_pager(&p, 1, 0);
  p.last = 100;
  fill(&p);
  CHECK_INT(1, fake_running());
  p.width = 2;
  fill(&p);
  CHECK_INT(2, fake_running());
  p.width = AVP_WIDTH_MAX;
  fill(&p);
  CHECK_INT(AVP_WIDTH_MAX, fake_running());
  p.width = 2; /* what was asked for stays */
  fill(&p);
  CHECK_INT(AVP_WIDTH_MAX, fake_running());
  close_pager(&p);
}

/* The owner decides whether there is a next page; the pager asks for it even behind the last. */
static void test_next_page_behind_the_last(void) {
  struct pages p;
  open_pager(&p, 4, 0);
  p.width = 4;
  p.last = 2;
  p.next = 7;
  fill(&p);
  CHECK(runs(7) && fake_running() == 1);
  close_pager(&p);
}

static void test_last_moves(void) {
  struct pages p;
  open_pager(&p, 4, 10);
  fill(&p);
  reply(&p, 4, 200);
  p.last = 2; /* what is under way or waits behind it is dropped */
  fill(&p);
  CHECK(runs(1) && runs(2) && fake_running() == 2);
  p.last = 3;
  fill(&p);
  CHECK(runs(3) && fake_running() == 3);
  p.last = 0; /* unknown: only the next page is sure to be needed */
  fill(&p);
  CHECK(runs(1) && fake_running() == 1);
  close_pager(&p);
}

static void test_cancel_and_go_elsewhere(void) {
  struct pages p;
  open_pager(&p, 4, 10);
  fill(&p);
  reply(&p, 1, 200);
  avp_pager_cancel(&p.pager);
  CHECK_INT(0, fake_running());
  CHECK(call_of(&p) == NULL);
  fill(&p);
  CHECK(runs(1) && runs(4));
  p.next = 6;
  fill(&p); /* the pages before it are of no use */
  CHECK(runs(6) && runs(9) && fake_running() == 4);
  CHECK_INT(4, p.pager.asked);
  close_pager(&p);
}

static void test_another_source(void) {
  static const struct avp_source batch = {"https://api.example/batch", NULL, "{}", "p", "s"};
  struct pages p;
  open_pager(&p, 4, 0);
  fill(&p);
  avp_pager_use(&p.pager, &batch, 10);
  CHECK_INT(0, fake_running());
  fill(&p);
  CHECK_STR("https://api.example/batch?p=1&s=10", fake->running->url);
  CHECK(fake->running->post);
  CHECK_STR("{}", fake->running->body);
  close_pager(&p);
}

static void test_queries(void) {
  static const struct avp_source filtered = {"https://api.example/list", "a=b", NULL, "p", "s"};
  static const struct avp_source object = {"https://api.example/object", "a=b", NULL, NULL, NULL};
  static const struct avp_source bare = {"https://api.example/object", NULL, NULL, NULL, NULL};
  struct pages p;
  open_pager(&p, 1, 0);
  avp_pager_use(&p.pager, &filtered, 10);
  fill(&p);
  CHECK_STR("https://api.example/list?a=b&p=1&s=10", fake->running->url);
  p.next = 0; /* what is no list has no pages */
  avp_pager_use(&p.pager, &object, 0);
  fill(&p);
  CHECK_STR("https://api.example/object?a=b", fake->running->url);
  avp_pager_use(&p.pager, &bare, 0);
  fill(&p);
  CHECK_STR("https://api.example/object", fake->running->url);
  CHECK(avp_pager_page(&p.pager, 0) != NULL);
  CHECK_INT(0, avp_pager_page(&p.pager, 0)->page);
  close_pager(&p);
}

static void test_failures(void) {
  struct pages p;
  open_pager(&p, 3, 0);
  p.width = 3;
  p.last = 3;
  fill(&p);
  reply(&p, 2, 403);
  CHECK(state(&p) < AVP_CALL_DONE); /* page 1 comes first */
  reply(&p, 3, 200);
  reply(&p, 1, 404);
  CHECK_INT(AVP_CALL_FAILED, state(&p));
  CHECK_INT(AVP_ERR_NOT_FOUND, call_of(&p)->err.kind);
  CHECK_INT(1, call_of(&p)->err.page);
  avp_pager_drop_failed(&p.pager); /* page 3 is kept */
  CHECK(state(&p) < AVP_CALL_DONE);
  fill(&p);
  CHECK(runs(1) && runs(2) && fake_running() == 2);
  reply(&p, 1, 200);
  check_ready(&p, "page 1");
  avp_pager_drop(&p.pager, 1); /* its owner could not read it */
  CHECK(state(&p) < AVP_CALL_DONE);
  fill(&p);
  CHECK(runs(1));
  reply(&p, 1, 200);
  take(&p);
  reply(&p, 2, 200);
  take(&p);
  check_ready(&p, "page 3");
  close_pager(&p);
}

static void test_largest_width(void) {
  struct pages p;
  long page;
  open_pager(&p, AVP_WIDTH_MAX, 0);
  p.width = AVP_WIDTH_MAX;
  p.next = 1000000000;
  p.last = 1000001000;
  fill(&p);
  CHECK_INT(AVP_WIDTH_MAX, fake_running());
  for (page = 1000000000 + AVP_WIDTH_MAX - 1; page >= 1000000000; page--) reply(&p, page, 200);
  for (page = 0; page < AVP_WIDTH_MAX; page++) {
    char body[32];
    snprintf(body, sizeof body, "page %ld", 1000000000 + page);
    check_ready(&p, body);
    take(&p);
  }
  CHECK(state(&p) < AVP_CALL_DONE);
  close_pager(&p);
}

static void test_deadline_and_stats(void) {
  struct pages p;
  open_pager(&p, 2, 0);
  p.pager.deadline = p.rig.now + 500;
  fill(&p);
  CHECK_INT(p.rig.now + 500, avp_requests_wait(p.rig.r, p.rig.now));
  fake_reply_with(part_of(1), 503, "wait", "0", NULL);
  step(&p.rig);
  advance(&p.rig, 400); /* its turn by the pace */
  reply(&p, 1, 200);
  check_ready(&p, "page 1");
  CHECK_INT(2, p.pager.stats.requests);
  CHECK_INT(1, p.pager.stats.retries);
  CHECK(p.pager.stats.bytes == 10);
  take(&p);
  p.rig.now += 500;
  fill(&p);
  CHECK_INT(AVP_CALL_FAILED, state(&p));
  CHECK_INT(AVP_ERR_TIMEOUT, call_of(&p)->err.kind);
  CHECK_INT(2, call_of(&p)->err.page);
  close_pager(&p);
}

/* A client that is closed under a listing: what had come stays, the rest fails. */
static void test_closed_client(void) {
  struct pages p;
  open_pager(&p, 2, 0);
  p.width = 2;
  p.last = 4;
  fill(&p);
  reply(&p, 1, 200);
  avp_requests_close(p.rig.r);
  check_ready(&p, "page 1");
  take(&p);
  CHECK_INT(AVP_CALL_FAILED, state(&p));
  CHECK_INT(AVP_ERR_CLOSED, call_of(&p)->err.kind);
  fill(&p);
  close_pager(&p);
}

/* The pager keeps the requests alive. */
static void test_outlives_the_client(void) {
  struct pages p;
  open_pager(&p, 2, 0);
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
    open_pager(&p, 3, 0);
    p.width = 3;
    p.last = 3;
    avp_mem_fail_at(n);
    filled = avp_pager_ask(&p.pager, 1, 3, 3);
    avp_mem_fail_at(0);
    CHECK(filled || avp_pager_page(&p.pager, 1) == NULL);
    fill(&p);
    CHECK(runs(1) && runs(2) && runs(3));
    close_pager(&p);
  }
}

static const struct check_test tests[] = {
    {"pager: asks for nothing by itself", test_asks_for_nothing_by_itself},
    {"pager: one at a time while the last is unknown",
     test_one_at_a_time_while_the_last_is_unknown},
    {"pager: pages come in any order", test_any_order},
    {"pager: how many are allowed", test_allowed},
    {"pager: the next page may be behind the last", test_next_page_behind_the_last},
    {"pager: the last page moves", test_last_moves},
    {"pager: cancel, and go elsewhere", test_cancel_and_go_elsewhere},
    {"pager: another source", test_another_source},
    {"pager: queries, and what is no list", test_queries},
    {"pager: failures", test_failures},
    {"pager: the largest width", test_largest_width},
    {"pager: deadline and stats", test_deadline_and_stats},
    {"pager: a closed client", test_closed_client},
    {"pager: it outlives the client", test_outlives_the_client},
    {"pager: out of memory", test_out_of_memory},
};

CHECK_MAIN(tests)
