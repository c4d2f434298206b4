/* transport.c - runs a client's transfers on one curl_multi handle (transport.h).
 * SPDX-License-Identifier: MIT */
#include "transport.h"

#include <string.h>

#include "../ground/mem.h"
#include "../ground/sys.h"

#define GRACE_MS 1000 /* beyond an attempt's timeout, for libcurl to end it */

struct avp_transport {
  const struct avp_transfer_settings *settings;
  CURLM *multi;                   /* NULL until the first transfer */
  int set;                        /* the watched sockets, -1 until the first transfer */
  long pid;                       /* the process that made the above */
  int connections;                /* idle connections kept */
  int64_t now;                    /* of the call that is running, for libcurl's timer callback */
  int64_t timer_at;               /* when libcurl wants to be called, or AVP_NEVER */
  struct avp_transfer *transfers; /* all that are not freed, oldest first */
};

bool avp_transport_global_init(void) {
  static bool done;
  if (!done) done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return done;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user) {
  struct avp_transport *transport = user;
  bool reads = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  bool writes = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  (void)easy;
  (void)socket_user;
  return avp_sys_set_watch(transport->set, (int)fd, reads, writes) ? 0 : -1;
}

/* Only remembers: libcurl must not be called from here. */
static int on_timer(CURLM *multi, long timeout_ms, void *user) {
  struct avp_transport *transport = user;
  (void)multi;
  transport->timer_at = timeout_ms < 0 ? AVP_NEVER : transport->now + timeout_ms;
  return 0;
}

struct avp_transport *avp_transport_new(const struct avp_transfer_settings *settings,
                                        int connections) {
  struct avp_transport *transport = avp_alloc(sizeof *transport);
  if (transport == NULL) return NULL;
  transport->settings = settings;
  transport->connections = connections;
  transport->set = -1;
  transport->timer_at = AVP_NEVER;
  return transport;
}

/* Forgets the multi handle, and closes our descriptor of the set. */
static void forget_multi(struct avp_transport *transport) {
  avp_sys_close(transport->set);
  transport->multi = NULL;
  transport->set = -1;
  transport->timer_at = AVP_NEVER;
}

/* CURLMOPT_QUICK_EXIT of libcurl 8.20: from there on the end of a multi handle waits for look-ups
 * that hang. Older ones refuse the option; its number is fixed, so that a module built with their
 * headers sets it too once libcurl is a newer one. */
#define MULTI_QUICK_EXIT ((CURLMoption)(CURLOPTTYPE_LONG + 21))

