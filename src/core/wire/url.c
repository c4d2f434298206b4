/* url.c - encodes, joins and checks URLs with libcurl's parser (url.h).
 * SPDX-License-Identifier: MIT */
#include "url.h"

#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

#include "../ground/hash.h"
#include "../ground/mem.h"

bool avp_url_encode(struct avp_buf *out, const char *data, size_t len) {
  char *encoded;
  bool done;
  if (len == 0) return true; /* libcurl would take 0 for "as long as the string is" */
  if (len > out->max) return false;
  encoded = curl_easy_escape(NULL, data, (int)len);
  if (encoded == NULL) return false;
  done = avp_buf_adds(out, encoded);
  avp_wipe(encoded, strlen(encoded)); /* it may be a secret */
  curl_free(encoded);
  return done;
}

bool avp_url_add_field(struct avp_buf *out, const char *name, const char *value, size_t value_len) {
  return (out->len == 0 || avp_buf_adds(out, "&")) && avp_url_encode(out, name, strlen(name)) &&
         avp_buf_adds(out, "=") && avp_url_encode(out, value, value_len);
}

/* Returns the parsed URL, or NULL if libcurl refuses it. `flags` are those of curl_url_set. */
static CURLU *parse(const char *url, unsigned flags, bool *no_memory) {
  CURLU *parsed = curl_url();
  CURLUcode result = CURLUE_OUT_OF_MEMORY;
  if (parsed != NULL) result = curl_url_set(parsed, CURLUPART_URL, url, flags);
  if (result == CURLUE_OK) return parsed;
  if (result == CURLUE_OUT_OF_MEMORY) *no_memory = true;
  curl_url_cleanup(parsed);
  return NULL;
}

/* Returns a part, to be freed with curl_free, or NULL if there is none. */
static char *part_of(CURLU *parsed, CURLUPart part, bool *no_memory) {
  char *text = NULL;
  if (curl_url_get(parsed, part, &text, 0) == CURLUE_OUT_OF_MEMORY) *no_memory = true;
  return text;
}

/* Whether it is an address in 127.0.0.0/8; a name may look alike, with a part above 255. */
static bool is_127(const char *host) {
  unsigned parts[3];
  char end;
  return sscanf(host, "127.%3u.%3u.%3u%c", &parts[0], &parts[1], &parts[2], &end) == 3 &&
         parts[0] < 256 && parts[1] < 256 && parts[2] < 256;
}

/* The host is as libcurl understands it: names as written, addresses in their normal form. */
static bool is_loopback(CURLU *parsed, bool *no_memory) {
  char *host = part_of(parsed, CURLUPART_HOST, no_memory);
  bool loopback = host != NULL &&
                  (curl_strequal(host, "localhost") || strcmp(host, "[::1]") == 0 || is_127(host));
  curl_free(host);
  return loopback;
}

/* Returns the one of `schemes` (which ends with NULL) that the URL has, or NULL. */
static const char *scheme_of(CURLU *parsed, const char *const *schemes, bool *no_memory) {
  char *scheme = part_of(parsed, CURLUPART_SCHEME, no_memory);
  while (scheme != NULL && *schemes != NULL && !curl_strequal(scheme, *schemes)) schemes++;
  if (scheme == NULL) return NULL;
  curl_free(scheme);
  return *schemes;
}

static bool has_part(CURLU *parsed, CURLUPart part, bool *no_memory) {
  char *text = part_of(parsed, part, no_memory);
  curl_free(text);
  return text != NULL;
}

/* Returns NULL if the URL is fine, else what is wrong with it. */
static const char *refusal(CURLU *parsed, const char *url, bool *no_memory) {
  static const char *const schemes[] = {"https", "http", NULL};
  const char *scheme = parsed != NULL ? scheme_of(parsed, schemes, no_memory) : NULL;
  if (parsed == NULL) return "is not a URL";
  if (scheme == NULL) return "must begin with https://";
  if (scheme != schemes[0] && !is_loopback(parsed, no_memory)) {
    return "is plain http; only loopback may be, use https";
  }
  if (has_part(parsed, CURLUPART_USER, no_memory) ||
      has_part(parsed, CURLUPART_PASSWORD, no_memory)) {
    return "must not hold a user name or password";
  }
  /* in the text: libcurl drops an empty query or fragment */
  if (strchr(url, '?') != NULL) return "must not hold a query";
  if (strchr(url, '#') != NULL) return "must not hold a fragment";
  if (url[strcspn(url, " \t\r\n")] != '\0') return "must not hold white space";
  return NULL;
}

/* Fills the error of a refused URL; returns false. */
static bool refuse(struct avp_err *err, bool no_memory, const char *what, const char *reason) {
  if (no_memory) {
    avp_err_set(err, AVP_ERR_MEMORY, "out of memory");
  } else {
    avp_err_set(err, AVP_ERR_CONFIG, "%s %s", what, reason);
  }
  return false;
}

bool avp_url_check(const char *url, const char *what, struct avp_err *err) {
  bool no_memory = false;
  CURLU *parsed = parse(url, CURLU_PATH_AS_IS, &no_memory);
  const char *reason = refusal(parsed, url, &no_memory);
  curl_url_cleanup(parsed);
  if (reason == NULL && !no_memory) return true;
  (void)refuse(err, no_memory, what, reason);
  if (!no_memory) avp_url_for_print(url, err->url, sizeof err->url);
  return false;
}

/* Returns the byte that a path's escape stands for, 0 if it is no escape. */
static int unescape(const char *path) {
  int high = avp_hex_digit(path[1]);
  int low = high >= 0 ? avp_hex_digit(path[2]) : -1;
  return low >= 0 ? high * 16 + low : 0;
}

