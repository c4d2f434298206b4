/* listing.h - one listing: the state behind the Lua object.
 *
 * listing_new.c makes it, reader.c turns its pages (reply -> rows -> ids -> drift), listing.c
 * is what Lua can call of it. The rows of the current page and the strings that the core borrows
 * live in the userdata's own table.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_LISTING_H
#define AVP_BIND_LISTING_H

#include "../core/list/drift.h"
#include "../core/list/idset.h"
#include "../core/list/pager.h"
#include "../core/list/position.h"
#include "client.h"

#define AVP_LISTING_NAME "avepoint.core.listing"

#define LISTING_OWN 3 /* stack index of the userdata's own table wherever a listing is used */

/* Places in that table. */
enum {
  LISTING_CLIENT = 1, /* the client */
  LISTING_ROWS,       /* list of the current page's rows; false in place of one that came before */
  LISTING_METADATA,   /* of the current page */
  LISTING_IDS,        /* memory of `ids` */
  LISTING_TEXTS,      /* list of the strings that `struct listing` borrows */
  LISTING_SLOTS = LISTING_TEXTS
};

/* What the replies of a list look like. The strings are names of fields. */
struct listing_form {
  const char *items;    /* where the rows are */
  const char *metadata; /* where the counts are */
  const char *id;       /* of a row: tells it from others; NULL if nothing does */
  bool customers;       /* rows are customers */
  bool raw;             /* rows are given out as the JSON library has decoded them */
};

/* A page, decoded; in `struct listing` the one whose rows are given out. */
struct listing_page {
  long number;              /* from 1; 0: none was read yet */
  size_t rows;              /* on it */
  size_t index;             /* rows of it that lie behind us */
  size_t known;             /* rows up to the last one that had come before; 0: none had */
  bool known_behind;        /* customers that had come may stand on the next page */
  bool looked_ahead;        /* the pages behind it were asked for */
  const struct avp_id *ids; /* of each row */
  bool has_total;
  int64_t total; /* the latest */
};

enum turn {
  TURN_ROWS,  /* a page with rows to give out is there */
  TURN_WAIT,  /* something is in flight: wait for the client */
  TURN_AGAIN, /* nothing to wait for: give the host its turn, then come again */
  TURN_END,
  TURN_ERROR /* the error object is on top of the stack */
};

struct listing {
  struct client *client; /* kept alive by LISTING_CLIENT */
  struct avp_pager pager;
  struct avp_drift drift;
  struct avp_idset *ids;   /* seen so far; NULL under drift = "ignore" */
  struct avp_idset *asked; /* customer_ids, or NULL */
  struct listing_form form;

  struct avp_source get;      /* the list as a GET; no URL: it is not served so */
  struct avp_source batch;    /* as a POST */
  enum avp_endpoint endpoint; /* the option, then what it became */
  enum avp_endpoint source;   /* GET or BATCH: what the pager uses now */
  const char *get_path;       /* for an error */
  int get_status;             /* status of a GET that `auto` gave up, or 0 */
  long page_size_asked;       /* the option, before the batch's limit */
  long batch_size_max;        /* largest page that the batch endpoint may be asked for */

  struct avp_position page_start; /* where the page before the current one ended, or all begins */
  uint64_t filter_hash;           /* of customer_ids, or of what makes another list; 0: neither */

  int64_t deadline_ms; /* from the first request on, or AVP_NEVER */
  int64_t started_at;  /* ms, 0 before the first request */
  int64_t ended_at;    /* ms, 0 while it runs */

  struct listing_page page;
  int64_t need;     /* customers that will still be pulled at most; 0 or less: unknown */
  int64_t pulled;   /* calls for a customer */
  int64_t yielded;  /* customers given out */
  int64_t before;   /* customers on the pages before the first one read, as far as is known */
  int64_t received; /* customers on all pages read, given out or not yet */
  long pages_read;
  bool decoded; /* a page was decoded since the host last had its turn */

  bool done;            /* nothing more will come */
  bool closed;          /* by the user */
  bool turning;         /* a turn runs: no other may start, and nothing is freed */
  enum turn turn;       /* how the latest one ended */
  struct avp_err final; /* raised for ever, if it is an error */
};

/* Goes to the next row that may be given out, as far as that is possible without waiting. */
enum turn reader_turn(lua_State *L, struct listing *listing);

/* Steps over rows that are not given out; returns whether one is left that is, and pushes it. */
bool reader_push_row(lua_State *L, struct listing *listing);

/* Asks once a page for those that may be asked for by now and lets them leave. Runs no Lua. */
void reader_look_ahead(struct listing *listing);

/* After pages were cancelled for the user's sake: some may have come and not been read. */
void reader_note_dropped(struct listing *listing);

/* The page size to ask this endpoint for. */
long reader_page_size(const struct listing *listing, enum avp_endpoint endpoint);

/* Begins with the endpoint that the option says; `auto`: with the one that the client has proven.
 */
void reader_choose_endpoint(struct listing *listing);

/* Writes where the listing stands into `out` of AVP_POSITION_SIZE bytes. */
void reader_position(const struct listing *listing, char *out);

/* Lua: core.listing(client, settings) -> listing userdata, or nil and which option is wrong, or nil
 * and an error object for a closed client */
int core_listing(lua_State *L);

/* Registers the metatable, and adds core.listing to the table on top of the stack. */
void listing_open(lua_State *L);

#endif
