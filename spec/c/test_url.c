/* test_url.c - url.h: encoding, paths, which URLs are taken, and what is shown of them.
 *
 * SPDX-License-Identifier: MIT */
#include "wire/url.h"

#include <curl/curl.h>
#include <stdlib.h>

#include "check.h"

static void check_encoded(const char *expected, const char *data, size_t len) {
  struct avp_buf out;
  avp_buf_init(&out, 4096);
  CHECK(avp_url_encode(&out, data, len));
  CHECK_STR(expected, out.data != NULL ? out.data : "");
  avp_buf_free(&out);
}

static void test_encode(void) {
  check_encoded("", "", 0);
  check_encoded("AZaz09-._~", "AZaz09-._~", 10);
  check_encoded("%20%2B%26%3D%25%2F%3F%23", " +&=%/?#", 8);
  check_encoded("a%00b", "a\0b", 3);
  check_encoded("%C3%BC%FF", "\xc3\xbc\xff", 3);
  check_encoded("%21%2A%27%28%29%22%0A%0D%7F", "!*'()\"\n\r\x7f", 9);
}

static void test_encode_fails_whole(void) {
  struct avp_buf out;
  avp_buf_init(&out, 2);
  CHECK(!avp_url_encode(&out, "&", 1)); /* no half escape */
  CHECK_INT(0, out.len);
  avp_mem_fail_at(1);
  CHECK(!avp_url_encode(&out, "ab", 2));
  avp_buf_free(&out);
}

static void test_fields(void) {
  struct avp_buf out;
  avp_buf_init(&out, 4096);
  CHECK(avp_url_add_field(&out, "a", "1 2", 3));
  CHECK(avp_url_add_field(&out, "b&", "", 0));
  CHECK(avp_url_add_field(&out, "c", "=", 1));
  CHECK_STR("a=1%202&b%26=&c=%3D", out.data);
  avp_buf_free(&out);
}

static void test_paths(void) {
  static const char *const good[] = {
      "a",          "/a/b",    "a/b/",    "customers('1')/jobs", "a%20b/c", "%E4%B8%AD",
      "a..b/.x/x.", "a/b:c@d", "x/batch",
  };
  static const char *const bad[] = {
      "",
      "/",
      "//host/a",
      "///",
      "a//b",
      "..",
      "../a",
      "a/..",
      "a/../b",
      "./a",
      "a/.",
      ".../a",
      "..;/a",
      "a/..;x=1/b",
      "%2e%2e/a",
      "%2E./a",
      ".%2e/a",
      "a/%2e",
      "a%2fb",
      "a%2Fb",
      "a\\b",
      "a%5cb",
      "%252e%252e/a",
      "%00",
      "%0d%0a",
      "%7f",
      "a%",
      "a%2",
      "a%zz",
      "a?b",
      "a#b",
      "a%3fb",
      "a%23b",
      "https://host/a",
      "HTTPS:/a",
      "mailto:a",
      "file:///a",
      "a:b/c",
      "a b",
      "a\tb",
      "a\r\nb",
      "a\x7f",
      "\xC3\xA4",
      "a\"b",
      "a<b",
      "a|b",
      "a[b]",
      "/http://host/a",
  };
  static const char *const not_posted[] = {"a",         "batch",    "a/batch/",  "a/Batch",
                                           "a/%62atch", "a/batchx", "a/batch;x", "a/xbatch"};
  size_t i;
  for (i = 0; i < sizeof good / sizeof good[0]; i++)
    CHECK(avp_url_refuse_path(good[i], false) == NULL);
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
    CHECK(avp_url_refuse_path(bad[i], false) != NULL);
  for (i = 0; i < sizeof bad / sizeof bad[0]; i++) CHECK(avp_url_refuse_path(bad[i], true) != NULL);
  for (i = 0; i < sizeof not_posted / sizeof not_posted[0]; i++) {
    CHECK(avp_url_refuse_path(not_posted[i], false) == NULL);
    CHECK(avp_url_refuse_path(not_posted[i], true) != NULL);
  }
  CHECK(avp_url_refuse_path("/customers/batch", true) == NULL);
}

static void test_taken(void) {
  static const char *const urls[] = {
      "https://graph.avepointonlineservices.com",
      "https://graph.avepointonlineservices.com/",
      "HTTPS://host/path/",
      "https://host:8443/a/b",
      "https://10.1.2.3/",
      "https://[2001:db8::1]:8443/",
      "https://host/with%20escape/@at",
      "http://localhost",
      "http://LOCALHOST:8080/x",
      "http://127.0.0.1:1234",
      "http://127.1",
      "http://127.255.255.254/",
      "http://2130706433/",
      "http://0x7f000001/",
      "http://0177.0.0.1/",
      "http://[::1]",
      "http://[::1]:80/",
      "http://[0:0:0:0:0:0:0:1]/",
  };
  size_t i;
  for (i = 0; i < sizeof urls / sizeof urls[0]; i++) {
    struct avp_err err;
    bool taken = avp_url_check(urls[i], "base_url", &err);
    if (!taken) printf("# %s: %s\n", urls[i], err.message);
    CHECK(taken);
  }
}

