/* pager.h - the pages of one listing: a window of them in flight, delivered in order.
 *
 * Knows a list only by its description: method, URL, body, and how a page is asked for. Pages that
 * arrive early wait as bytes, at most a window of them. Reads no JSON, so its owner tells it which
 * page is the last and when more than the next page may be asked for.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_PAGER_H
#define AVP_PAGER_H

#include "../requests/requests.h"

#define AVP_WINDOW_MAX 64 /* most pages in flight for one listing */

/* A list that is read by page numbers. The strings are borrowed and outlive the pager's use. */
struct avp_source {
  const char *url;        /* without the query */
  const char *body;       /* POST with this body; NULL: GET */
  const char *page_param; /* name of the query parameter for the page number, counted from 1 */
  const char *size_param; /* name of the one for the page size */
};

struct avp_slot {
  struct avp_call *call; /* NULL: not asked for */
};

struct avp_pager {
  struct avp_requests *requests; /* a reference */
  struct avp_source source;
  long page_size;                        /* asked of the server */
  long next;                             /* page to deliver next */
  long last;                             /* last page there is; 0: unknown, one page at a time */
  int window;                            /* most pages asked for at once, 1 to AVP_WINDOW_MAX */
  int allowed;                           /* how many of them for now */
  int64_t deadline;                      /* ms or AVP_NEVER, for all pages */
  struct avp_slot slots[AVP_WINDOW_MAX]; /* page p is in slot p % AVP_WINDOW_MAX */
  struct avp_stats stats;
};

enum avp_pager_state {
  AVP_PAGER_PENDING, /* the next page has not come yet */
  AVP_PAGER_READY,   /* it has: avp_pager_reply gives it */
  AVP_PAGER_FAILED   /* it could not be had: avp_pager_error tells why */
};

/* Takes a reference to the requests. Asks for nothing yet. */
void avp_pager_init(struct avp_pager *pager, struct avp_requests *requests,
                    const struct avp_source *source, long page_size, int window);

/* Cancels everything and gives the requests back. May be called twice. */
void avp_pager_close(struct avp_pager *pager);

/* Cancels what is in flight and drops what waits; the next page stays the next page. */
void avp_pager_cancel(struct avp_pager *pager);

/* Goes on at another page, or with another source. What is in flight is cancelled. */
void avp_pager_seek(struct avp_pager *pager, long page);
void avp_pager_use(struct avp_pager *pager, const struct avp_source *source, long page_size);

/* Sets the last page (0: unknown). Pages behind it that were asked for are cancelled. */
void avp_pager_set_last(struct avp_pager *pager, long last);

/* Asks for the next page and for as many behind it as are allowed. False when memory is out. */
bool avp_pager_fill(struct avp_pager *pager);

/* How the next page stands. */
enum avp_pager_state avp_pager_state(const struct avp_pager *pager);

/* The next page's reply, where it is ready: status 200 or 204 and bytes. */
const struct avp_call *avp_pager_reply(const struct avp_pager *pager);

/* The next page's error, where it has failed. */
const struct avp_err *avp_pager_error(const struct avp_pager *pager);

/* The next page was taken: goes on to the one behind it. */
void avp_pager_advance(struct avp_pager *pager);

/* Drops the next page's reply, and all failures (what failed them all at once, such as a refused
 * sign-in, is to be raised once); these pages will be asked for again. */
void avp_pager_again(struct avp_pager *pager);

#endif