/* Whether a segment begins here that a server could take for this folder or the one above it. */
static bool is_dots(const char *segment) {
  int i = 0;
  while (segment[i] == '.') i++;
  return i > 0 && (segment[i] == '\0' || strchr("/;", segment[i]) != NULL);
}

/* Returns what is wrong with the byte at `p`, where a segment begins or not. */
static const char *refuse_byte(const char *p, bool begins) {
  static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                "-._~!$&'()*+,;=:@/";
  if (*p == '%') {
    int byte = unescape(p);
    if (byte < ' ' || byte == 127 || strchr("./\\%?#", byte) != NULL) {
      return "must not hold this escape: only what a segment may hold can be encoded";
    }
    return NULL;
  }
  if (*p == '?') return "must not hold a query: give it as a table";
  if (*p == '#') return "must not hold a fragment";
  if (strchr(allowed, *p) == NULL) return "holds a character that must be percent-encoded";
  if (begins && *p == '/') return "must not hold an empty segment";
  if (begins && is_dots(p)) return "must not hold a segment of dots";
  return NULL;
}

/* Whether it begins as a URL does (RFC 3986 section 3.1). */
static bool has_scheme(const char *path) {
  size_t end = strcspn(path, ":/");
  return path[end] == ':' && end > 0;
}

const char *avp_url_refuse_path(const char *path, bool posted) {
  static const char batch[] = "/batch";
  size_t len = strlen(path);
  const char *p = path;
  if (has_scheme(path)) return "must not hold a scheme: it is a path below base_url";
  if (*p == '/') p++;
  if (*p == '\0') return "is empty";
  for (; *p != '\0'; p++) {
    const char *reason = refuse_byte(p, p == path || p[-1] == '/');
    if (reason != NULL) return reason;
  }
  if (!posted || (len >= strlen(batch) && strcmp(path + len - strlen(batch), batch) == 0)) {
    return NULL;
  }
  return "must end in /batch for a POST: every other POST of this API writes";
}

/* Returns what stands behind the scheme, if the text begins with one: elsewhere "://" may be a part
 * of a password. */
static const char *behind_scheme(const char *url) {
  size_t len = strspn(url, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");
  return strncmp(url + len, "://", 3) == 0 ? url + len + 3 : url;
}

/* Whether what libcurl takes for host and port is user name and password: one of them holds a
 * character that ends the host. */
static bool ends_within_password(const char *proxy) {
  const char *host = behind_scheme(proxy);
  return strchr(host + strcspn(host, "/?#"), '@') != NULL;
}

/* Whether libcurl can decode that part. It takes no control characters, and where one is in a
 * proxy's user or password it goes without the proxy. */
static bool decodes(CURLU *parsed, CURLUPart part, bool *no_memory) {
  char *text = NULL;
  CURLUcode result = curl_url_get(parsed, part, &text, CURLU_URLDECODE);
  if (result == CURLUE_OUT_OF_MEMORY) *no_memory = true;
  if (text != NULL) avp_wipe(text, strlen(text));
  curl_free(text);
  return result == CURLUE_OK || result == CURLUE_NO_USER || result == CURLUE_NO_PASSWORD;
}

bool avp_url_check_proxy(const char *proxy, struct avp_err *err) {
  static const char *const schemes[] = {"http",   "https",   "socks4", "socks4a",
                                        "socks5", "socks5h", NULL};
  bool no_memory = false;
  CURLU *parsed;
  bool fine;
  if (proxy == NULL) return true;
  parsed = parse(proxy, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME, &no_memory);
  fine = parsed != NULL && scheme_of(parsed, schemes, &no_memory) != NULL &&
         !ends_within_password(proxy) && decodes(parsed, CURLUPART_USER, &no_memory) &&
         decodes(parsed, CURLUPART_PASSWORD, &no_memory);
  curl_url_cleanup(parsed);
  return fine || refuse(err, no_memory, "proxy",
                        "is not the URL of a proxy: http://, https:// or socks5://, a host and a "
                        "port; percent-encode user and password in it, which hold no control "
                        "characters");
}

bool avp_url_is_loopback(const char *url) {
  bool no_memory = false;
  CURLU *parsed = parse(url, CURLU_PATH_AS_IS, &no_memory);
  bool loopback = parsed != NULL && is_loopback(parsed, &no_memory);
  curl_url_cleanup(parsed);
  return loopback;
}

static bool same_part(CURLU *a, CURLU *b, CURLUPart part) {
  char *texts[2] = {NULL, NULL};
  bool same;
  curl_url_get(a, part, &texts[0], CURLU_DEFAULT_PORT);
  curl_url_get(b, part, &texts[1], CURLU_DEFAULT_PORT);
  same = texts[0] == NULL || texts[1] == NULL || curl_strequal(texts[0], texts[1]);
  curl_free(texts[0]);
  curl_free(texts[1]);
  return same;
}

bool avp_url_same_server(const char *a, const char *b) {
  bool no_memory = false;
  CURLU *one = parse(a, CURLU_PATH_AS_IS, &no_memory);
  CURLU *other = parse(b, CURLU_PATH_AS_IS, &no_memory);
  bool same = same_part(one, other, CURLUPART_SCHEME) && same_part(one, other, CURLUPART_HOST) &&
              same_part(one, other, CURLUPART_PORT);
  curl_url_cleanup(one);
  curl_url_cleanup(other);
  return same;
}

/* What lies before the last @ may be a password, even if libcurl would read the URL in another way,
 * or not at all. */
void avp_url_for_print(const char *url, char *out, size_t size) {
  const char *rest = behind_scheme(url);
  const char *at = strrchr(url, '@');
  at = at != NULL ? at + 1 : rest;
  snprintf(out, size, "%.*s%.*s", (int)(rest - url), url, (int)(strcspn(at, "?#")), at);
}
