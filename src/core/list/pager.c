/* pager.c - asks for pages, keeps their replies, drops what is of no use (pager.h).
 *
 * SPDX-License-Identifier: MIT */
#include "pager.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define URL_MAX ((size_t)1024 * 1024) /* bytes */

static void drop(struct avp_pager *pager, struct avp_call **place) {
  if (*place != NULL) avp_call_release(pager->requests, *place);
  *place = NULL;
}

static void cancel(struct avp_pager *pager, struct avp_call **place) {
  pager->asked--;
  if ((*place)->state == AVP_CALL_DONE) pager->unread = true;
  drop(pager, place);
}

void avp_pager_init(struct avp_pager *pager, struct avp_requests *requests) {
  memset(pager, 0, sizeof *pager);
  pager->requests = avp_requests_retain(requests);
  pager->deadline = AVP_NEVER;
}

void avp_pager_trim(struct avp_pager *pager, long first, long last) {
  int i;
  for (i = 0; i < AVP_WIDTH_MAX; i++) {
    const struct avp_call *call = pager->calls[i];
    if (call != NULL && (call->page < first || (call->page > first && call->page > last))) {
      cancel(pager, &pager->calls[i]);
    }
  }
}

int avp_pager_cancel(struct avp_pager *pager) {
  long before = pager->asked;
  avp_pager_trim(pager, LONG_MAX, 0);
  return (int)(before - pager->asked);
}

void avp_pager_close(struct avp_pager *pager) {
  if (pager->requests == NULL) return;
  avp_pager_cancel(pager);
  avp_requests_release(pager->requests);
  pager->requests = NULL;
}

void avp_pager_use(struct avp_pager *pager, const struct avp_source *source, long page_size) {
  avp_pager_cancel(pager);
  pager->source = *source;
  pager->page_size = page_size;
}

/* Appends the query, and number and size of the page. */
static bool add_query(const struct avp_pager *pager, struct avp_buf *url, long page) {
  const struct avp_source *source = &pager->source;
  const char *separator = "?";
  char paging[128] = "";
  if (source->query != NULL) {
    if (!avp_buf_adds(url, separator) || !avp_buf_adds(url, source->query)) return false;
    separator = "&";
  }
  if (source->page_param != NULL) {
    snprintf(paging, sizeof paging, "%s%s=%ld&%s=%ld", separator, source->page_param, page,
             source->size_param, pager->page_size);
  }
  return avp_buf_adds(url, paging);
}

static bool ask(struct avp_pager *pager, long page) {
  struct avp_call **place = &pager->calls[page % AVP_WIDTH_MAX];
  struct avp_buf url;
  avp_buf_init(&url, URL_MAX);
  if (avp_buf_adds(&url, pager->source.url) && add_query(pager, &url, page)) {
    *place = avp_call_new(pager->requests, url.data, pager->source.body, pager->deadline);
  }
  avp_buf_free(&url);
  if (*place == NULL) return false;
  pager->asked++;
  (*place)->page = page;
  (*place)->stats = &pager->stats;
  return true;
}

bool avp_pager_ask(struct avp_pager *pager, long first, int count, long last) {
  long page;
  for (page = first; page < first + count; page++) {
    if (page > first && page > last) break;
    if (pager->calls[page % AVP_WIDTH_MAX] == NULL && !ask(pager, page)) return page > first;
  }
  return true;
}

const struct avp_call *avp_pager_page(const struct avp_pager *pager, long page) {
  const struct avp_call *call = pager->calls[page % AVP_WIDTH_MAX];
  return call != NULL && call->page == page ? call : NULL;
}

void avp_pager_drop(struct avp_pager *pager, long page) {
  drop(pager, &pager->calls[page % AVP_WIDTH_MAX]);
}

void avp_pager_drop_failed(struct avp_pager *pager) {
  int i;
  for (i = 0; i < AVP_WIDTH_MAX; i++) {
    const struct avp_call *call = pager->calls[i];
    if (call != NULL && call->state == AVP_CALL_FAILED) cancel(pager, &pager->calls[i]);
  }
}