static void test_refused(void) {
  static const struct {
    const char *url;
    const char *why; /* stands in the message */
  } cases[] = {
      {"", "URL"},
      {"/only/a/path", "URL"},
      {"https://", "URL"},
      {"https://host:port/", "URL"},
      {"https://host:99999/", "URL"},
      {"https://ho st/", ""},
      {"https://host/a b", ""},
      {" https://host/", ""},
      {"https://host/ ", ""},
      {"https://host/\n", ""},
      {"https://host/\tx", ""},
      {"https://host/\x01", ""},
      {"http://host/", "plain http"},
      {"http://10.0.0.1/", "plain http"},
      {"http://126.0.0.1/", "plain http"},
      {"http://128.0.0.1/", "plain http"},
      {"http://127.0.0.1.example.com/", "plain http"},
      {"http://localhost.example.com/", "plain http"},
      {"http://127.example.com/", "plain http"},
      {"http://127.0.0.256/", "plain http"}, /* a name: libcurl would look it up */
      {"http://127.0.0.1.5/", "plain http"}, /* the same */
      {"http://127../", ""},                 /* the same, or no URL */
      {"http://[::2]/", "plain http"},
      {"http://[::ffff:7f00:1]/", "plain http"},
      {"http://0.0.0.0/", "plain http"},
      {"ftp://localhost/", "https"},
      {"file:///etc/passwd", ""},
      {"javascript:alert(1)", ""},
      {"unix:///run/socket", ""},
      {"ws://localhost/", ""},
      {"https://user@host/", "user name"},
      {"https://user:pass@host/", "user name"},
      {"https://:pass@host/", "user name"},
      {"http://127.0.0.1@evil.example/", ""},
      {"http://localhost:80@evil.example/", ""},
      {"https://host/?a=b", "query"},
      {"https://host/?", "query"},
      {"https://host?x", "query"},
      {"https://host/#part", "fragment"},
      {"https://host/#", "fragment"},
      {"https://host#@other/", "fragment"},
  };
  size_t i;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    struct avp_err err;
    bool taken;
    memset(&err, 0, sizeof err);
    taken = avp_url_check(cases[i].url, "base_url", &err);
    if (taken) printf("# taken: %s\n", cases[i].url);
    CHECK(!taken);
    CHECK_INT(AVP_ERR_CONFIG, err.kind);
    CHECK(strncmp(err.message, "base_url ", 9) == 0);
    if (strstr(err.message, cases[i].why) == NULL) printf("# %s: %s\n", cases[i].url, err.message);
    CHECK(strstr(err.message, cases[i].why) != NULL);
  }
}

/* An address for newer versions of libcurl, for older ones a name that they would look up. */
static void test_dot_behind_an_address(void) {
  static const char url[] = "http://127.0.0.1./";
  CURLU *parsed = curl_url();
  char *host = NULL;
  struct avp_err err;
  CHECK_INT(CURLUE_OK, curl_url_set(parsed, CURLUPART_URL, url, 0));
  CHECK_INT(CURLUE_OK, curl_url_get(parsed, CURLUPART_HOST, &host, 0));
  CHECK_INT(strcmp(host, "127.0.0.1") == 0, avp_url_check(url, "base_url", &err));
  curl_free(host);
  curl_url_cleanup(parsed);
}

static void test_loopback(void) {
  CHECK(avp_url_is_loopback("https://127.1/x?y"));
  CHECK(avp_url_is_loopback("http://LocalHost/"));
  CHECK(avp_url_is_loopback("https://[::1]:1/"));
  CHECK(!avp_url_is_loopback("https://host/127.0.0.1"));
  CHECK(!avp_url_is_loopback("https://127.0.0.1@host/"));
  CHECK(!avp_url_is_loopback("no url"));
}

static void test_for_print(void) {
  static const struct {
    const char *url;
    const char *shown;
  } cases[] = {
      {"https://host/a/b", "https://host/a/b"},
      {"https://host:81", "https://host:81"},
      {"https://host/a?token=1#x", "https://host/a"},
      {"https://host?token=1", "https://host"},
      {"https://host#x", "https://host"},
      {"https://user@host/a", "https://host/a"},
      {"https://user:pass@host/a", "https://host/a"},
      {"https://user:p@ss@host/a", "https://host/a"},
      {"user:pass@host/a", "host/a"},
      {"user:pass://word@host/a", "host/a"},
      {"user:pass@host://x@y/a", "y/a"},
      {"", ""},
  };
  size_t i;
  char out[64];
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    avp_url_for_print(cases[i].url, out, sizeof out);
    CHECK_STR(cases[i].shown, out);
  }
  avp_url_for_print("https://host/a/long/path", out, 12);
  CHECK_STR("https://hos", out);
}

