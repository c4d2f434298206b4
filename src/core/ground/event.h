/* event.h - a bounded queue of what happened, for the user's on_event.
 *
 * The core only records; the binding takes events when Lua may run. An event holds no secret: no
 * header, no body.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_EVENT_H
#define AVP_EVENT_H

#include <stdbool.h>

#define AVP_EVENTS_MAX 256 /* the oldest are dropped beyond that */

enum avp_event_kind {
  AVP_EVENT_REQUEST,
  AVP_EVENT_RESPONSE,
  AVP_EVENT_WAIT,
  AVP_EVENT_RETRY,
  AVP_EVENT_TOKEN,
  AVP_EVENT_PAGE,
  AVP_EVENT_WARNING
};

/* Which fields count depends on the kind; a number below 0, an empty string and NULL are absent. */
struct avp_event {
  enum avp_event_kind kind;
  double time;        /* wall clock, seconds since 1970 */
  long page;          /* 0 is absent */
  int attempt;        /* 0 is absent */
  int status;         /* of a response; 0 is absent */
  double bytes;       /* of a response's body */
  double seconds;     /* that a response took */
  double wait;        /* seconds */
  double lifetime;    /* of a token, seconds */
  double count;       /* rows of a page */
  double total;       /* the server's count */
  int reading;        /* of the list; 0 is absent */
  const char *method; /* a constant, or NULL */
  const char *reason; /* of a wait or retry: an error kind's name, or NULL */
  char url[256];      /* without user, password and query */
  char message[256];  /* of a warning */
};

struct avp_events {
  bool on;                /* record all kinds; warnings are always recorded */
  struct avp_event *ring; /* AVP_EVENTS_MAX of them, made when the first is recorded */
  unsigned first;         /* index of the oldest */
  unsigned count;         /* recorded and not yet taken */
};

/* Records an event and returns it, for the caller to fill: all fields are absent but kind and time
 * (`wall_seconds` since 1970). NULL if recording is off or memory is out. */
struct avp_event *avp_event_add(struct avp_events *events, enum avp_event_kind kind,
                                double wall_seconds);

/* Moves the oldest event to `out`. False if there is none. */
bool avp_event_take(struct avp_events *events, struct avp_event *out);

/* Frees the queue's memory and forgets its events. */
void avp_events_free(struct avp_events *events);

/* Returns the kind's name in Lua, such as "retry". */
const char *avp_event_kind_name(enum avp_event_kind kind);

#endif
