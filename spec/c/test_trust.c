/* test_trust.c - how often the trusted certificates are looked up again, with a libcurl that was
 * built without a bundle: its functions that say so stand here.
 * SPDX-License-Identifier: MIT */
#include <stdarg.h>

#include "check.h"
#include "wire/transfer.h"

#undef curl_easy_getinfo

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

int main(void) {
  static const struct check_test tests[] = {{"trust: without a bundle", test_no_bundle}};
  return check_run(tests, sizeof tests / sizeof tests[0]);
}
