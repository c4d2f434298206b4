/* err.h - holds what went wrong as a plain value: its kind, its sentence, the reply's details.
 *
 * The sentence is decided elsewhere: explain.c words what a request met, drift.c words its own
 * errors, and so does the binding for what it finds in a reply. One struct of fixed size, so that
 * reporting an error never needs memory. It holds only what may be printed: no secret. The binding
 * turns it into a Lua object.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_ERR_H
#define AVP_ERR_H

#include <stdbool.h>
#include <stddef.h>

enum avp_err_kind {
  AVP_OK = 0,
  AVP_ERR_CONFIG,    /* no credentials, unreadable certificate, refused URL */
  AVP_ERR_AUTH,      /* the token endpoint refuses, or 401 persists */
  AVP_ERR_FORBIDDEN, /* 403 */
  AVP_ERR_NOT_FOUND, /* 404 */
  AVP_ERR_THROTTLED, /* 429 to the end */
  AVP_ERR_SERVER,    /* 5xx to the end */
  AVP_ERR_HTTP,      /* any other status */
  AVP_ERR_NETWORK,   /* name look-up, connection, reset */
  AVP_ERR_TLS,       /* certificate or handshake */
  AVP_ERR_TIMEOUT,   /* a timeout or the deadline */
  AVP_ERR_PROTOCOL,  /* the reply is not what the API promises */
  AVP_ERR_LIMIT,     /* a reply over a size limit */
  AVP_ERR_DRIFT,     /* the list moved while it was read */
  AVP_ERR_CLOSED,    /* used after close, or ended by the host */
  AVP_ERR_MEMORY     /* out of memory */
};

struct avp_err {
  enum avp_err_kind kind;
  bool retryable;       /* the same call may succeed later */
  bool at_sign_in;      /* it is about the token, not about the list */
  int status;           /* HTTP status, 0 if there was none */
  int curl;             /* libcurl's code, 0 if there was none */
  int attempts;         /* attempts made, 0 if unknown */
  double retry_after;   /* seconds the server asked to wait, negative if it did not */
  long page;            /* page number, 0 if unknown */
  char code[64];        /* the server's word, such as invalid_client; may be empty */
  char request_id[128]; /* the server's id of the request; may be empty */
  char message[768];    /* what happened and what to do; cleaned for people by the binding */
  char url[512];        /* without user, password and query */
  char body[1025];      /* the first KiB of the reply, NUL-terminated */
  size_t body_len;      /* bytes of it; the body may hold zero bytes */
};

#if defined(__GNUC__)
#define AVP_PRINTF(format_at, values_at) __attribute__((format(printf, format_at, values_at)))
#else
#define AVP_PRINTF(format_at, values_at)
#endif

/* Empties `err` and sets its kind and message (printf rules; cut at the field's size). */
void avp_err_set(struct avp_err *err, enum avp_err_kind kind, const char *format, ...)
    AVP_PRINTF(3, 4);

/* Appends to the message (printf rules; cut at the field's size). */
void avp_err_add(struct avp_err *err, const char *format, ...) AVP_PRINTF(2, 3);

/* Copies the first KiB of a reply into `body`. */
void avp_err_body(struct avp_err *err, const char *data, size_t len);

/* Drops the body of a token endpoint's reply, unless its status is an error's (400 to 599) and its
 * text names no token. */
void avp_err_forget_token(struct avp_err *err);

/* Overwrites a secret wherever it occurs in these `len` characters, as it is or escaped for JSON, a
 * URL or a form: a server may echo what it was sent. If `cut`, also its beginning at the end of the
 * text. Ignores NULL and secrets of fewer than four characters. */
void avp_redact(char *text, size_t len, bool cut, const char *secret);

/* Overwrites a secret in message, code, request id and body, as avp_redact does. */
void avp_err_redact(struct avp_err *err, const char *secret);

/* Returns the kind's name in Lua, such as "not_found"; "ok" for AVP_OK. */
const char *avp_err_kind_name(enum avp_err_kind kind);

#endif
