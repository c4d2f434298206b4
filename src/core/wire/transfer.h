/* transfer.h - one attempt at one HTTP request: libcurl's options, trust and limits, and the reply.
 *
 * Sets all options of the easy handle, among them which certificates are trusted, and collects the
 * reply in bounded buffers. Knows nothing of tokens, retries and pages.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_TRANSFER_H
#define AVP_TRANSFER_H

#include <curl/curl.h>
#include <stdint.h>

#include "../ground/buf.h"
#include "../ground/err.h"

#define AVP_MAX_HEADERS 65536 /* most bytes of response headers */

/* What all transfers of a client have in common. The strings outlive the transfers. */
struct avp_transfer_settings {
  const char *ca_file;    /* trusted instead of the system's certificates, or NULL */
  const char *ca_bundle;  /* the system's, if not libcurl's own: a file, or NULL, */
  const char *ca_dir;     /* and a hashed directory, or NULL */
  bool dir_looked_at;     /* whether the directory is hashed is known, and in bundle_too */
  bool bundle_too;        /* the directory is not hashed, or lacks an issuer that the bundle has */
  const char *proxy;      /* explicit proxy, or NULL for the environment's */
  const char *user_agent; /* whole header value */
  int64_t connect_timeout_ms; /* for name look-up, connection and TLS */
  size_t max_body;            /* bytes of a reply after decompression */
};

struct avp_request {
  const char *url;          /* whole, with its query */
  const char *body;         /* of a POST; copied. NULL: a GET */
  const char *content_type; /* of a POST's body */
  const char *bearer;       /* access token, or NULL; copied */
  bool secret;              /* body and reply hold secrets: they are wiped */
  bool only_connects;       /* nothing is sent: it ends once its connection stands */
};

enum avp_overflow { AVP_OVERFLOW_NONE, AVP_OVERFLOW_BODY, AVP_OVERFLOW_HEADERS };

struct avp_reply {
  CURLcode result;              /* CURLE_OK: a whole reply has come */
  int status;                   /* HTTP status, 0 if none came */
  bool http1;                   /* it came by HTTP/1: others cannot share its connection */
  struct avp_buf body;          /* decompressed */
  char retry_after[64];         /* header value, empty if absent */
  char date[64];                /* header value, empty if absent */
  char request_id[128];         /* header value, empty if absent */
  char encoding[32];            /* header value, empty if absent */
  enum avp_overflow overflow;   /* which limit ended it */
  bool uncounted;               /* ended through no fault of its own: to be sent again at once */
  long refusal;                 /* of a proxy: its HTTP status to CONNECT, or CURLPX_..., or 0 */
  bool proxy_untrusted;         /* the certificate that was refused is the proxy's */
  long verdict;                 /* on that certificate: X509_V_ERR_..., 0 or 1: another host's */
  bool out_of_memory;           /* ours, while bytes were kept */
  long os_error;                /* errno behind a connection's failure */
  double seconds;               /* how long it took */
  double bytes;                 /* body bytes as they came over the wire */
  char detail[CURL_ERROR_SIZE]; /* libcurl's own words; may be empty */
};

struct avp_transfer {
  struct avp_transfer_settings *settings;
  CURL *easy;                 /* NULL if it was abandoned after a fork */
  struct curl_slist *headers; /* of the request; hold the token, wiped at the end */
  const char *bearer;         /* the token in them, or NULL */
  struct avp_buf body;        /* of the request */
  bool dir_alone;             /* trust is in the hashed directory, not in the bundle */
  size_t header_bytes;        /* received so far */
  bool connecting;            /* a connection for it is in the making */
  struct avp_reply reply;
  struct avp_pool *pool;     /* the transport's, of its connection */
  struct avp_transfer *next; /* in the transport's list */
  bool running;              /* in the multi handle; if not, the reply is complete */
};

/* Makes a transfer with an easy handle of its own: libcurl 7.84 to 8.0 leave a pointer to a header
 * that is gone in one that is used again. NULL when memory is out; also if it only connects, and no
 * other could share its connection, a proxy may stand between, or libcurl is older than 7.80. */
struct avp_transfer *avp_transfer_new(struct avp_transfer_settings *settings,
                                      const struct avp_request *request);

/* Wipes and frees a transfer that is in no multi handle. */
void avp_transfer_free(struct avp_transfer *transfer);

/* Completes the reply of a transfer that has ended with `result`. If the hashed directory lacks an
 * issuer, the next transfers of these settings read the bundle too. */
void avp_transfer_finish(struct avp_transfer *transfer, CURLcode result);

#endif
