/* transfer.c - sets libcurl's options, decides which certificates are trusted, collects the reply
 * (transfer.h). libcurl's callbacks only append.
 * SPDX-License-Identifier: MIT */
#include "transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../ground/mem.h"
#include "../ground/sys.h"
#include "url.h"

/* Of libcurl 7.80 (CURLOPT_PREREQFUNCTION), 7.87 (CURLOPT_QUICK_EXIT; older ones refuse both) and
 * 8.6 (CURLE_TOO_LARGE). Their numbers are fixed: a module built with older headers knows them when
 * libcurl is a newer one. */
#define BEFORE_REQUEST ((CURLoption)(CURLOPTTYPE_FUNCTIONPOINT + 312))
#define QUICK_EXIT     ((CURLoption)(CURLOPTTYPE_LONG + 322))
#define TOO_LARGE      ((CURLcode)100)

#define DEEPEST 1000 /* levels of a JSON text */

static size_t on_body(char *data, size_t size, size_t count, void *user) {
  struct avp_reply *reply = &((struct avp_transfer *)user)->reply;
  size_t len = size * count;
  if (avp_buf_add(&reply->body, data, len)) return len;
  if (len > reply->body.max - reply->body.len) {
    reply->overflow = AVP_OVERFLOW_BODY;
  } else {
    reply->out_of_memory = true;
  }
  return 0;
}

/* Copies the value of a header line `name: value`, if it is that header and fits. */
static void keep_header(const char *line, size_t len, const char *name, char *out, size_t size) {
  size_t name_len = strlen(name);
  if (len <= name_len || line[name_len] != ':' || !curl_strnequal(line, name, name_len)) return;
  line += name_len + 1;
  len -= name_len + 1;
  while (len > 0 && (*line == ' ' || *line == '\t')) line++, len--;
  while (len > 0 && (line[len - 1] == '\r' || line[len - 1] == '\n' || line[len - 1] == ' ')) len--;
  if (len < size) snprintf(out, size, "%.*s", (int)len, line);
}

static size_t on_header(char *data, size_t size, size_t count, void *user) {
  struct avp_transfer *transfer = user;
  struct avp_reply *reply = &transfer->reply;
  size_t len = size * count;
  transfer->header_bytes += len;
  if (transfer->header_bytes > AVP_MAX_HEADERS) {
    reply->overflow = AVP_OVERFLOW_HEADERS;
    return 0;
  }
  if (len > 5 && strncmp(data, "HTTP/", 5) == 0) { /* those of an interim reply do not count */
    reply->retry_after[0] = reply->date[0] = reply->request_id[0] = reply->encoding[0] = '\0';
  }
  keep_header(data, len, "Retry-After", reply->retry_after, sizeof reply->retry_after);
  keep_header(data, len, "Date", reply->date, sizeof reply->date);
  keep_header(data, len, "Content-Encoding", reply->encoding, sizeof reply->encoding);
  keep_header(data, len, "request-id", reply->request_id, sizeof reply->request_id);
  keep_header(data, len, "x-request-id", reply->request_id, sizeof reply->request_id);
  return len;
}

static bool add_header(struct avp_transfer *transfer, const char *name, const char *value) {
  struct curl_slist *longer;
  struct avp_buf line;
  bool done;
  avp_buf_init(&line, (size_t)1024 * 1024);
  line.secret = true; /* it may hold the bearer token */
  done = avp_buf_adds(&line, name) && avp_buf_adds(&line, value);
  longer = done ? curl_slist_append(transfer->headers, line.data) : NULL;
  avp_buf_free(&line);
  if (longer == NULL) return false;
  transfer->headers = longer;
  return true;
}

