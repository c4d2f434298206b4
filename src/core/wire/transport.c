/* transport.c - runs a client's transfers in pools, each a multi handle of libcurl (transport.h).
 * SPDX-License-Identifier: MIT */
#define CURL_DISABLE_DEPRECATION /* of curl_multi_socket_all, which nothing replaces */
#include "transport.h"

#include <string.h>

#include "../ground/mem.h"
#include "../ground/sys.h"

#define NUDGE_MS 100 /* between two looks at a connection in the making */

/* One multi handle with its connections. New transfers go to the transport's first pool, unless it
 * is retired; a retired one ends with its last transfer. */
struct avp_pool {
  CURLM *multi;
  struct avp_transport *transport;
  int64_t timer_at; /* when libcurl wants to be called, or AVP_NEVER */
  bool retired;
  struct avp_pool *next;
};

struct avp_transport {
  struct avp_transfer_settings *settings;
  struct avp_pool *pools;         /* newest first */
  int set;                        /* the watched sockets, -1 until the first transfer */
  long pid;                       /* the process that made the above */
  int connections;                /* idle connections kept */
  int64_t now;                    /* of the call that is running, for libcurl's timer callback */
  struct avp_transfer *transfers; /* all that are not freed, oldest first */
};

bool avp_transport_global_init(void) {
  static bool done;
  if (!done) done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return done;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *socket_user) {
  const struct avp_pool *pool = user;
  bool reads = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  bool writes = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  (void)easy;
  (void)socket_user;
  return avp_sys_set_watch(pool->transport->set, (int)fd, reads, writes) ? 0 : -1;
}

/* Only remembers: libcurl must not be called from here. */
static int on_timer(CURLM *multi, long timeout_ms, void *user) {
  struct avp_pool *pool = user;
  (void)multi;
  pool->timer_at = timeout_ms < 0 ? AVP_NEVER : pool->transport->now + timeout_ms;
  return 0;
}

/* Watches a socket from its first moment: libcurl does not announce the one of a name's second
 * address if it got the number of the first one's. */
static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *address) {
  struct avp_transfer *transfer = user;
  int fd = avp_sys_socket(address->family, address->socktype, address->protocol);
  (void)purpose;
  if (fd < 0) return CURL_SOCKET_BAD;
  avp_sys_set_watch(transfer->pool->transport->set, fd, false, true);
  transfer->connecting = true;
  return fd;
}

struct avp_transport *avp_transport_new(struct avp_transfer_settings *settings, int connections) {
  struct avp_transport *transport = avp_alloc(sizeof *transport);
  if (transport == NULL) return NULL;
  transport->settings = settings;
  transport->connections = connections;
  transport->set = -1;
  return transport;
}

/* CURLMOPT_QUICK_EXIT of libcurl 8.20: from there on the end of a multi handle waits for look-ups
 * that hang. Older ones refuse the option; its number is fixed, so that a module built with their
 * headers sets it too once libcurl is a newer one. */
#define MULTI_QUICK_EXIT ((CURLMoption)(CURLOPTTYPE_LONG + 21))

