/* recent.c - a ring of pages, and questions to it (recent.h).
 *
 * SPDX-License-Identifier: MIT */
#include "recent.h"

void avp_recent_add(struct avp_recent *recent, const struct avp_page *page, bool accepted) {
  struct avp_page *place = &recent->ring[recent->count++ % AVP_RECENT_MAX];
  *place = *page;
  place->accepted = accepted;
}

void avp_recent_reject(struct avp_recent *recent, long from) {
  int i;
  for (i = 0; i < AVP_RECENT_MAX; i++) {
    if (recent->ring[i].number >= from) recent->ring[i].accepted = false;
  }
}

const struct avp_page *avp_recent_last(const struct avp_recent *recent) {
  return &recent->ring[(recent->count - 1) % AVP_RECENT_MAX];
}

const struct avp_page *avp_recent_accepted(const struct avp_recent *recent, long number) {
  static const struct avp_page none = {.accepted = false};
  int i;
  for (i = 0; i < AVP_RECENT_MAX; i++) {
    const struct avp_page *page = &recent->ring[i];
    if (page->number == number && page->accepted) return page;
  }
  return &none;
}

const struct avp_page *avp_recent_before(const struct avp_recent *recent, long number) {
  const struct avp_page *page = avp_recent_accepted(recent, --number);
  while (page->accepted && page->rows == 0 && !page->has_total) {
    page = avp_recent_accepted(recent, --number);
  }
  return page;
}

bool avp_recent_both_empty(const struct avp_recent *recent, const struct avp_page *page) {
  const struct avp_page *last = avp_recent_last(recent);
  return page->rows == 0 && last->rows == 0 && last->accepted;
}

bool avp_recent_rested(const struct avp_recent *recent, const struct avp_page *before,
                       const struct avp_page *page) {
  uint64_t from = before->sent < page->sent ? before->sent : page->sent;
  uint64_t to = before->received > page->received ? before->received : page->received;
  int i;
  for (i = 0; i < AVP_RECENT_MAX; i++) {
    const struct avp_page *other = &recent->ring[i];
    bool meanwhile = other->received >= from && other->sent <= to;
    if (meanwhile && other->has_total && other->total != page->total) return false;
  }
  return true;
}

long avp_recent_doubt(const struct avp_recent *recent, const struct avp_page *page, int width) {
  long doubt = page->number;
  long number;
  for (number = page->number - 1; number >= page->number - 1 - width; number--) {
    const struct avp_page *behind = avp_recent_accepted(recent, number);
    const struct avp_page *before = avp_recent_accepted(recent, number - 1);
    bool meanwhile = behind->received >= page->sent || before->received >= page->sent;
    bool by_total = behind->has_total && !behind->anchored;
    if (!before->accepted) break;
    if (meanwhile && by_total && behind->total != page->total) doubt = number;
  }
  return doubt;
}
