/* url.h - builds URLs and form bodies, and decides which URLs a client accepts.
 *
 * Percent-encoding (RFC 3986 section 2.1), form bodies (WHATWG URL, application/x-www-form-
 * urlencoded). URLs are parsed by libcurl's parser, the one that later sends them, so that no other
 * reading of an odd URL slips through.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_URL_H
#define AVP_URL_H

#include <stdbool.h>
#include <stddef.h>

#include "../ground/buf.h"
#include "../ground/err.h"

/* Appends `len` bytes, percent-encoding all but RFC 3986's unreserved characters. As with buf.h,
 * false if the limit or the memory does not allow it; so does the next one, which may then have
 * appended a part. */
bool avp_url_encode(struct avp_buf *out, const char *data, size_t len);

/* Appends `name=value` to a form body or query, after an `&` if it is not the first. */
bool avp_url_add_field(struct avp_buf *out, const char *name, const char *value, size_t value_len);

/* Accepts https URLs, and http ones for loopback (127.0.0.0/8, ::1, localhost), without user name,
 * query and fragment. Else returns false and fills a `config` error; `what` names the option. */
bool avp_url_check(const char *url, const char *what, struct avp_err *err);

/* Accepts a path below a base URL: of segments in which nothing is encoded that could lead out of
 * them (RFC 3986 section 3.3; no `.` or `..`, in whatever form), without scheme, query and
 * fragment. `posted`: it must end in /batch, since every other POST of this API writes. Returns
 * NULL, or what is wrong with it. */
const char *avp_url_refuse_path(const char *path, bool posted);

/* Accepts what libcurl takes for a proxy: a host, or a URL of http, https or a form of SOCKS. NULL
 * is fine. Else returns false and fills a `config` error without the value, which may hold a
 * password. */
bool avp_url_check_proxy(const char *proxy, struct avp_err *err);

/* Whether the URL's host is loopback. */
bool avp_url_is_loopback(const char *url);

/* Whether two URLs name the same server by scheme, host as written, and port. A part that cannot be
 * read, since memory is out, tells nothing apart. */
bool avp_url_same_server(const char *a, const char *b);

/* Copies the URL for printing: without user, password, query and fragment, cut to `size`. */
void avp_url_for_print(const char *url, char *out, size_t size);

#endif