static bool open_multi(struct avp_transport *transport) {
  if (transport->multi != NULL) return true;
  transport->set = avp_sys_set_open();
  if (transport->set >= 0) transport->multi = curl_multi_init();
  if (transport->multi == NULL) {
    forget_multi(transport);
    return false;
  }
  transport->pid = avp_sys_pid();
  curl_multi_setopt(transport->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(transport->multi, CURLMOPT_SOCKETDATA, transport);
  curl_multi_setopt(transport->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(transport->multi, CURLMOPT_TIMERDATA, transport);
  curl_multi_setopt(transport->multi, CURLMOPT_MAXCONNECTS, (long)transport->connections);
  curl_multi_setopt(transport->multi, MULTI_QUICK_EXIT, 1L);
  return true;
}

void avp_transport_cancel(struct avp_transport *transport, struct avp_transfer *transfer) {
  struct avp_transfer **link = &transport->transfers;
  bool blocked;
  while (*link != NULL && *link != transfer) link = &(*link)->next;
  if (*link != NULL) *link = transfer->next;
  blocked = avp_sys_sigpipe_block();
  if (transfer->running) curl_multi_remove_handle(transport->multi, transfer->easy);
  avp_transfer_free(transfer);
  avp_sys_sigpipe_restore(blocked);
}

void avp_transport_free(struct avp_transport *transport) {
  bool blocked;
  if (transport == NULL) return;
  avp_transport_forked(transport);
  blocked = avp_sys_sigpipe_block();
  if (transport->multi != NULL) curl_multi_cleanup(transport->multi);
  avp_sys_sigpipe_restore(blocked);
  avp_sys_close(transport->set);
  avp_free(transport);
}

struct avp_transfer *avp_transport_start(struct avp_transport *transport,
                                         const struct avp_request *request, int64_t now) {
  struct avp_transfer **end = &transport->transfers;
  struct avp_transfer *transfer;
  transport->now = now;
  if (!open_multi(transport)) return NULL;
  transfer = avp_transfer_new(transport->settings, request);
  if (transfer == NULL) return NULL;
  if (curl_multi_add_handle(transport->multi, transfer->easy) != CURLM_OK) {
    avp_transfer_free(transfer);
    return NULL;
  }
  transfer->running = true;
  transfer->ends_at = now + request->timeout_ms + GRACE_MS;
  while (*end != NULL) end = &(*end)->next;
  *end = transfer;
  return transfer;
}

static void finish(struct avp_transport *transport, struct avp_transfer *transfer,
                   CURLcode result) {
  avp_transfer_finish(transfer, result);
  curl_multi_remove_handle(transport->multi, transfer->easy);
  transfer->running = false;
}

/* Takes the finished transfers from libcurl. One that ran out of memory may leave a half-made
 * connection behind, for which later ones would wait in vain. */
static CURLMcode collect(struct avp_transport *transport) {
  CURLMcode state = CURLM_OK;
  CURLMsg *message;
  int left;
  for (message = curl_multi_info_read(transport->multi, &left); message != NULL;
       message = curl_multi_info_read(transport->multi, &left)) {
    struct avp_transfer *transfer = NULL;
    CURLcode result = message->data.result; /* the message is gone after the handle's removal */
    if (message->msg != CURLMSG_DONE) continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
    finish(transport, transfer, result);
    if (result == CURLE_OUT_OF_MEMORY && transfer->reply.overflow == AVP_OVERFLOW_NONE) {
      state = CURLM_OUT_OF_MEMORY; /* not too long a header, which has the same code */
    }
  }
  return state;
}

/* Returns when the first running transfer must have ended. If libcurl is later than that, it has
 * forgotten one: a transfer that waits for another's connection has no timeout in some versions
 * (7.88 is one). */
static int64_t first_end(const struct avp_transport *transport) {
  const struct avp_transfer *transfer = transport->transfers;
  int64_t at = AVP_NEVER;
  for (; transfer != NULL; transfer = transfer->next) {
    if (transfer->running && transfer->ends_at < at) at = transfer->ends_at;
  }
  return at;
}

/* Ends all transfers after libcurl could not note what it waits for (memory is out), forgot one, or
 * could not have a socket watched (somebody closed our set): nothing would ever wake them, not even
 * their timeouts. The next transfer begins with new handles. */
static void give_up(struct avp_transport *transport, CURLMcode why) {
  CURLcode result = why == CURLM_OUT_OF_MEMORY    ? CURLE_OUT_OF_MEMORY
                    : why == CURLM_INTERNAL_ERROR ? CURLE_OPERATION_TIMEDOUT
                                                  : CURLE_SEND_ERROR;
  struct avp_transfer *transfer;
  for (transfer = transport->transfers; transfer != NULL; transfer = transfer->next) {
    if (transfer->running) finish(transport, transfer, result);
  }
  curl_multi_cleanup(transport->multi);
  forget_multi(transport);
}

/* Lets libcurl go on with what is ready. */
static CURLMcode act(struct avp_transport *transport, int64_t now) {
  int ready[AVP_SYS_READY_MAX];
  CURLMcode result = CURLM_OK;
  int running;
  int n = avp_sys_set_wait(transport->set, ready, 0);
  int i;
  if (n < 0) return CURLM_BAD_SOCKET;
  for (i = 0; i < n && result == CURLM_OK; i++) {
    /* 0: libcurl tests itself what the socket is ready for */
    result = curl_multi_socket_action(transport->multi, ready[i], 0, &running);
  }
  if (result != CURLM_OK || now < transport->timer_at) return result;
  transport->timer_at = AVP_NEVER; /* libcurl sets the next one from within the call */
  return curl_multi_socket_action(transport->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

void avp_transport_perform(struct avp_transport *transport, int64_t now) {
  bool blocked;
  CURLMcode acted;
  CURLMcode collected;
  if (transport->multi == NULL) return;
  transport->now = now;
  blocked = avp_sys_sigpipe_block();
  acted = act(transport, now);
  collected = collect(transport);
  if (acted == CURLM_OK) acted = collected;
  if (acted == CURLM_OK && now >= first_end(transport)) acted = CURLM_INTERNAL_ERROR;
  if (acted != CURLM_OK) give_up(transport, acted);
  avp_sys_sigpipe_restore(blocked);
}

int64_t avp_transport_wake_at(const struct avp_transport *transport) {
  int64_t end = first_end(transport);
  return end < transport->timer_at ? end : transport->timer_at;
}

int avp_transport_fd(const struct avp_transport *transport) { return transport->set; }

void avp_transport_wait(const struct avp_transport *transport, int timeout_ms) {
  int ready[AVP_SYS_READY_MAX];
  avp_sys_set_wait(transport->set, ready, timeout_ms);
}

bool avp_transport_forked(struct avp_transport *transport) {
  struct avp_transfer *transfer;
  if (transport->multi == NULL || transport->pid == avp_sys_pid()) return false;
  /* Cleaning up would close the parent's connections for good (TLS says goodbye, and epoll is
   * shared): the handles are left alone, only our copy of the set's descriptor is closed. */
  forget_multi(transport);
  for (transfer = transport->transfers; transfer != NULL; transfer = transfer->next) {
    transfer->easy = NULL;
    transfer->running = false;
  }
  return true;
}