static bool make_headers(struct avp_transfer *transfer, const struct avp_request *request) {
  static const char name[] = "Authorization: Bearer ";
  if (request->bearer != NULL) {
    if (!add_header(transfer, name, request->bearer)) return false;
    transfer->bearer = transfer->headers->data + sizeof name - 1;
  }
  return add_header(transfer, "Accept: ", "application/json") &&
         add_header(transfer, "Expect:", "") && /* no waiting for a 100 before a POST's body */
         (request->body == NULL || add_header(transfer, "Content-Type: ", request->content_type));
}

/* Sets a string that libcurl copies. False when memory is out: libcurl would go on with its
 * default, which is another certificate store, or no proxy. */
static bool set_text(CURL *easy, CURLoption option, const char *text) {
  return curl_easy_setopt(easy, option, text) != CURLE_OUT_OF_MEMORY;
}

struct trust {
  const char *file; /* NULL: as `dir` says */
  const char *dir;
  bool own; /* libcurl's own file and directory */
};

/* OpenSSL reads a hashed directory certificate by certificate as it needs them, the bundle file
 * whole for each connection (40 ms of stall with Debian's): so the directory is asked alone first.
 * Other TLS libraries read directories whole, so they keep their default. */
static struct trust trust_of(struct avp_transfer_settings *settings) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  bool hashed = info->age >= CURLVERSION_SEVENTH && info->ssl_version != NULL &&
                strncmp(info->ssl_version, "OpenSSL", 7) == 0;
  struct trust trust = {settings->ca_file, NULL, false};
  if (settings->ca_file != NULL) return trust;
  trust.dir = settings->ca_dir;
  if (trust.dir == NULL && hashed) trust.dir = info->capath;
  if (!settings->dir_looked_at) { /* once a client, not for each request */
    settings->dir_looked_at = true;
    settings->bundle_too = !hashed || trust.dir == NULL || !avp_sys_is_hashed_dir(trust.dir);
  }
  if (!settings->bundle_too) return trust;
  trust.file = settings->ca_bundle;
  if (trust.file == NULL && info->age >= CURLVERSION_SEVENTH) trust.file = info->cainfo;
  trust.own = trust.file == NULL && settings->ca_dir == NULL;
  return trust;
}

/* Trusts ca_file alone if there is one, else the system's certificates; for a proxy too. */
static bool set_trust(struct avp_transfer *transfer) {
  struct trust trust = trust_of(transfer->settings);
  CURL *easy = transfer->easy;
  transfer->dir_alone = trust.dir != NULL && !transfer->settings->bundle_too;
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY_SSL_VERIFYHOST, 2L);
  curl_easy_setopt(easy, CURLOPT_PROXY_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  return trust.own ||
         (set_text(easy, CURLOPT_CAINFO, trust.file) && set_text(easy, CURLOPT_CAPATH, trust.dir) &&
          set_text(easy, CURLOPT_PROXY_CAINFO, trust.file) &&
          set_text(easy, CURLOPT_PROXY_CAPATH, trust.dir));
}

/* Notes whose certificate was refused, and why. Returns whether the bundle may know its issuer. */
static bool note_refused_certificate(struct avp_transfer *transfer) {
  struct avp_reply *reply = &transfer->reply;
  long *verdict = &reply->verdict; /* 2 and 18 to 21 say that the issuer is unknown */
  curl_easy_getinfo(transfer->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, verdict);
  reply->proxy_untrusted = *verdict != 0;
  if (*verdict == 0) curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, verdict);
  return transfer->dir_alone && (*verdict == 2 || (*verdict >= 18 && *verdict <= 21));
}

/* Notes how a proxy has refused to connect, if it has. */
static void note_refusal(struct avp_transfer *transfer) {
  struct avp_reply *reply = &transfer->reply;
  curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &reply->refusal);
  if (reply->refusal >= 200 && reply->refusal < 300) reply->refusal = 0;
  if (reply->result == CURLE_PROXY) {
    curl_easy_getinfo(transfer->easy, CURLINFO_PROXY_ERROR, &reply->refusal);
  }
}

