/* test_event.c - event.h: a bounded queue that never blocks what it records.
 *
 * SPDX-License-Identifier: MIT */
#include "ground/event.h"

#include "check.h"

static void test_off(void) {
  struct avp_events events = {0};
  struct avp_event out;
  CHECK(avp_event_add(&events, AVP_EVENT_PAGE, 1) == NULL);
  CHECK(!avp_event_take(&events, &out));
  CHECK(events.ring == NULL);
  avp_events_free(&events);
}

static void test_all_absent(void) {
  struct avp_events events = {0};
  struct avp_event *event;
  struct avp_event out;
  events.on = true;
  event = avp_event_add(&events, AVP_EVENT_WAIT, 1234.5);
  CHECK(event != NULL && avp_event_take(&events, &out));
  CHECK_INT(AVP_EVENT_WAIT, out.kind);
  CHECK(out.time == 1234.5);
  CHECK(out.bytes < 0 && out.seconds < 0 && out.wait < 0 && out.lifetime < 0);
  CHECK(out.count < 0 && out.total < 0);
  CHECK(out.page == 0 && out.attempt == 0 && out.status == 0 && out.reading == 0);
  CHECK(out.method == NULL);
  CHECK_STR("", out.url);
  CHECK(out.reason == NULL);
  CHECK_STR("", out.message);
  avp_events_free(&events);
}

/* Reuses places of the ring: what an earlier event left there must not show. */
static void test_order_and_reuse(void) {
  struct avp_events events = {0};
  struct avp_event out;
  int i;
  events.on = true;
  for (i = 1; i <= 3 * AVP_EVENTS_MAX; i++) {
    struct avp_event *event = avp_event_add(&events, AVP_EVENT_PAGE, 0);
    if (event != NULL && i % 3) event->page = i; /* each place once with it and once without */
    CHECK(avp_event_take(&events, &out));
    CHECK_INT(i % 3 ? i : 0, out.page);
  }
  CHECK(!avp_event_take(&events, &out));
  avp_events_free(&events);
}

static void test_oldest_are_dropped(void) {
  struct avp_events events = {0};
  struct avp_event out;
  long i;
  events.on = true;
  for (i = 1; i <= AVP_EVENTS_MAX + 10; i++) {
    struct avp_event *event = avp_event_add(&events, AVP_EVENT_PAGE, 0);
    CHECK(event != NULL);
    if (event != NULL) event->page = i;
  }
  for (i = 11; i <= AVP_EVENTS_MAX + 10; i++) {
    CHECK(avp_event_take(&events, &out));
    CHECK_INT(i, out.page);
  }
  CHECK(!avp_event_take(&events, &out));
  avp_events_free(&events);
}

static void test_out_of_memory(void) {
  struct avp_events events = {0};
  struct avp_event out;
  events.on = true;
  avp_mem_fail_at(1);
  CHECK(avp_event_add(&events, AVP_EVENT_PAGE, 0) == NULL);
  CHECK(!avp_event_take(&events, &out));
  CHECK(avp_event_add(&events, AVP_EVENT_PAGE, 0) != NULL);
  avp_events_free(&events);
  avp_events_free(&events); /* twice does no harm */
  CHECK(!avp_event_take(&events, &out));
}

/* Freed in the midst, the queue begins anew. */
static void test_free_with_contents(void) {
  struct avp_events events = {0};
  struct avp_event out;
  int i;
  events.on = true;
  for (i = 0; i < AVP_EVENTS_MAX + 5; i++) avp_event_add(&events, AVP_EVENT_PAGE, 0);
  avp_events_free(&events);
  CHECK(!avp_event_take(&events, &out));
  CHECK(avp_event_add(&events, AVP_EVENT_TOKEN, 0) != NULL);
  CHECK(avp_event_take(&events, &out));
  CHECK_INT(AVP_EVENT_TOKEN, out.kind);
  avp_events_free(&events);
}

static void test_names(void) {
  CHECK_STR("request", avp_event_kind_name(AVP_EVENT_REQUEST));
  CHECK_STR("response", avp_event_kind_name(AVP_EVENT_RESPONSE));
  CHECK_STR("wait", avp_event_kind_name(AVP_EVENT_WAIT));
  CHECK_STR("retry", avp_event_kind_name(AVP_EVENT_RETRY));
  CHECK_STR("token", avp_event_kind_name(AVP_EVENT_TOKEN));
  CHECK_STR("page", avp_event_kind_name(AVP_EVENT_PAGE));
  CHECK_STR("warning", avp_event_kind_name(AVP_EVENT_WARNING));
}

static const struct check_test tests[] = {
    {"event: nothing is recorded while off", test_off},
    {"event: a new event is all absent", test_all_absent},
    {"event: order, and places are used again", test_order_and_reuse},
    {"event: the oldest are dropped", test_oldest_are_dropped},
    {"event: out of memory", test_out_of_memory},
    {"event: free with contents", test_free_with_contents},
    {"event: names", test_names},
};

CHECK_MAIN(tests)
