/* transport.h - runs all HTTP of one client, and decides which connections are used again: one
 * descriptor to watch.
 *
 * Never blocks and never sleeps, but in avp_transport_wait. libcurl reports its sockets into a set
 * of our own (sys.h), updated inside libcurl's socket callback: a socket that is closed and
 * reopened under the same number within one step would be missed later. A driver watches that one
 * descriptor and one moment. Everything is made when first needed, so that a client made before a
 * fork is harmless; the child of a fork abandons the inherited handles.
 *
 * After a transfer that did not come whole, new ones use new connections only. The old ones serve
 * those that are under way on them, and are then closed. All sockets are closed on exec.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_TRANSPORT_H
#define AVP_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "transfer.h"

struct avp_transport;

/* Prepares libcurl, once per process; never undone, since the host may use libcurl too. False if
 * libcurl refuses. */
bool avp_transport_global_init(void);

/* Makes a transport that keeps at most `connections` idle connections. The settings outlive it.
 * NULL when memory is out. */
struct avp_transport *avp_transport_new(struct avp_transfer_settings *settings, int connections);

/* Closes all connections and frees the transport, whose attempts have all been cancelled. */
void avp_transport_free(struct avp_transport *transport);

/* Starts an attempt at `now` (ms). It runs until `running` is false; then its reply is complete.
 * NULL when memory is out or the system refuses; or as avp_transfer_new says. */
struct avp_transfer *avp_transport_start(struct avp_transport *transport,
                                         const struct avp_request *request, int64_t now);

/* Ends an attempt, running or finished, and frees it. */
void avp_transport_cancel(struct avp_transport *transport, struct avp_transfer *transfer);

/* Ends a running attempt with CURLE_OPERATION_TIMEDOUT. Others on its connection, which is closed,
 * and those without one yet end `uncounted`. */
void avp_transport_time_out(struct avp_transport *transport, struct avp_transfer *transfer);

/* Moves all transfers on as far as they go without waiting. Returns whether anything came in. */
bool avp_transport_perform(struct avp_transport *transport, int64_t now);

/* Returns when avp_transport_perform should be called at the latest (ms), or AVP_NEVER. */
int64_t avp_transport_wake_at(const struct avp_transport *transport);

/* Returns the descriptor to watch for reading, or -1 while there is none. */
int avp_transport_fd(const struct avp_transport *transport);

/* Waits at most `timeout_ms` until the descriptor is ready; returns early after a signal. */
void avp_transport_wait(const struct avp_transport *transport, int timeout_ms);

/* Whether this process is a fork's child of the one that started the transfers. If so, abandons
 * the inherited handles: the caller cancels all attempts, since none of them will finish. */
bool avp_transport_forked(struct avp_transport *transport);

#endif