static bool set_protocol(CURL *easy) {
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#else
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  curl_easy_setopt(easy, QUICK_EXIT, 1L); /* does not wait for a look-up that hangs */
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
  curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  return set_text(easy, CURLOPT_ACCEPT_ENCODING, ""); /* all that this libcurl can unpack */
}

/* Returns the proxy that the option or the environment names, or NULL; no_proxy is not looked at.
 */
static const char *proxy_of(const struct avp_transfer_settings *settings) {
  static const char *const variables[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  const char *proxy = settings->proxy;
  size_t i;
  for (i = 0; i < sizeof variables / sizeof variables[0]; i++) {
    if (proxy == NULL || proxy[0] == '\0') proxy = getenv(variables[i]);
  }
  return proxy != NULL && proxy[0] != '\0' ? proxy : NULL;
}

static bool set_proxy(CURL *easy, const struct avp_transfer_settings *settings, const char *url) {
  const char *proxy = settings->proxy;
  struct avp_err err;
  if (avp_url_is_loopback(url)) {
    return set_text(easy, CURLOPT_PROXY, ""); /* never for loopback, whatever the environment */
  }
  if (!avp_url_check_proxy(proxy_of(settings), &err)) {
    if (err.kind == AVP_ERR_MEMORY) return false;
    proxy = "unreadable://"; /* libcurl refuses this, but where no_proxy names the host */
  }
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS,
                   1L); /* a proxy's Date is not the service's */
  return proxy == NULL || set_text(easy, CURLOPT_PROXY, proxy);
}

/* The connection stands, and the request would leave. Refused, libcurl keeps a connection that can
 * be shared, and closes any other. */
static int refuse_request(void *user, char *ip, char *local_ip, int port, int local_port) {
  (void)user;
  (void)ip;
  (void)local_ip;
  (void)port;
  (void)local_port;
  return 1; /* CURL_PREREQFUNC_ABORT */
}

/* Lets the transfer only connect. False if that makes no sense, or this libcurl cannot do it. */
static bool only_connect(const struct avp_transfer *transfer, const char *url, bool shares) {
  return shares && (proxy_of(transfer->settings) == NULL || avp_url_is_loopback(url)) &&
         curl_easy_setopt(transfer->easy, BEFORE_REQUEST, refuse_request) == CURLE_OK;
}

static bool configure(struct avp_transfer *transfer, const struct avp_transfer_settings *settings,
                      const struct avp_request *request) {
  CURL *easy = transfer->easy;
  bool shares = curl_strnequal(request->url, "https:", 6);
  bool done = set_protocol(easy) && set_trust(transfer) &&
              set_proxy(easy, settings, request->url) &&
              set_text(easy, CURLOPT_USERAGENT, settings->user_agent) &&
              (!request->only_connects || only_connect(transfer, request->url, shares));
  if (!done) return false;
  /* Share a connection rather than open another; but only HTTP/2 shares, and we speak that on TLS
   * only. On plain HTTP a request would wait behind another one, its time running, for nothing. */
  curl_easy_setopt(easy, CURLOPT_PIPEWAIT, shares ? 1L : 0L);
  curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reply.detail);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)settings->connect_timeout_ms);
  if (request->body != NULL) {
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body.data);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body.len);
  }
  return curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK;
}

struct avp_transfer *avp_transfer_new(struct avp_transfer_settings *settings,
                                      const struct avp_request *request) {
  struct avp_transfer *transfer = avp_alloc(sizeof *transfer);
  if (transfer == NULL) return NULL;
  transfer->settings = settings;
  transfer->easy = curl_easy_init();
  avp_buf_init(&transfer->reply.body, settings->max_body);
  avp_buf_init(&transfer->body, request->body != NULL ? strlen(request->body) : 0);
  transfer->body.secret = transfer->reply.body.secret = request->secret;
  if (transfer->easy != NULL && make_headers(transfer, request) &&
      (request->body == NULL || avp_buf_adds(&transfer->body, request->body)) &&
      configure(transfer, settings, request)) {
    return transfer;
  }
  avp_transfer_free(transfer);
  return NULL;
}

