/* pager.c - see pager.h.
 *
 * SPDX-License-Identifier: MIT */
#include "pager.h"

#include <stdio.h>
#include <string.h>

static struct avp_slot *slot_of(struct avp_pager *pager, long page) {
  return &pager->slots[page % AVP_WINDOW_MAX];
}

static struct avp_call *next_call(const struct avp_pager *pager) {
  return pager->slots[pager->next % AVP_WINDOW_MAX].call;
}

static void drop(struct avp_pager *pager, struct avp_slot *slot) {
  if (slot->call == NULL) return;
  avp_call_release(pager->requests, slot->call);
  slot->call = NULL;
}

void avp_pager_init(struct avp_pager *pager, struct avp_requests *requests,
                    const struct avp_source *source, long page_size, int window) {
  memset(pager, 0, sizeof *pager);
  pager->requests = avp_requests_retain(requests);
  pager->source = *source;
  pager->page_size = page_size;
  pager->window = window;
  pager->allowed = 1;
  pager->next = 1;
  pager->deadline = AVP_NEVER;
}

void avp_pager_cancel(struct avp_pager *pager) {
  int i;
  for (i = 0; i < AVP_WINDOW_MAX; i++) drop(pager, &pager->slots[i]);
}

void avp_pager_close(struct avp_pager *pager) {
  if (pager->requests == NULL) return;
  avp_pager_cancel(pager);
  avp_requests_release(pager->requests);
  pager->requests = NULL;
}

void avp_pager_seek(struct avp_pager *pager, long page) {
  avp_pager_cancel(pager);
  pager->next = page;
}

void avp_pager_use(struct avp_pager *pager, const struct avp_source *source, long page_size) {
  avp_pager_cancel(pager);
  pager->source = *source;
  pager->page_size = page_size;
}

void avp_pager_set_last(struct avp_pager *pager, long last) {
  int i;
  pager->last = last;
  for (i = 0; i < AVP_WINDOW_MAX; i++) {
    struct avp_slot *slot = &pager->slots[i];
    if (last > 0 && slot->call != NULL && slot->call->page > last) drop(pager, slot);
  }
}

static bool ask(struct avp_pager *pager, long page) {
  char query[128];
  struct avp_buf url;
  struct avp_slot *slot = slot_of(pager, page);
  bool built;
  snprintf(query, sizeof query, "?%s=%ld&%s=%ld", pager->source.page_param, page,
           pager->source.size_param, pager->page_size);
  avp_buf_init(&url, 65536);
  built = avp_buf_adds(&url, pager->source.url) == AVP_BUF_OK &&
          avp_buf_adds(&url, query) == AVP_BUF_OK;
  if (built) {
    slot->call = avp_call_new(pager->requests, url.data, pager->source.body, pager->deadline);
  }
  avp_buf_free(&url);
  if (slot->call == NULL) return false;
  slot->call->page = page;
  slot->call->stats = &pager->stats;
  return true;
}

bool avp_pager_fill(struct avp_pager *pager) {
  int ahead = pager->last > 0 && pager->allowed < pager->window ? pager->allowed : pager->window;
  long page;
  if (pager->last == 0) ahead = 1;
  for (page = pager->next; page < pager->next + ahead; page++) {
    if (page > pager->next && page > pager->last) break; /* the owner decides about the next */
    if (slot_of(pager, page)->call == NULL && !ask(pager, page)) return page > pager->next;
  }
  return true;
}

enum avp_pager_state avp_pager_state(const struct avp_pager *pager) {
  const struct avp_call *call = next_call(pager);
  if (call == NULL) return AVP_PAGER_PENDING;
  if (call->state == AVP_CALL_DONE) return AVP_PAGER_READY;
  return call->state == AVP_CALL_FAILED ? AVP_PAGER_FAILED : AVP_PAGER_PENDING;
}

const struct avp_call *avp_pager_reply(const struct avp_pager *pager) { return next_call(pager); }

const struct avp_err *avp_pager_error(const struct avp_pager *pager) {
  return &next_call(pager)->err;
}

void avp_pager_advance(struct avp_pager *pager) {
  drop(pager, slot_of(pager, pager->next));
  pager->next++;
}

void avp_pager_again(struct avp_pager *pager) {
  int i;
  drop(pager, slot_of(pager, pager->next));
  for (i = 0; i < AVP_WINDOW_MAX; i++) {
    struct avp_call *call = pager->slots[i].call;
    if (call != NULL && call->state == AVP_CALL_FAILED) drop(pager, &pager->slots[i]);
  }
}
