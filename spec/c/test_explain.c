/* test_explain.c - what libcurl says of TLS and of proxies, and what becomes of it: OpenSSL's words
 * differ from version to version, and some alerts no server of the specs would send.
 * SPDX-License-Identifier: MIT */
#include <errno.h>

#include "check.h"
#include "requests/explain.h"

static struct avp_err err;

static long os_error;

static void explain(CURLcode result, long refusal, const char *detail) {
  static struct avp_reply reply;
  memset(&reply, 0, sizeof reply);
  reply.result = result;
  reply.refusal = refusal;
  reply.os_error = os_error;
  snprintf(reply.detail, sizeof reply.detail, "%s", detail);
  avp_explain_failure(&err, &reply, "https://service.example/");
  CHECK_INT(err.retryable, avp_failure_may_pass(&reply));
}

static void expect(enum avp_err_kind kind, bool retryable, const char *words) {
  CHECK_STR(avp_err_kind_name(kind), avp_err_kind_name(err.kind));
  CHECK_INT(retryable, err.retryable);
  if (strstr(err.message, words) == NULL) CHECK_STR(words, err.message);
}

static void test_alerts(void) {
  static const struct {
    CURLcode result;
    const char *detail;
    const char *words;
  } rows[] = {
      /* after the handshake: TLS 1.3, TLS 1.2 by renegotiation, TLS 1.2 of Go and Java */
      {CURLE_RECV_ERROR,
       "OpenSSL SSL_read: OpenSSL/3.0.19: error:0A00045C:SSL routines::tlsv13 alert certificate "
       "required, errno 0",
       "demands a client certificate"},
      {CURLE_RECV_ERROR,
       "OpenSSL SSL_read: error:14094410:SSL routines:ssl3_read_bytes:sslv3 alert handshake "
       "failure, errno 0",
       "demands a client certificate"},
      {CURLE_SEND_ERROR, "SSL_write() error:0A000412:SSL routines::ssl/tls alert bad certificate",
       "demands a client certificate"},
      /* in the handshake */
      {CURLE_SSL_CONNECT_ERROR,
       "TLS connect error: error:0A000410:SSL routines::ssl/tls alert handshake failure",
       "demands a client certificate"},
      {CURLE_SSL_CONNECT_ERROR, "error:0A000458:SSL routines::tlsv1 unrecognized name",
       "host name"},
      {CURLE_SSL_CONNECT_ERROR, "error:0A000460:SSL routines::reason(1120)",
       "neither HTTP/2 nor HTTP/1.1"},
      {CURLE_SSL_CONNECT_ERROR, "error:0A00042E:SSL routines::tlsv1 alert protocol version",
       "TLS 1.2 or later"},
      {CURLE_SSL_CONNECT_ERROR, "error:0A000417:SSL routines::sslv3 alert illegal parameter",
       "broke off"},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    explain(rows[i].result, 0, rows[i].detail);
    expect(AVP_ERR_TLS, false, rows[i].words);
  }
}

/* These refuse nothing: close_notify, internal_error, user_canceled. */
static void test_other_alerts(void) {
  static const char *const words[] = {
      "error:0A0003E8:SSL routines::reason(1000)",
      "error:0A000438:SSL routines::tlsv1 alert internal error",
      "error:0A000442:SSL routines::tlsv1 alert user cancelled",
  };
  size_t i;
  for (i = 0; i < sizeof words / sizeof words[0]; i++) {
    explain(CURLE_RECV_ERROR, 0, words[i]);
    expect(AVP_ERR_NETWORK, true, words[i]);
    explain(CURLE_SSL_CONNECT_ERROR, 0, words[i]);
    expect(AVP_ERR_NETWORK, true, words[i]);
  }
}

static void test_no_alerts(void) {
  explain(CURLE_SSL_CONNECT_ERROR, 0, "error:0A00010B:SSL routines::wrong version number");
  expect(AVP_ERR_TLS, false, "no TLS is spoken there");
  explain(CURLE_SSL_CONNECT_ERROR, 0, "error:0A000126:SSL routines::unexpected eof while reading");
  expect(AVP_ERR_NETWORK, true, "unexpected eof");
  explain(CURLE_SSL_CONNECT_ERROR, 0, "error:0A000102:SSL routines::unsupported protocol");
  expect(AVP_ERR_TLS, false, "TLS 1.2 or later");
  explain(CURLE_RECV_ERROR, 0, "Recv failure: Connection reset by peer");
  expect(AVP_ERR_NETWORK, true, "Connection reset");
  os_error = ECONNRESET; /* the alert was not read: it may have been one of these */
  explain(CURLE_HTTP2, 0, "Send failure: Connection reset by peer");
  expect(AVP_ERR_NETWORK, true, "whether the server demands a client certificate");
  os_error = EPIPE;
  explain(CURLE_SEND_ERROR, 0, "Send failure: Broken pipe");
  expect(AVP_ERR_NETWORK, true, "whether the server demands a client certificate");
  os_error = 0;
}