static struct avp_pool *new_pool(struct avp_transport *transport) {
  struct avp_pool *pool = avp_alloc(sizeof *pool);
  if (pool == NULL) return NULL;
  pool->multi = curl_multi_init();
  if (pool->multi == NULL) {
    avp_free(pool);
    return NULL;
  }
  pool->transport = transport;
  pool->timer_at = AVP_NEVER;
  curl_multi_setopt(pool->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(pool->multi, CURLMOPT_SOCKETDATA, pool);
  curl_multi_setopt(pool->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(pool->multi, CURLMOPT_TIMERDATA, pool);
  curl_multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, (long)transport->connections);
  curl_multi_setopt(pool->multi, MULTI_QUICK_EXIT, 1L);
  return pool;
}

/* Returns the pool for new transfers, or NULL. */
static struct avp_pool *open_pool(struct avp_transport *transport) {
  struct avp_pool *pool = transport->pools;
  if (pool != NULL && !pool->retired) return pool;
  if (transport->set < 0) transport->set = avp_sys_set_open();
  if (transport->set < 0) return NULL;
  transport->pid = avp_sys_pid();
  pool = new_pool(transport);
  if (pool == NULL) return NULL;
  pool->next = transport->pools;
  transport->pools = pool;
  return pool;
}

static bool is_used(const struct avp_pool *pool) {
  const struct avp_transfer *transfer = pool->transport->transfers;
  while (transfer != NULL && !(transfer->running && transfer->pool == pool)) {
    transfer = transfer->next;
  }
  return transfer != NULL;
}

/* Ends the retired pools that no transfer uses, or all. */
static void end_pools(struct avp_transport *transport, bool all) {
  struct avp_pool **link = &transport->pools;
  while (*link != NULL) {
    struct avp_pool *pool = *link;
    if (!all && (!pool->retired || is_used(pool))) {
      link = &pool->next;
      continue;
    }
    *link = pool->next;
    curl_multi_cleanup(pool->multi);
    avp_free(pool);
  }
}

void avp_transport_cancel(struct avp_transport *transport, struct avp_transfer *transfer) {
  struct avp_transfer **link = &transport->transfers;
  bool blocked;
  while (*link != NULL && *link != transfer) link = &(*link)->next;
  if (*link != NULL) *link = transfer->next;
  blocked = avp_sys_sigpipe_block();
  if (transfer->running) curl_multi_remove_handle(transfer->pool->multi, transfer->easy);
  avp_transfer_free(transfer);
  end_pools(transport, false);
  avp_sys_sigpipe_restore(blocked);
}

void avp_transport_free(struct avp_transport *transport) {
  bool blocked;
  if (transport == NULL) return;
  avp_transport_forked(transport);
  blocked = avp_sys_sigpipe_block();
  end_pools(transport, true);
  avp_sys_sigpipe_restore(blocked);
  avp_sys_close(transport->set);
  avp_free(transport);
}

struct avp_transfer *avp_transport_start(struct avp_transport *transport,
                                         const struct avp_request *request, int64_t now) {
  struct avp_transfer **end = &transport->transfers;
  struct avp_transfer *transfer;
  struct avp_pool *pool;
  transport->now = now;
  pool = open_pool(transport);
  transfer = pool != NULL ? avp_transfer_new(transport->settings, request) : NULL;
  if (transfer == NULL) return NULL;
  transfer->pool = pool;
  curl_easy_setopt(transfer->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
  curl_easy_setopt(transfer->easy, CURLOPT_OPENSOCKETDATA, transfer);
  if (curl_multi_add_handle(pool->multi, transfer->easy) != CURLM_OK) {
    avp_transfer_free(transfer);
    return NULL;
  }
  transfer->running = true;
  while (*end != NULL) end = &(*end)->next;
  *end = transfer;
  return transfer;
}

/* Completes a transfer. One that failed retires its pool: its connection may be broken in a way
 * that libcurl does not see, as may the idle ones. Where we refused to send, it is fine. */
static void finish(struct avp_transfer *transfer, CURLcode result) {
  avp_transfer_finish(transfer, result);
  curl_multi_remove_handle(transfer->pool->multi, transfer->easy);
  transfer->running = false;
  if (result != CURLE_OK && result != CURLE_ABORTED_BY_CALLBACK) transfer->pool->retired = true;
}

/* Takes the finished transfers from libcurl. One that ran out of memory may leave a half-made
 * connection behind, for which later ones would wait in vain. */
static CURLMcode collect(struct avp_pool *pool) {
  CURLMcode state = CURLM_OK;
  CURLMsg *message;
  int left;
  for (message = curl_multi_info_read(pool->multi, &left); message != NULL;
       message = curl_multi_info_read(pool->multi, &left)) {
    struct avp_transfer *transfer = NULL;
    CURLcode result = message->data.result; /* the message is gone after the handle's removal */
    if (message->msg != CURLMSG_DONE) continue;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
    finish(transfer, result);
    if (result == CURLE_OUT_OF_MEMORY && transfer->reply.overflow == AVP_OVERFLOW_NONE) {
      state = CURLM_OUT_OF_MEMORY; /* not too long a header, which has the same code */
    }
  }
  return state;
}

/* Ends all transfers of a pool after libcurl could not note what it waits for (memory is out), or
 * could not have a socket watched (somebody closed our set, which is made anew then): nothing would
 * ever wake them. */
static void give_up(struct avp_pool *pool, CURLMcode why) {
  struct avp_transfer *transfer = pool->transport->transfers;
  for (; transfer != NULL; transfer = transfer->next) {
    if (!transfer->running || transfer->pool != pool) continue;
    finish(transfer, why == CURLM_OUT_OF_MEMORY ? CURLE_OUT_OF_MEMORY : CURLE_SEND_ERROR);
  }
  pool->retired = true;
}

/* Whether a connection of the pool is in the making. libcurl sets no timer for the second address
 * of a name, so all its transfers are called now and then to look at the clock. */
static bool is_connecting(const struct avp_pool *pool) {
  struct avp_transfer *transfer = pool->transport->transfers;
  for (; transfer != NULL; transfer = transfer->next) {
    curl_off_t connected = 0;
    if (!transfer->connecting || !transfer->running || transfer->pool != pool) continue;
    curl_easy_getinfo(transfer->easy, CURLINFO_CONNECT_TIME_T, &connected);
    if (connected == 0) return true;
    transfer->connecting = false;
  }
  return false;
}

/* Lets libcurl go on with what is ready: `count` sockets, and what waits for the clock. */
static CURLMcode act(struct avp_pool *pool, const int *ready, int count) {
  CURLMcode result = CURLM_OK;
  int running;
  int i;
  /* 0: libcurl tests itself what the socket is ready for, and ignores one of another pool */
  for (i = 0; i < count && result == CURLM_OK; i++) {
    result = curl_multi_socket_action(pool->multi, ready[i], 0, &running);
  }
  if (result == CURLM_OK && is_connecting(pool)) {
    result = curl_multi_socket_all(pool->multi, &running);
  }
  if (result != CURLM_OK || pool->transport->now < pool->timer_at) return result;
  pool->timer_at = AVP_NEVER; /* libcurl sets the next one from within the call */
  return curl_multi_socket_action(pool->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

bool avp_transport_perform(struct avp_transport *transport, int64_t now) {
  int ready[AVP_SYS_READY_MAX];
  struct avp_pool *pool;
  bool blocked;
  int count;
  if (transport->pools == NULL) return false;
  transport->now = now;
  count = avp_sys_set_wait(transport->set, ready, 0);
  blocked = avp_sys_sigpipe_block();
  for (pool = transport->pools; pool != NULL; pool = pool->next) {
    CURLMcode acted = count < 0 ? CURLM_BAD_SOCKET : act(pool, ready, count);
    CURLMcode collected = collect(pool);
    if (acted == CURLM_OK) acted = collected;
    if (acted != CURLM_OK) give_up(pool, acted);
  }
  end_pools(transport, false);
  if (count < 0) transport->set = -1; /* the number may be a descriptor of somebody else's by now */
  avp_sys_sigpipe_restore(blocked);
  return count > 0;
}

/* Returns the local port of the transfer's connection, or 0 while it has none. */
static long local_port(const struct avp_transfer *transfer) {
  long port = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_LOCAL_PORT, &port);
  return port;
}

void avp_transport_time_out(struct avp_transport *transport, struct avp_transfer *transfer) {
  long port = local_port(transfer);
  bool blocked = avp_sys_sigpipe_block();
  struct avp_transfer *other = transport->transfers;
  for (; other != NULL; other = other->next) {
    long others = other->running && other->pool == transfer->pool ? local_port(other) : -1;
    if (other == transfer || (others != port && others != 0)) continue;
    other->reply.uncounted = true;
    finish(other, CURLE_OPERATION_TIMEDOUT);
  }
  finish(transfer, CURLE_OPERATION_TIMEDOUT);
  end_pools(transport, false);
  avp_sys_sigpipe_restore(blocked);
}

int64_t avp_transport_wake_at(const struct avp_transport *transport) {
  const struct avp_pool *pool;
  int64_t at = AVP_NEVER;
  for (pool = transport->pools; pool != NULL; pool = pool->next) {
    int64_t look_at = is_connecting(pool) ? transport->now + NUDGE_MS : AVP_NEVER;
    if (look_at < at) at = look_at;
    if (pool->timer_at < at) at = pool->timer_at;
  }
  return at;
}

int avp_transport_fd(const struct avp_transport *transport) { return transport->set; }

void avp_transport_wait(const struct avp_transport *transport, int timeout_ms) {
  int ready[AVP_SYS_READY_MAX];
  avp_sys_set_wait(transport->set, ready, timeout_ms);
}

bool avp_transport_forked(struct avp_transport *transport) {
  struct avp_transfer *transfer;
  if (transport->set < 0 || transport->pid == avp_sys_pid()) return false;
  /* Cleaning up would close the parent's connections for good (TLS says goodbye, and epoll is
   * shared): the handles are left alone, only our copy of the set's descriptor is closed. */
  avp_sys_close(transport->set);
  transport->set = -1;
  while (transport->pools != NULL) {
    struct avp_pool *pool = transport->pools;
    transport->pools = pool->next;
    avp_free(pool);
  }
  for (transfer = transport->transfers; transfer != NULL; transfer = transfer->next) {
    transfer->easy = NULL;
    transfer->running = false;
  }
  return true;
}
