/* test_trust.c - which certificates are trusted, and how often they are looked up again, with a
 * libcurl that was built without a bundle: its functions that say so, and are told so, stand here.
 * SPDX-License-Identifier: MIT */
#include <stdarg.h>

#include "check.h"
#include "wire/transfer.h"

#undef curl_easy_getinfo
#undef curl_easy_setopt

static curl_version_info_data info;

curl_version_info_data *curl_version_info(CURLversion age) {
  info.age = age;
  info.ssl_version = "OpenSSL/3.0.0";
  return &info;
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO what, ...) {
  va_list args;
  (void)easy;
  va_start(args, what);
  if (what == CURLINFO_SSL_VERIFYRESULT) *va_arg(args, long *) = 20; /* no issuer */
  va_end(args);
  return CURLE_OK;
}

/* The files and directories that libcurl is told, for servers and for proxies. */
static const char *files[2], *dirs[2];

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...) {
  va_list args;
  const char **place = option == CURLOPT_CAINFO         ? &files[0]
                       : option == CURLOPT_PROXY_CAINFO ? &files[1]
                       : option == CURLOPT_CAPATH       ? &dirs[0]
                       : option == CURLOPT_PROXY_CAPATH ? &dirs[1]
                                                        : NULL;
  (void)easy;
  va_start(args, option);
  if (place != NULL) *place = va_arg(args, const char *);
  va_end(args);
  return CURLE_OK;
}

static bool is_sent_again(struct avp_transfer_settings *settings) {
  struct avp_request request = {.url = "https://service.example/"};
  struct avp_transfer *transfer = avp_transfer_new(settings, &request);
  bool again;
  avp_transfer_finish(transfer, CURLE_PEER_FAILED_VERIFICATION);
  again = transfer->reply.uncounted;
  avp_transfer_free(transfer);
  return again;
}

static void test_no_bundle(void) {
  struct avp_transfer_settings settings = {.ca_dir = "/nowhere", .user_agent = "test"};
  is_sent_again(&settings);
  CHECK(!is_sent_again(&settings));
  info.capath = "/nowhere";
  settings.ca_dir = NULL;
  CHECK(!is_sent_again(&settings));
}

static void test_ca_file(void) {
  struct avp_transfer_settings settings = {
      .ca_file = "/ours", .ca_bundle = "/bundle", .ca_dir = "/dir", .user_agent = "test"};
  int i;
  info.cainfo = info.capath = "/of-libcurl";
  for (i = 0; i < 2; i++) files[i] = dirs[i] = "not told";
  is_sent_again(&settings);
  for (i = 0; i < 2; i++) {
    CHECK_STR("/ours", files[i]);
    CHECK(dirs[i] == NULL);
  }
}

int main(void) {
  static const struct check_test tests[] = {
      {"trust: without a bundle", test_no_bundle},
      {"trust: ca_file and nothing else", test_ca_file},
  };
  return check_run(tests, sizeof tests / sizeof tests[0]);
}
