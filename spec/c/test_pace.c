/* test_pace.c - a client behind servers that limit the rate of requests: how long a list takes and
 * how many requests a page, in simulated time.
 * SPDX-License-Identifier: MIT */
#include "rig.h"

#define PAGES 50

/* Lets through `burst` requests, and one more each `distance` ms. */
struct limiter {
  double burst;
  int distance;
  double bucket;
  int64_t at;
};

static bool lets_through(struct limiter *limiter, int64_t now) {
  limiter->bucket += (double)(now - limiter->at) / limiter->distance;
  if (limiter->bucket > limiter->burst) limiter->bucket = limiter->burst;
  limiter->at = now;
  if (limiter->bucket < 1) return false;
  limiter->bucket--;
  return true;
}

struct service {
  struct limiter limiter;
  int status;              /* of a refusal */
  const char *retry_after; /* of a refusal, or NULL */
  int latency;             /* ms, there and back; `jitter` of it by chance */
  int jitter;
  unsigned seed;
  int refuse; /* that many requests from now on, one is refused; 0: none */
};

static int chance(struct service *service, int below) {
  service->seed = service->seed * 1103515245u + 12345u;
  return below > 0 ? (int)((service->seed >> 16) % (unsigned)below) : 0;
}

/* Lets requests arrive and replies leave at `now`. */
static void serve(struct service *service, int64_t now) {
  struct fake_attempt *attempt = fake->running;
  while (attempt != NULL) {
    struct fake_attempt *next = attempt->next;
    if (attempt->arrives == 0) {
      int delay = service->latency / 2 + chance(service, service->jitter);
      attempt->arrives = now + delay;
      attempt->leaves = now + delay + service->latency / 2;
    }
    if (attempt->verdict == 0 && now >= attempt->arrives) {
      bool refused = service->refuse > 0 && --service->refuse == 0;
      refused = refused || !lets_through(&service->limiter, now);
      attempt->verdict = refused ? service->status : 200;
    }
    if (attempt->verdict != 0 && now >= attempt->leaves) {
      bool refused = attempt->verdict != 200;
      attempt->transfer.reply.status = attempt->verdict;
      if (refused && service->retry_after != NULL) {
        strcpy(attempt->transfer.reply.retry_after, service->retry_after);
      }
      fake_finish(attempt, CURLE_OK);
    }
    attempt = next;
  }
}

struct outcome {
  int64_t ms;
  int requests;
  int failed;
};

/* Reads a list, page 1 first, then `concurrency` pages ahead of the reader. */
static struct outcome read_list(struct service *service, int concurrency) {
  struct avp_settings settings = rig_settings();
  struct avp_call *calls[PAGES] = {NULL};
  struct outcome outcome = {0, 0, 0};
  struct rig rig;
  int asked = 0;
  int taken = 0;
  int64_t start;
  settings.concurrency = concurrency;
  rig_signed_in(&rig, &settings);
  rig.r->shared.jitter_state = service->seed;
  start = rig.now;
  service->limiter.bucket = service->limiter.burst;
  service->limiter.at = start;
  outcome.requests = -fake_started;
  while (taken < PAGES && rig.now < start + 600000) {
    while (asked < PAGES && asked < taken + (taken > 0 ? concurrency : 1)) {
      char name[32];
      snprintf(name, sizeof name, "page=%d", ++asked);
      calls[asked - 1] = get(&rig, name);
    }
    avp_requests_step(rig.r, rig.now, WALL + rig.now);
    serve(service, rig.now);
    avp_requests_step(rig.r, rig.now, WALL + rig.now);
    while (taken < asked && calls[taken]->state >= AVP_CALL_DONE) {
      if (calls[taken]->state == AVP_CALL_FAILED) outcome.failed++;
      avp_call_release(rig.r, calls[taken++]);
    }
    if (avp_requests_wait(rig.r, rig.now) > rig.now) rig.now++;
  }
  outcome.ms = rig.now - start;
  outcome.requests += fake_started;
  release_all(&rig, calls + taken, asked - taken);
  rig_close(&rig);
  return outcome;
}

/* Five a second without a burst: at most 1.6 times the ideal time and 1.3 requests a page. */
static void test_limit_without_a_burst(void) {
  static const int statuses[] = {429, 503};
  static const char *const waits[] = {NULL, "1", "0"};
  static const int latencies[] = {4, 40, 200};
  static const int concurrencies[] = {1, 2, 4, 8, 16};
  int i;
  for (i = 0; i < 2 * 3 * 3 * 5 * 5; i++) {
    struct service service = {{1, 200, 0, 0}, statuses[i % 2], waits[i / 2 % 3], 0, 0, 0, 0};
    int concurrency = concurrencies[i / 18 % 5];
    struct outcome outcome;
    service.latency = latencies[i / 6 % 3];
    service.jitter = 1 + service.latency / 16;
    service.seed = 1u + (unsigned)(i / 90);
    outcome = read_list(&service, concurrency);
    printf("# %d, Retry-After %s, %d ms, %d in flight: %.1f s, %d requests\n", service.status,
           service.retry_after != NULL ? service.retry_after : "-", service.latency, concurrency,
           (double)outcome.ms / 1000, outcome.requests);
    CHECK_INT(0, outcome.failed);
    CHECK(outcome.ms <= 16000);
    CHECK(outcome.requests <= PAGES * 13 / 10);
  }
}

/* A burst first, then five a second: the pace is found once the burst is used up. */
static void test_limit_behind_a_burst(void) {
  int concurrency;
  for (concurrency = 1; concurrency <= 16; concurrency *= 2) {
    struct service service = {{10, 200, 0, 0}, 429, NULL, 20, 3, 7, 0};
    struct outcome outcome = read_list(&service, concurrency);
    printf("# a burst of 10, %d in flight: %.1f s, %d requests\n", concurrency,
           (double)outcome.ms / 1000, outcome.requests);
    CHECK_INT(0, outcome.failed);
    CHECK(outcome.ms <= 24000);
    CHECK(outcome.requests <= PAGES * 14 / 10);
  }
}

/* One refusal without a limit behind it costs little. */
static void test_one_refusal(void) {
  struct service service = {{1e9, 1, 0, 0}, 503, NULL, 20, 1, 7, 0};
  int64_t whole = read_list(&service, 4).ms;
  struct outcome outcome;
  service.refuse = 20;
  outcome = read_list(&service, 4);
  printf("# one refusal: %.2f s instead of %.2f s\n", (double)outcome.ms / 1000,
         (double)whole / 1000);
  CHECK_INT(PAGES + 1, outcome.requests);
  CHECK(outcome.ms <= whole + 1000);
}

/* What was sent in the moment of a refusal belongs to the burst that it has answered already. */
static void test_refusals_of_one_burst(void) {
  struct avp_pace pace = {0};
  double distance;
  CHECK(avp_pace_refusal(&pace, 900, false, 60000, 1000));
  distance = pace.distance;
  CHECK(!avp_pace_refusal(&pace, 999, false, 60000, 1020));
  CHECK(!avp_pace_refusal(&pace, 1000, false, 60000, 1020));
  CHECK(pace.distance == distance);
  CHECK(avp_pace_refusal(&pace, 1001, false, 60000, 1020));
  CHECK(pace.distance > distance);
}

static const struct check_test tests[] = {
    {"pace: a limit without a burst", test_limit_without_a_burst},
    {"pace: a limit behind a burst", test_limit_behind_a_burst},
    {"pace: one refusal", test_one_refusal},
    {"pace: refusals of one burst", test_refusals_of_one_burst},
};

CHECK_MAIN(tests)
