/* url.c - see url.h.
 *
 * SPDX-License-Identifier: MIT */
#include "url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

static bool is_unreserved(unsigned char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

enum avp_buf_result avp_url_encode(struct avp_buf *out, const char *data, size_t len) {
  static const char hex[] = "0123456789ABCDEF";
  enum avp_buf_result result = AVP_BUF_OK;
  size_t i;
  for (i = 0; i < len && result == AVP_BUF_OK; i++) {
    unsigned char c = (unsigned char)data[i];
    char escape[3];
    escape[0] = '%';
    escape[1] = hex[c >> 4];
    escape[2] = hex[c & 15];
    result = is_unreserved(c) ? avp_buf_add(out, data + i, 1) : avp_buf_add(out, escape, 3);
  }
  return result;
}

enum avp_buf_result avp_url_add_field(struct avp_buf *out, const char *name, const char *value,
                                      size_t value_len) {
  enum avp_buf_result result = AVP_BUF_OK;
  if (out->len > 0) result = avp_buf_adds(out, "&");
  if (result == AVP_BUF_OK) result = avp_url_encode(out, name, strlen(name));
  if (result == AVP_BUF_OK) result = avp_buf_adds(out, "=");
  if (result == AVP_BUF_OK) result = avp_url_encode(out, value, value_len);
  return result;
}

enum avp_buf_result avp_url_join(struct avp_buf *out, const char *base, const char *path) {
  size_t len = strlen(base);
  enum avp_buf_result result;
  while (len > 0 && base[len - 1] == '/') len--;
  result = avp_buf_add(out, base, len);
  if (result == AVP_BUF_OK) result = avp_buf_adds(out, "/");
  while (*path == '/') path++;
  if (result == AVP_BUF_OK) result = avp_buf_adds(out, path);
  return result;
}

/* Whether memory is out is in `result`. */
static bool has_part(CURLU *parsed, CURLUPart part, CURLUcode *result) {
  char *text = NULL;
  *result = curl_url_get(parsed, part, &text, 0);
  curl_free(text);
  return *result == CURLUE_OK;
}

/* 127.0.0.0/8 in its normal form; a name may look like one but for a part above 255. */
static bool is_127(const char *host) {
  unsigned parts[3];
  char end;
  return sscanf(host, "127.%3u.%3u.%3u%c", &parts[0], &parts[1], &parts[2], &end) == 3 &&
         parts[0] < 256 && parts[1] < 256 && parts[2] < 256;
}

/* The host as libcurl has understood it: names as written, addresses in their normal form. */
static bool host_is_loopback(const char *host) {
  return curl_strequal(host, "localhost") || strcmp(host, "[::1]") == 0 || is_127(host);
}

/* Gives the parsed URL, or NULL where libcurl does not take it; `result` says why. `flags` are
 * those of curl_url_set. */
static CURLU *parse(const char *url, unsigned flags, CURLUcode *result) {
  CURLU *parsed = curl_url();
  *result = CURLUE_OUT_OF_MEMORY;
  if (parsed == NULL) return NULL;
  *result = curl_url_set(parsed, CURLUPART_URL, url, flags);
  if (*result == CURLUE_OK) return parsed;
  curl_url_cleanup(parsed);
  return NULL;
}

/* Whether memory is out is in `result`. */
static bool parsed_is_loopback(CURLU *parsed, CURLUcode *result) {
  char *host = NULL;
  bool loopback;
  *result = curl_url_get(parsed, CURLUPART_HOST, &host, 0);
  loopback = *result == CURLUE_OK && host_is_loopback(host);
  curl_free(host);
  return loopback;
}

/* As `refusal`, of what may stand in a URL but not in one of ours. */
static const char *refusal_of_parts(CURLU *parsed, CURLUcode *result) {
  static const struct {
    CURLUPart part;
    const char *reason;
  } parts[] = {
      {CURLUPART_USER, "must not hold a user name or password"},
      {CURLUPART_PASSWORD, "must not hold a user name or password"},
      {CURLUPART_QUERY, "must not hold a query"},
      {CURLUPART_FRAGMENT, "must not hold a fragment"},
  };
  size_t i;
  for (i = 0; i < sizeof parts / sizeof parts[0]; i++) {
    if (has_part(parsed, parts[i].part, result)) return parts[i].reason;
    if (*result == CURLUE_OUT_OF_MEMORY) break;
  }
  return NULL;
}

/* NULL where the URL is fine, else what is wrong with it; whether memory is out is in `result`. */
static const char *refusal(CURLU *parsed, CURLUcode *result) {
  char *scheme = NULL;
  const char *reason = NULL;
  *result = curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0);
  if (*result != CURLUE_OK) return "has no scheme";
  if (strcmp(scheme, "http") == 0) {
    if (!parsed_is_loopback(parsed, result))
      reason = "is plain http; only loopback may be, use https";
  } else if (strcmp(scheme, "https") != 0) {
    reason = "must begin with https://";
  }
  curl_free(scheme);
  return reason != NULL ? reason : refusal_of_parts(parsed, result);
}

