/* event.c - a ring that drops the oldest event if nobody takes it (event.h).
 * SPDX-License-Identifier: MIT */
#include "event.h"

#include <string.h>

#include "mem.h"

static void drop_oldest(struct avp_events *events) {
  events->first = (events->first + 1) % AVP_EVENTS_MAX;
  events->count--;
}

struct avp_event *avp_event_add(struct avp_events *events, enum avp_event_kind kind,
                                double wall_seconds) {
  struct avp_event *event;
  if (!events->on && kind != AVP_EVENT_WARNING) return NULL;
  if (events->ring == NULL) events->ring = avp_alloc(AVP_EVENTS_MAX * sizeof *events->ring);
  if (events->ring == NULL) return NULL;
  if (events->count == AVP_EVENTS_MAX) drop_oldest(events);
  event = &events->ring[(events->first + events->count++) % AVP_EVENTS_MAX];
  memset(event, 0, sizeof *event);
  event->kind = kind;
  event->time = wall_seconds;
  event->bytes = event->seconds = event->wait = event->lifetime = -1;
  event->count = event->total = -1;
  return event;
}

bool avp_event_take(struct avp_events *events, struct avp_event *out) {
  if (events->count == 0) return false;
  *out = events->ring[events->first];
  drop_oldest(events);
  return true;
}

void avp_events_free(struct avp_events *events) {
  avp_free(events->ring);
  events->ring = NULL;
  events->count = 0;
}

const char *avp_event_kind_name(enum avp_event_kind kind) {
  static const char *const names[] = {"request", "response", "wait",   "retry",
                                      "token",   "page",     "warning"};
  return names[kind];
}
