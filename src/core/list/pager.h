/* pager.h - asks for the pages of one listing, and keeps the replies, as bytes, until taken.
 *
 * Knows a list only by its description: method, URL, body, and how a page is asked for. Reads no
 * JSON and decides nothing: its owner says which pages to ask for, and takes them.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_PAGER_H
#define AVP_PAGER_H

#include "../requests/requests.h"

#define AVP_WIDTH_MAX 64 /* most pages asked for at once by one listing */

/* What is read: a list by its page numbers, or one object. The strings are borrowed and outlive the
 * pager's use. */
struct avp_source {
  const char *url;        /* without the query */
  const char *query;      /* encoded, without page number and size; NULL: none */
  const char *body;       /* POST with this body; NULL: GET */
  const char *page_param; /* name of the query parameter for the page number; NULL: no list */
  const char *size_param; /* name of the one for the page size */
};

struct avp_pager {
  struct avp_requests *requests; /* a reference */
  struct avp_source source;
  long page_size;                        /* asked of the server */
  int64_t deadline;                      /* ms or AVP_NEVER, for all pages */
  struct avp_call *calls[AVP_WIDTH_MAX]; /* page p is in place p % AVP_WIDTH_MAX; NULL: not asked */
  long asked;                            /* pages asked for and not cancelled or failed */
  bool unread;                           /* a page that had come was dropped; the owner resets it */
  struct avp_stats stats;
};

/* Takes a reference to the requests of the client. Asks for nothing yet. */
void avp_pager_init(struct avp_pager *pager, struct avp_requests *requests);

/* Cancels everything and drops the reference. May be called twice. */
void avp_pager_close(struct avp_pager *pager);

/* Cancels what is under way and drops what waits. Returns how many pages that were. */
int avp_pager_cancel(struct avp_pager *pager);

/* Goes on with this source and page size. What is under way is cancelled. */
void avp_pager_use(struct avp_pager *pager, const struct avp_source *source, long page_size);

/* Cancels the pages before `first` or behind `last` that were asked for, but not `first`. */
void avp_pager_trim(struct avp_pager *pager, long first, long last);

/* Asks for page `first` (from 1; 0 for what is no list) and those behind it, `count` in all (1 to
 * AVP_WIDTH_MAX), but for none behind `last` except `first` itself. The pages outside have been
 * trimmed. Returns false if memory is out for page `first`; for another one it is no error. */
bool avp_pager_ask(struct avp_pager *pager, long first, int count, long last);

/* Returns this page's call, or NULL if it was not asked for. */
const struct avp_call *avp_pager_page(const struct avp_pager *pager, long page);

/* The page was taken, or is to be asked for again. */
void avp_pager_drop(struct avp_pager *pager, long page);

/* Drops all pages that have failed: what failed them at once, such as a refused sign-in, is to be
 * raised once. */
void avp_pager_drop_failed(struct avp_pager *pager);

#endif