/* libcurl drops an empty query or fragment, and with it the sign that there was one. */
static const char *refusal_of_text(const char *url) {
  if (strchr(url, '?') != NULL) return "must not hold a query";
  if (strchr(url, '#') != NULL) return "must not hold a fragment";
  if (url[strcspn(url, " \t\r\n")] != '\0') return "must not hold white space";
  return NULL;
}

/* Fills the error where a URL is refused for this reason. */
static bool refuse(struct avp_err *err, CURLUcode result, const char *what, const char *reason) {
  if (result == CURLUE_OUT_OF_MEMORY) {
    avp_err_set(err, AVP_ERR_MEMORY, "out of memory");
  } else {
    avp_err_set(err, AVP_ERR_CONFIG, "%s %s", what, reason);
  }
  return false;
}

bool avp_url_check(const char *url, const char *what, struct avp_err *err) {
  CURLUcode result;
  CURLU *parsed = parse(url, CURLU_PATH_AS_IS, &result);
  const char *reason = parsed != NULL ? refusal(parsed, &result) : "is not a URL";
  curl_url_cleanup(parsed);
  if (reason == NULL) reason = refusal_of_text(url);
  if (reason == NULL && result != CURLUE_OUT_OF_MEMORY) return true;
  (void)refuse(err, result, what, reason);
  if (err->kind == AVP_ERR_CONFIG) avp_url_for_print(url, err->url, sizeof err->url);
  return false;
}

/* Whether memory is out is in `result`. */
static bool is_proxy_scheme(CURLU *parsed, CURLUcode *result) {
  static const char *const schemes[] = {"http", "https", "socks4", "socks4a", "socks5", "socks5h"};
  char *scheme = NULL;
  bool known = false;
  size_t i;
  *result = curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0);
  if (*result != CURLUE_OK) return false;
  for (i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
    known = known || curl_strequal(scheme, schemes[i]);
  }
  curl_free(scheme);
  return known;
}

bool avp_url_check_proxy(const char *proxy, struct avp_err *err) {
  CURLUcode result;
  CURLU *parsed;
  bool fine;
  if (proxy == NULL) return true;
  parsed = parse(proxy, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME, &result);
  fine = parsed != NULL && is_proxy_scheme(parsed, &result);
  curl_url_cleanup(parsed);
  return fine ||
         refuse(err, result, "proxy",
                "is not the URL of a proxy: http://, https:// or socks5://, a host and a port");
}

bool avp_url_is_loopback(const char *url) {
  CURLUcode result;
  CURLU *parsed = parse(url, CURLU_PATH_AS_IS, &result);
  bool loopback = parsed != NULL && parsed_is_loopback(parsed, &result);
  curl_url_cleanup(parsed);
  return loopback;
}

/* Whatever lies before the last @ may be a password, also where libcurl would read the URL in
 * another way, or not at all. */
void avp_url_for_print(const char *url, char *out, size_t size) {
  const char *scheme_end = strstr(url, "://");
  const char *at = strrchr(url, '@');
  const char *rest = scheme_end != NULL ? scheme_end + 3 : url;
  if (at != NULL && at < rest) rest = url;
  at = at != NULL ? at + 1 : rest;
  snprintf(out, size, "%.*s%.*s", (int)(rest - url), url, (int)(strcspn(at, "?#")), at);
}