void avp_transfer_free(struct avp_transfer *transfer) {
  struct curl_slist *header;
  curl_easy_cleanup(transfer->easy);
  for (header = transfer->headers; header != NULL; header = header->next) {
    avp_wipe(header->data, strlen(header->data));
  }
  curl_slist_free_all(transfer->headers);
  avp_buf_free(&transfer->body);
  avp_buf_free(&transfer->reply.body);
  avp_free(transfer);
}

/* libcurl has limits of its own for headers: the length of a line, which it reports before our
 * callback sees it, and the number of lines, trailers included. */
static bool headers_were_too_long(const struct avp_transfer *transfer, CURLcode result) {
  curl_off_t first_byte = 0;
  long sent = 0;
  if (result == TOO_LARGE) {
    curl_easy_getinfo(transfer->easy, CURLINFO_REQUEST_SIZE, &sent);
    return sent > 0; /* else the request is what is too large */
  }
  if (result != CURLE_OUT_OF_MEMORY || transfer->reply.body.len > 0) return false;
  curl_easy_getinfo(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T, &first_byte);
  return first_byte > 0; /* memory may really be out then, but that is far less likely */
}

static enum avp_overflow overflow_of(const struct avp_transfer *transfer, CURLcode result) {
  const struct avp_reply *reply = &transfer->reply;
  if (reply->overflow != AVP_OVERFLOW_NONE) return reply->overflow;
  return headers_were_too_long(transfer, result) ? AVP_OVERFLOW_HEADERS : AVP_OVERFLOW_NONE;
}

/* Whether a text is the beginning of a JSON object, but not all of it. Nested so deep that nobody
 * means it, it is left to the parser. */
static bool is_begun_object(const char *text, size_t len) {
  bool quoted = false;
  int depth = 0;
  size_t i;
  if (len == 0 || text[0] != '{' || text[len - 1] == '}') return false;
  for (i = 0; i < len; i++) {
    char c = text[i];
    if (quoted && c == '\\') {
      i++;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (!quoted && (c == '{' || c == '[')) {
      if (++depth > DEEPEST) return false;
    } else if (!quoted && (c == '}' || c == ']')) {
      if (--depth == 0) return false; /* something stands behind it */
    }
  }
  return true;
}

/* libcurl takes a compressed body that stops in the middle for a whole one: what comes out of it is
 * nothing, or an object without its end. */
static bool stops_in_the_middle(const struct avp_reply *reply) {
  if (reply->status != 200 || reply->encoding[0] == '\0') return false;
  return reply->body.len == 0 || is_begun_object(reply->body.data, reply->body.len);
}

void avp_transfer_finish(struct avp_transfer *transfer, CURLcode result) {
  struct avp_reply *reply = &transfer->reply;
  long status = 0;
  long version = 0;
  curl_off_t bytes = 0;
  curl_off_t micros = 0;
  reply->result = result;
  reply->overflow = overflow_of(transfer, result);
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_VERSION, &version);
  curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &reply->os_error);
  curl_easy_getinfo(transfer->easy, CURLINFO_SIZE_DOWNLOAD_T, &bytes);
  curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &micros);
  reply->status = (int)status;
  reply->http1 = version == CURL_HTTP_VERSION_1_0 || version == CURL_HTTP_VERSION_1_1;
  reply->bytes = (double)bytes;
  reply->seconds = (double)micros / 1e6;
  if (result != CURLE_OK) note_refusal(transfer);
  if (result == CURLE_PEER_FAILED_VERIFICATION && note_refused_certificate(transfer)) {
    transfer->settings->bundle_too = reply->uncounted = true;
  }
  if (result == CURLE_OK && stops_in_the_middle(reply)) reply->result = CURLE_BAD_CONTENT_ENCODING;
}
