/* transport.h - all HTTP of one client: one curl_multi, one descriptor.
 *
 * Never blocks and never sleeps. libcurl reports its sockets into a set of our own (sys.h), kept
 * right inside libcurl's socket callback: a socket that is closed and reopened under the same
 * number within one step would be missed by anyone told afterwards. A driver watches that one
 * descriptor and one moment. Everything is made when it is first needed, so that a client made
 * before a fork is harmless; in the child of a fork the inherited handles are abandoned.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_TRANSPORT_H
#define AVP_TRANSPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "transfer.h"

struct avp_transport;

/* Prepares libcurl, once per process; never undone, since the host may use libcurl too. */
bool avp_transport_global_init(void);

/* NULL when memory is out. The settings outlive the transport. `connections` bounds the idle
 * connections that are kept. */
struct avp_transport *avp_transport_new(const struct avp_transfer_settings *settings,
                                        int connections);

/* Ends all transfers and connections. */
void avp_transport_free(struct avp_transport *transport);

/* Starts an attempt. NULL when memory is out or the system refuses. */
struct avp_transfer *avp_transport_start(struct avp_transport *transport,
                                         const struct avp_request *request, void *owner,
                                         int64_t now);

/* Ends an attempt, running or finished, and frees it. */
void avp_transport_cancel(struct avp_transport *transport, struct avp_transfer *transfer);

/* Moves all transfers on as far as they go without waiting. */
void avp_transport_perform(struct avp_transport *transport, int64_t now);

/* The next finished attempt, or NULL. Its reply is ready; free it with avp_transport_cancel. */
struct avp_transfer *avp_transport_next_done(struct avp_transport *transport);

/* When libcurl wants to be called at the latest, or AVP_NEVER. */
int64_t avp_transport_wake_at(const struct avp_transport *transport);

/* The descriptor to watch for reading, or -1 while there is none. */
int avp_transport_fd(const struct avp_transport *transport);

/* Waits at most `timeout_ms` until the descriptor is ready; returns early after a signal. */
void avp_transport_wait(const struct avp_transport *transport, int timeout_ms);

/* Whether this process is a fork's child of the one that started the transfers. If so, abandons
 * the inherited handles: none of the attempts there are will finish, each is to be cancelled. */
bool avp_transport_forked(struct avp_transport *transport);

#endif