/* OpenSSL's verdicts. Without one the name did not fit. */
static void test_certificates(void) {
  static const struct {
    long verdict;
    bool proxy;
    const char *words;
  } rows[] = {
      {0, false, "; the certificate is for another host: check base_url"},
      {1, true, "; the proxy's certificate is for another host: check proxy"},
      {9, false, "; the certificate is not valid yet"},
      {10, false, "; the certificate is out of date"},
      {10, true, "; the proxy's certificate is out of date"},
      {18, false, "; the certificate is not trusted"},
      {20, false, "; the certificate is not trusted"},
      {20, true, "; the proxy's certificate is not trusted"},
      {26, false, "; the certificate is not made for a server"},
      {66, false, "; the certificate is too weak"},
      {68, false, "; the certificate is too weak"},
      {69, false, "; the certificate is not trusted"},
  };
  struct avp_reply reply;
  size_t i;
  memset(&reply, 0, sizeof reply);
  reply.result = CURLE_PEER_FAILED_VERIFICATION;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    reply.verdict = rows[i].verdict;
    reply.proxy_untrusted = rows[i].proxy;
    avp_explain_failure(&err, &reply, "https://service.example/");
    expect(AVP_ERR_TLS, false, rows[i].words);
  }
}

/* A SOCKS proxy that could not get there has refused nothing. */
static void test_socks(void) {
  static const long refusals[] = {CURLPX_USER_REJECTED, CURLPX_NO_AUTH, CURLPX_REPLY_NOT_ALLOWED};
  static const long failures[] = {CURLPX_REPLY_CONNECTION_REFUSED,
                                  CURLPX_REPLY_GENERAL_SERVER_FAILURE,
                                  CURLPX_REPLY_HOST_UNREACHABLE,
                                  CURLPX_REPLY_NETWORK_UNREACHABLE,
                                  CURLPX_REPLY_TTL_EXPIRED,
                                  CURLPX_CLOSED,
                                  CURLPX_RECV_REQACK,
                                  CURLPX_RESOLVE_HOST};
  size_t i;
  for (i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
    explain(CURLE_PROXY, refusals[i], "SOCKS5");
    expect(AVP_ERR_NETWORK, false, "the proxy refuses");
  }
  for (i = 0; i < sizeof failures / sizeof failures[0]; i++) {
    explain(CURLE_PROXY, failures[i], "SOCKS5");
    expect(AVP_ERR_NETWORK, true, "SOCKS5; check");
  }
}

/* libcurl quotes a proxy's URL that it does not understand. */
static void test_passwords(void) {
  static const struct {
    const char *detail;
    const char *shown;
  } rows[] = {
      {"Unsupported proxy scheme for 'sp://user:pass@proxy:3128'",
       "Unsupported proxy scheme for '**************@proxy:3128'; "},
      {"Unsupported proxy syntax in 'user:pa'ss@ user:pass@proxy'",
       "Unsupported proxy syntax in '*********************@proxy'; "},
      {"for sp://user:pass@proxy/', 'http://user:pass@proxy'",
       "for *****************************************@proxy'; "},
      {"user:pass@proxy", "*********@proxy; "},
      {"of 'proxy' and b", "of 'proxy' and b; "},
  };
  size_t i;
  for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
    explain(CURLE_COULDNT_RESOLVE_PROXY, 0, rows[i].detail);
    err.message[strlen(rows[i].shown)] = '\0'; /* advice comes behind it */
    CHECK_STR(rows[i].shown, err.message);
  }
}

int main(void) {
  static const struct check_test tests[] = {
      {"explain: alerts that refuse", test_alerts},
      {"explain: alerts that refuse nothing", test_other_alerts},
      {"explain: no alerts", test_no_alerts},
      {"explain: certificates", test_certificates},
      {"explain: a SOCKS proxy", test_socks},
      {"explain: a proxy's password", test_passwords},
  };
  return check_run(tests, sizeof tests / sizeof tests[0]);
}