/* Spellings that libcurl takes or refuses, with a password that the user meant to be one. */
static void test_no_password_is_printed(void) {
  static const char *const urls[] = {
      "https://user:pa55word@host/",   "https://pa55word@host",
      "https:/user:pa55word@host/",    "https:///user:pa55word@host/",
      "https:user:pa55word@host/",     "//user:pa55word@host/",
      "https://user:x/pa55word@host/", "https://user:pa55word/x@host/",
      "https://user:pa55word?x@host/", "https://user:pa55word#x@host/",
      "https://user:pa55word@",        "https://user:pa55word@host:port/",
      "user:pa55word://x@host/",       "https:/user:pa55word://x@host/",
  };
  int shown = 0;
  size_t i;
  for (i = 0; i < sizeof urls / sizeof urls[0]; i++) {
    struct avp_err err;
    char out[64];
    memset(&err, 0, sizeof err);
    avp_url_for_print(urls[i], out, sizeof out);
    if (strstr(out, "pa55word") != NULL) printf("# \"%s\" shows as \"%s\"\n", urls[i], out);
    shown += strstr(out, "pa55word") != NULL;
    CHECK(!avp_url_check(urls[i], "base_url", &err));
    shown += strstr(err.url, "pa55word") != NULL || strstr(err.message, "pa55word") != NULL;
  }
  CHECK_INT(0, shown);
}

static long curl_countdown; /* the allocation of libcurl's that fails; 0: none */

static bool curl_fails(void) { return curl_countdown > 0 && --curl_countdown == 0; }
static void *curl_malloc(size_t size) { return curl_fails() ? NULL : malloc(size); }
static void *curl_calloc(size_t n, size_t size) { return curl_fails() ? NULL : calloc(n, size); }
static void *curl_realloc(void *block, size_t size) {
  return curl_fails() ? NULL : realloc(block, size);
}
static char *curl_copy(const char *text) {
  char *copy = curl_malloc(strlen(text) + 1);
  return copy != NULL ? strcpy(copy, text) : NULL;
}

static bool check_base(const char *url, struct avp_err *err) {
  return avp_url_check(url, "base_url", err);
}

/* Lets each of libcurl's allocations fail once. A good URL may be refused for lack of memory only;
 * a bad one is never taken. */
static void check_without_memory(bool (*check)(const char *, struct avp_err *), const char *url,
                                 bool good) {
  struct avp_err err;
  long n = 0;
  do {
    bool taken;
    curl_countdown = ++n;
    taken = check(url, &err);
    if (taken != good) CHECK(!taken && err.kind == AVP_ERR_MEMORY);
  } while (curl_countdown == 0);
  curl_countdown = 0;
  CHECK(n > 1);
}

/* No proxy with a password: libcurl 7.88 calls it a bad login when memory runs out over it. */
static void test_memory_of_libcurl(void) {
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, free, curl_realloc, curl_copy,
                       curl_calloc);
  check_without_memory(check_base, "https://host/path", true);
  check_without_memory(check_base, "http://[::1]:80/", true);
  check_without_memory(check_base, "http://host/", false);
  check_without_memory(check_base, "https://user@host/", false);
  check_without_memory(avp_url_check_proxy, "socks5h://host:1080", true);
  check_without_memory(avp_url_check_proxy, "host:3128", true);
  check_without_memory(avp_url_check_proxy, "ftp://host/", false);
  curl_global_cleanup();
}

static void test_same_server(void) {
  static const struct {
    const char *a, *b;
    bool same;
  } cases[] = {{"https://a.example/x?y", "https://A.example:443/z", true},
               {"https://[::1]:8443/", "https://[::1]:8443", true},
               {"https://a.example/", "https://b.example/", false},
               {"https://a.example:444/", "https://a.example/", false},
               {"https://a.example/", "http://a.example:443/", false}};
  size_t i;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    CHECK_INT(cases[i].same, avp_url_same_server(cases[i].a, cases[i].b));
    CHECK_INT(cases[i].same, avp_url_same_server(cases[i].b, cases[i].a));
  }
}

static const struct check_test tests[] = {
    {"url: encode", test_encode},
    {"url: encode fails whole", test_encode_fails_whole},
    {"url: fields of a form", test_fields},
    {"url: paths below the base URL", test_paths},
    {"url: taken", test_taken},
    {"url: refused", test_refused},
    {"url: dot behind an address", test_dot_behind_an_address},
    {"url: loopback", test_loopback},
    {"url: for print", test_for_print},
    {"url: no password is printed", test_no_password_is_printed},
    {"url: memory of libcurl", test_memory_of_libcurl},
    {"url: same server", test_same_server},
};

CHECK_MAIN(tests)
