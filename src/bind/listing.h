/* listing.h - one listing of customers: the state behind the Lua object.
 *
 * listing_new.c makes it, reader.c turns pages (reply -> rows -> ids -> sweep), listing.c is
 * what Lua can call of it. The rows of the current page and the strings that the core borrows live
 * in the userdata's own table.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_LISTING_H
#define AVP_BIND_LISTING_H

#include "../core/list/idset.h"
#include "../core/list/position.h"
#include "../core/list/sweep.h"
#include "client.h"

#define AVP_LISTING_NAME "avepoint.core.listing"

/* Places in the userdata's own table. */
enum {
  LISTING_CLIENT = 1, /* the client */
  LISTING_STATE,      /* the client's table */
  LISTING_ROWS,       /* list of the current page's rows; false where one is not given out */
  LISTING_METADATA,   /* of the current page */
  LISTING_PRINTS,     /* memory of `prints` */
  LISTING_BODY,       /* the batch's body */
  LISTING_SLOTS = LISTING_BODY
};

struct listing {
  struct client *client; /* kept alive by LISTING_CLIENT */
  struct avp_pager pager;
  struct avp_sweep sweep;
  struct avp_idset *ids;      /* seen so far; NULL under drift = ignore */
  struct avp_idset *asked;    /* customer_ids, or NULL */
  enum avp_endpoint endpoint; /* the option, then what it became */
  enum avp_endpoint source;   /* GET or BATCH: what the pager uses now */
  const char *body;           /* of the batch endpoint; LISTING_BODY holds it */
  int get_status;             /* status of a GET that `auto` gave up, or 0 */
  long page_size_asked;       /* the option, before the batch's limit */
  bool raw;
  int64_t deadline_ms;        /* from the first request on, or AVP_NEVER */
  bool started;               /* the first request was asked for */
  int64_t started_at;         /* ms */
  int64_t ended_at;           /* ms, 0 while it runs */
  int64_t max_items;          /* most customers to yield, or -1 */
  int64_t need;               /* customers that will still be pulled at most, or -1 */
  int64_t pulled;             /* calls for a customer */
  int64_t yielded;            /* customers given out */
  int64_t received;           /* customers on all pages read, given out or not yet */
  struct avp_position resume; /* where to begin; page 0: not resumed */
  uint64_t filter_hash;       /* of customer_ids, or 0 */
  long page;                  /* number of the current page, 0 before the first */
  size_t rows;                /* on it */
  size_t index;               /* rows of it that lie behind us */
  const uint64_t *prints;     /* hash of each row's id on it */
  struct avp_position before; /* where the page before it ended, or where it all begins */
  bool has_total;             /* of the latest page that was read */
  int64_t total;
  long pages_read; /* in all sweeps */
  bool decoded;    /* a page was decoded since the host last had its turn */
  bool done;       /* nothing more will come */
  bool closed;
  bool turning; /* a turn runs: nobody else may, and nothing is freed */
  bool failed;  /* `final` is raised for ever */
  struct avp_err final;
};

enum turn {
  TURN_ROWS,  /* a page with rows to give out is there */
  TURN_WAIT,  /* something is in flight: wait for the client */
  TURN_AGAIN, /* nothing to wait for: give the host its turn, then come again */
  TURN_END,
  TURN_ERROR /* the error object is on top of the stack */
};

/* Goes to the next row that may be given out, as far as that is possible without waiting. `own` is
 * the stack index of the listing's table. */
enum turn reader_turn(lua_State *L, struct listing *listing, int own);

/* Asks for the pages that may be asked for by now and lets them leave. Runs no Lua. */
void reader_look_ahead(struct listing *listing);

/* Reads from this endpoint (GET or BATCH) from now on. */
void reader_use(struct listing *listing, enum avp_endpoint endpoint);

/* Ends the listing: nothing more will come. */
void reader_finish(struct listing *listing);

/* Where the listing stands; `back` rows of those given out count as not yet given. */
void reader_position(const struct listing *listing, int back, char *out);

void listing_open(lua_State *L);

/* The functions that the Lua layer calls, in the table on top of the stack. */
void listing_functions(lua_State *L);

#endif
