/* path.c - fuzzes the paths of client:list and client:get, base URLs, and what is printed of them.
 *
 * Whatever passes, joined with the base URL and read by libcurl, stays on the base's server and
 * below its path: the token goes nowhere else.
 * SPDX-License-Identifier: MIT */
#include "fuzz.h"

#include <curl/curl.h>

#include "wire/url.h"

static char *part(CURLU *url, CURLUPart which, unsigned flags) {
  char *text = NULL;
  (void)curl_url_get(url, which, &text, flags);
  return text;
}

static void check_same_part(CURLU *a, CURLU *b, CURLUPart which) {
  char *one = part(a, which, CURLU_DEFAULT_PORT);
  char *other = part(b, which, CURLU_DEFAULT_PORT);
  MUST(one != NULL && other != NULL && strcmp(one, other) == 0);
  curl_free(one);
  curl_free(other);
}

static void check_no_part(CURLU *url, CURLUPart which) {
  char *text = part(url, which, 0);
  MUST(text == NULL);
}

/* Decoded once more by a server or a proxy, the path must not leave its folder either. */
static void check_segments(const char *path) {
  char *plain = curl_easy_unescape(NULL, path, 0, NULL);
  const char *p = plain;
  size_t slashes = 0;
  MUST(plain != NULL);
  while (*path != '\0') slashes += *path++ == '/';
  for (; *p != '\0'; p++) {
    slashes -= *p == '/';
    MUST((unsigned char)*p >= ' ' && *p != '\\' && *p != '?' && *p != '#');
  }
  MUST(slashes == 0);
  MUST(strstr(plain, "/../") == NULL && strstr(plain, "/./") == NULL);
  MUST(strstr(plain, "/..;") == NULL && strstr(plain, "//") == NULL);
  p = strrchr(plain, '/');
  MUST(p == NULL || (strcmp(p, "/..") != 0 && strcmp(p, "/.") != 0));
  curl_free(plain);
}

static void check_joined(const char *base, const char *path, unsigned flags) {
  size_t size = strlen(base) + strlen(path) + 2;
  char *joined = malloc(size);
  CURLU *of_base = curl_url();
  CURLU *of_joined = curl_url();
  char *base_path;
  char *whole_path;
  size_t len;
  MUST(joined != NULL && of_base != NULL && of_joined != NULL);
  snprintf(joined, size, "%s%s%s", base, path[0] == '/' ? "" : "/", path);
  MUST(curl_url_set(of_base, CURLUPART_URL, base, flags) == CURLUE_OK);
  if (curl_url_set(of_joined, CURLUPART_URL, joined, flags) == CURLUE_OK) {
    check_same_part(of_base, of_joined, CURLUPART_SCHEME);
    check_same_part(of_base, of_joined, CURLUPART_HOST);
    check_same_part(of_base, of_joined, CURLUPART_PORT);
    check_no_part(of_joined, CURLUPART_USER);
    check_no_part(of_joined, CURLUPART_PASSWORD);
    check_no_part(of_joined, CURLUPART_QUERY);
    check_no_part(of_joined, CURLUPART_FRAGMENT);
    base_path = part(of_base, CURLUPART_PATH, 0);
    whole_path = part(of_joined, CURLUPART_PATH, 0);
    MUST(base_path != NULL && whole_path != NULL);
    len = strlen(base_path);
    if (len > 0 && base_path[len - 1] == '/') len--;
    MUST(strncmp(base_path, whole_path, len) == 0 && whole_path[len] == '/');
    check_segments(whole_path + len);
    MUST(avp_url_same_server(base, joined));
    curl_free(base_path);
    curl_free(whole_path);
  }
  curl_url_cleanup(of_base);
  curl_url_cleanup(of_joined);
  free(joined);
}

static void check_printed(const char *url) {
  char printed[256];
  avp_url_for_print(url, printed, sizeof printed);
  MUST(strlen(printed) < sizeof printed);
  MUST(strchr(printed, '@') == NULL); /* what may be a password stands before it */
}

static void check_base(const char *url, const char *path) {
  struct avp_err err;
  size_t len = strlen(url);
  char *base;
  if (!avp_url_check(url, "base_url", &err)) {
    MUST(err.kind == AVP_ERR_CONFIG && err.message[0] != '\0');
    return;
  }
  MUST(curl_strnequal(url, "https:", 6) || avp_url_is_loopback(url));
  base = malloc(len + 1);
  MUST(base != NULL);
  memcpy(base, url, len + 1);
  while (len > 0 && base[len - 1] == '/') base[--len] = '\0'; /* as the binding does */
  check_joined(base, path, CURLU_PATH_AS_IS);
  free(base);
}

static void check_encoding(const char *text, size_t len) {
  struct avp_buf out;
  int plain_len = 0;
  char *plain;
  avp_buf_init(&out, 6 * len + 16);
  MUST(avp_url_add_field(&out, "q", text, len) && avp_url_add_field(&out, text, "", 0));
  MUST(out.data[strcspn(out.data, " \r\n#?/")] == '\0');
  plain = curl_easy_unescape(NULL, out.data + 2, (int)strcspn(out.data + 2, "&"), &plain_len);
  MUST(plain != NULL && (len == 0 || ((size_t)plain_len == len && memcmp(plain, text, len) == 0)));
  curl_free(plain);
  avp_buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const bases[] = {"https://graph.avepointonlineservices.com/partner",
                                      "https://localhost:8443/~id", "http://127.0.0.1:80",
                                      "https://[2001:db8::1]:8443/a/b"};
  struct input in = {data, size};
  unsigned choice = take_byte(&in);
  size_t len;
  char *path = take_until(&in, '\n', &len);
  char *url = take_rest(&in, NULL);
  struct avp_err err;
  bool posted = (choice & 4) != 0;
  if (avp_url_refuse_path(path, posted) == NULL) {
    check_joined(bases[choice % 4], path, CURLU_PATH_AS_IS);
    check_joined(bases[choice % 4], path, 0); /* as a parser does that takes out dots */
    check_base(url, path);
    MUST(!posted || (strlen(path) >= 6 && strcmp(path + strlen(path) - 6, "/batch") == 0));
  }
  check_base(url, "customers");
  check_printed(url);
  (void)avp_url_check_proxy(url, &err);
  (void)avp_url_same_server(url, path);
  check_encoding(path, len);
  free(path);
  free(url);
  return 0;
}
