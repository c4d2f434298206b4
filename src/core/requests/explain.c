/* explain.c - the sentences for libcurl's results, HTTP statuses and OAuth's words (explain.h).
 * SPDX-License-Identifier: MIT */
#include "explain.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "../ground/hash.h"
#include "../wire/url.h"

#define SCOPE_MAX 300 /* characters: the limit of identity servers of this make */

struct rule {
  CURLcode code;
  enum avp_err_kind kind;
  bool may_pass;
  const char *advice; /* what to do, behind libcurl's own words */
};

static const char check_tls[] = "the TLS handshake failed; check proxies in between";
static const char check_http[] = "this is not the service's HTTP: check base_url and token_url";

static const struct rule rules[] = {
    {CURLE_COULDNT_RESOLVE_HOST, AVP_ERR_NETWORK, true,
     "check the host name, the network and the proxy"},
    {CURLE_COULDNT_RESOLVE_PROXY, AVP_ERR_NETWORK, true,
     "check the name in proxy or https_proxy, and percent-encode user and password before it"},
    {CURLE_PROXY, AVP_ERR_NETWORK, true, "check proxy or https_proxy"},
    {CURLE_OPERATION_TIMEDOUT, AVP_ERR_TIMEOUT, true,
     "check the network, or raise timeout and connect_timeout"},
    {CURLE_PARTIAL_FILE, AVP_ERR_PROTOCOL, true, "the reply was cut short"},
    {CURLE_BAD_CONTENT_ENCODING, AVP_ERR_PROTOCOL, true,
     "the reply was cut short, or its compression is damaged"},
    {CURLE_WEIRD_SERVER_REPLY, AVP_ERR_PROTOCOL, false, check_http},
    {CURLE_UNSUPPORTED_PROTOCOL, AVP_ERR_PROTOCOL, false, check_http},
    {CURLE_BAD_FUNCTION_ARGUMENT, AVP_ERR_PROTOCOL, false, check_http}, /* of its header parser */
    {CURLE_PEER_FAILED_VERIFICATION, AVP_ERR_TLS, false, NULL},         /* certificate_troubles */
    {CURLE_SSL_CACERT_BADFILE, AVP_ERR_TLS, false,
     "check that ca_file, or the file of CURL_CA_BUNDLE or "
     "SSL_CERT_FILE, can be read and is PEM"},
    {CURLE_SSL_CONNECT_ERROR, AVP_ERR_TLS, false, NULL}, /* advice_for_tls */
    {CURLE_URL_MALFORMAT, AVP_ERR_CONFIG, false, "check base_url and token_url"},
    {CURLE_OUT_OF_MEMORY, AVP_ERR_MEMORY, false, "out of memory"},
};

/* All others, such as a refused connection or one that ends too early. */
static const struct rule other = {CURLE_OK, AVP_ERR_NETWORK, true,
                                  "check the network, the proxy and that the service is up"};

/* What is wrong with a certificate, by OpenSSL's verdict (X509_V_ERR_...). */
static const struct {
  long from;
  long to;
  const char *advice;
} certificate_troubles[] = {
    {9, 9, "not valid yet: check this machine's clock; if it is right, the server's is wrong"},
    {10, 10, "out of date: check this machine's clock; if it is right, the server needs a new one"},
    {26, 26, "not made for a server: the server needs another one"},
    {66, 68,
     "too weak: its key is short, or it is signed by SHA-1 or MD5; the server needs a new "
     "one"},
    {LONG_MIN, LONG_MAX,
     "not trusted: check whether ca_file or AVEPOINT_CA_FILE should name your organisation's CA "
     "certificate, and whether the server sends the certificates between its own and the CA's"},
};

static const char no_tls[] = "no TLS is spoken there: check the port and the proxy";
static const char old_tls[] = "TLS 1.2 or later is needed on both sides";
static const char no_certificate[] =
    "the server demands a client certificate, which this library does not send: check base_url and "
    "token_url";

/* What OpenSSL's words say about a handshake that failed. The first that fits counts. */
static const struct {
  const char *words;
  const char *advice;
} tls_words[] = {
    {"unsupported protocol", old_tls},  {"wrong version number", no_tls},
    {"packet length too long", no_tls}, {"record layer failure", no_tls},
    {"http request", no_tls},           {"", check_tls},
};

/* What a TLS alert says (RFC 8446 section 6). */
static const struct {
  int alert;
  const char *advice;
} alerts[] = {
    {40, "the server refused the handshake: it demands a client certificate, or allows no TLS "
         "version or cipher that this machine has"},
    {42, no_certificate},
    {70, old_tls},
    {112, "the server does not know this host name: check base_url, token_url and the proxy"},
    {116, no_certificate},
    {120, "the server speaks neither HTTP/2 nor HTTP/1.1 there: check the host and the port"},
    {-1, "the server broke off with this TLS alert"},
};

enum { CLOSE_NOTIFY = 0, INTERNAL_ERROR = 80, USER_CANCELED = 90 };

/* Returns the TLS alert that ended the connection, or -1. It may come after the handshake: with TLS
 * 1.3 only then the server says that it demands a client certificate. OpenSSL numbers its errors
 * for alerts from 1000 on; the words for them change from version to version. */
static int alert_of(const struct avp_reply *reply) {
  const char *number = strstr(reply->detail, ":SSL routines:");
  unsigned long reason;
  if (number == NULL) return -1;
  while (number > reply->detail && avp_hex_digit(number[-1]) >= 0) number--;
  reason = strtoul(number, NULL, 16) & 0xFFF;
  return reason >= 1000 && reason <= 1255 ? (int)(reason - 1000) : -1;
}

static const char *advice_for_tls(const struct avp_reply *reply) {
  int alert = alert_of(reply);
  size_t i = 0;
  if (alert >= 0) {
    while (alerts[i].alert >= 0 && alerts[i].alert != alert) i++;
    return alerts[i].advice;
  }
  while (strstr(reply->detail, tls_words[i].words) == NULL) i++;
  return tls_words[i].advice;
}

/* libcurl cannot read the proxy's URL, or knows no such scheme. */
static bool is_odd_proxy(const struct avp_reply *reply) {
  return strncmp(reply->detail, "Unsupported proxy", 17) == 0;
}

/* Whether a proxy, of HTTP or of SOCKS, does not accept its user. */
static bool refuses_user(long refusal) {
  return refusal == 407 || refusal == 401 || refusal == CURLPX_USER_REJECTED ||
         refusal == CURLPX_NO_AUTH;
}

/* Whether it refuses at all; else it could not get to the host. */
static bool proxy_refused(long refusal) {
  return refuses_user(refusal) || refusal == CURLPX_REPLY_NOT_ALLOWED ||
         (refusal >= 300 && !avp_retry_status((int)refusal));
}

/* libcurl reports a connection that is cut during the handshake as a TLS failure, but it is one of
 * the network: no side has refused anything. */
static bool handshake_was_cut(const struct avp_reply *reply) {
  if (reply->result != CURLE_SSL_CONNECT_ERROR) return false;
  return reply->os_error == ECONNRESET || reply->os_error == EPIPE ||
         strstr(reply->detail, "SSL_ERROR_SYSCALL") != NULL ||
         strstr(reply->detail, "unexpected eof") != NULL;
}

/* Whether the server closed before the request was out. libcurl then does not read the alert that
 * says why: with TLS 1.3 it may come between the handshake and the request. */
static bool broke_in_sending(const struct avp_reply *reply) {
  return (reply->result == CURLE_SEND_ERROR || reply->result == CURLE_HTTP2) &&
         (reply->os_error == ECONNRESET || reply->os_error == EPIPE);
}

/* Over HTTP/2, whether the stream ended too early: the reply had begun. */
static bool stream_was_cut(const struct avp_reply *reply) {
  return reply->result == CURLE_HTTP2_STREAM && reply->status != 0 && reply->bytes > 0;
}

/* On HTTP/2 libcurl's limit on headers is a failure of its callback (-902), and nghttp2 has one too
 * (-905). Both fail all transfers of the connection, and are told in words only. */
static bool headers_overran(const struct avp_reply *reply) {
  return (reply->result == CURLE_RECV_ERROR || reply->result == CURLE_HTTP2) &&
         strstr(reply->detail, "nghttp2") != NULL &&
         (strstr(reply->detail, " -902") != NULL || strstr(reply->detail, " -905") != NULL);
}

static const struct rule *rule_for(const struct avp_reply *reply) {
  static const struct rule short_reply = {CURLE_HTTP2_STREAM, AVP_ERR_PROTOCOL, true,
                                          "the reply was cut short"};
  static const struct rule long_headers = {CURLE_HTTP2, AVP_ERR_LIMIT, true,
                                           "the headers of a reply on the connection are larger "
                                           "than 64 KiB, or more than libcurl takes"};
  static const struct rule broken = {CURLE_SEND_ERROR, AVP_ERR_NETWORK, true,
                                     "the server closed the connection before the request was out: "
                                     "check the network and the proxy, and whether the server "
                                     "demands a client certificate"};
  static const struct rule alert = {CURLE_SSL_CONNECT_ERROR, AVP_ERR_TLS, false, NULL};
  static const struct rule odd_proxy = {
      CURLE_COULDNT_RESOLVE_PROXY, AVP_ERR_CONFIG, false,
      "check proxy or https_proxy: percent-encode user and password in it, which hold no control "
      "characters"};
  static const struct rule refused = {CURLE_PROXY, AVP_ERR_NETWORK, false, NULL};
  int code = alert_of(reply);
  size_t i;
  if (headers_overran(reply)) return &long_headers;
  if (is_odd_proxy(reply)) return &odd_proxy;
  if (proxy_refused(reply->refusal)) return &refused;
  if (code == CLOSE_NOTIFY || code == INTERNAL_ERROR || code == USER_CANCELED) return &other;
  if (code >= 0) return &alert;
  if (handshake_was_cut(reply)) return &other;
  if (broke_in_sending(reply)) return &broken;
  if (stream_was_cut(reply)) return &short_reply;
  for (i = 0; i < sizeof rules / sizeof rules[0]; i++) {
    if (rules[i].code == reply->result) return &rules[i];
  }
  return &other;
}

bool avp_failure_may_pass(const struct avp_reply *reply) {
  if (reply->out_of_memory) return false;
  if (reply->overflow != AVP_OVERFLOW_NONE) return false;
  return rule_for(reply)->may_pass;
}

/* Fills what all errors have in common, but not kind and message. */
static void fill(struct avp_err *err, const struct avp_reply *reply, const char *url) {
  err->status = reply->status;
  err->curl = (int)reply->result;
  avp_url_for_print(url, err->url, sizeof err->url);
  memcpy(err->request_id, reply->request_id, sizeof err->request_id);
  avp_err_body(err, reply->body.data, reply->body.len);
}

/* Covers all up to the last @, from the first quotation mark or, if an @ comes sooner, from the
 * start of its word: libcurl quotes a proxy's URL that it does not understand, with user name and
 * password, and these may hold quotation marks, blanks and @. */
static void hide_user(char *text) {
  char *last = strrchr(text, '@');
  size_t from = strcspn(text, "'\"@");
  if (last == NULL) return;
  if (text[from] != '@') {
    from++;
  } else {
    while (from > 0 && text[from - 1] != ' ') from--;
  }
  memset(text + from, '*', (size_t)(last - (text + from)));
}

/* Returns what to do about a proxy that refused. */
static const char *advice_for_refusal(long refusal) {
  return refuses_user(refusal)
             ? "the proxy refuses its user name and password, or demands them: check proxy "
               "or https_proxy; it is not asked again, since that may lock the account"
             : "the proxy refuses to connect to this host: check its rules, proxy, "
               "https_proxy and no_proxy";
}

static const char *advice_for_certificate(const struct avp_reply *reply) {
  long verdict = reply->verdict;
  size_t i = 0;
  if (verdict <= 1) { /* not judged, since the name came first */
    return reply->proxy_untrusted ? "for another host: check proxy or https_proxy"
                                  : "for another host: check base_url and token_url";
  }
  while (verdict < certificate_troubles[i].from || verdict > certificate_troubles[i].to) i++;
  return certificate_troubles[i].advice;
}

static const char *advice_for(const struct avp_reply *reply, const struct rule *rule) {
  if (rule->code == CURLE_PROXY && rule->advice == NULL) return advice_for_refusal(reply->refusal);
  if (rule->code == CURLE_SSL_CONNECT_ERROR) return advice_for_tls(reply);
  if (rule->code == CURLE_PEER_FAILED_VERIFICATION) return advice_for_certificate(reply);
  return rule->advice;
}

void avp_explain_failure(struct avp_err *err, const struct avp_reply *reply, const char *url) {
  const struct rule *rule = rule_for(reply);
  const char *words = reply->detail[0] ? reply->detail : curl_easy_strerror(reply->result);
  if (reply->out_of_memory) {
    avp_err_set(err, AVP_ERR_MEMORY, "out of memory while a reply was read");
  } else if (reply->overflow == AVP_OVERFLOW_BODY) {
    avp_err_set(err, AVP_ERR_LIMIT,
                "the reply is larger than max_body (%.0f bytes after "
                "decompression); ask for a smaller page_size or raise max_body",
                (double)reply->body.max);
  } else if (reply->overflow != AVP_OVERFLOW_NONE) {
    avp_err_set(err, AVP_ERR_LIMIT,
                "the headers of the reply are larger than 64 KiB, or more than libcurl takes");
  } else {
    const char *whose = "";
    if (rule->code == CURLE_PEER_FAILED_VERIFICATION) {
      whose = reply->proxy_untrusted ? "the proxy's certificate is " : "the certificate is ";
    }
    avp_err_set(err, rule->kind, "%s; %s%s", words, whose, advice_for(reply, rule));
    hide_user(err->message);
  }
  fill(err, reply, url);
  /* a limit hit on every attempt is permanent, even if single hits were retried */
  err->retryable = avp_failure_may_pass(reply) && err->kind != AVP_ERR_LIMIT;
}

/* The first that fits counts. */
static const struct {
  int from;
  int to;
  enum avp_err_kind kind;
  const char *advice;
} statuses[] = {
    {300, 399, AVP_ERR_HTTP, "redirects are not followed: check base_url and token_url"},
    {400, 400, AVP_ERR_HTTP, "the service refused the request as invalid; see body for its reason"},
    {401, 401, AVP_ERR_AUTH,
     "a fresh token was refused: check that environment, base_url and token_url belong together, "
     "and the app registration"},
    {403, 403, AVP_ERR_FORBIDDEN,
     "the app registration lacks the permission: tick elements.customers.read.all (for another "
     "read than customers its own, and ask for that with the option scope) under Elements > "
     "Settings > Additional > API app registration, and check its customer scope"},
    {404, 404, AVP_ERR_NOT_FOUND,
     "nothing is served there: check base_url and environment, and the path if you gave one"},
    {429, 429, AVP_ERR_THROTTLED,
     "the service limits the rate of requests: list less often, or lower concurrency"},
    {503, 503, AVP_ERR_SERVER, "the service is under maintenance or overloaded: try again later"},
    {500, 599, AVP_ERR_SERVER, "the service failed: try again later"},
    {0, INT_MAX, AVP_ERR_HTTP, "this answer was not expected: check base_url"},
};

void avp_explain_status(struct avp_err *err, const struct avp_reply *reply, const char *url) {
  size_t i = 0;
  while (reply->status < statuses[i].from || reply->status > statuses[i].to) i++;
  avp_err_set(err, statuses[i].kind, "HTTP status %d: %s", reply->status, statuses[i].advice);
  fill(err, reply, url);
  err->retryable = avp_retry_status(reply->status);
}

void avp_explain_given_token(struct avp_err *err) {
  err->message[0] = '\0';
  avp_err_add(err,
              "HTTP status %d: the access token that was given is refused: tokens live for an "
              "hour; get a new one, of the environment that base_url belongs to, or give "
              "access_token as a function or client_id and a credential instead",
              err->status);
}

void avp_explain_verdict(struct avp_err *err, const struct avp_retry_answer *answer,
                         const struct avp_retry_policy *policy, int attempts) {
  double wait = (double)answer->delay_ms / 1000;
  if (answer->verdict == AVP_RETRY_SPENT) {
    if (attempts > 1) avp_err_add(err, " (gave up after %d attempts)", attempts);
    if (err->retry_after > 0) {
      avp_err_add(err, " (the server asks to wait %.1f s)", err->retry_after);
    }
  } else if (answer->verdict == AVP_RETRY_TOO_LONG) {
    avp_err_add(err, " (the server asks to wait %.1f s, longer than max_retry_wait of %.1f s)",
                wait, (double)policy->max_wait_ms / 1000);
  } else if (answer->verdict == AVP_RETRY_PAST_DEADLINE) {
    avp_err_add(err, " (gave up: the next wait of %.1f s would pass the deadline)", wait);
  }
}

void avp_explain_scope(struct avp_err *err, const struct avp_settings *settings) {
  size_t len = strlen(settings->scope);
  bool refused = err->kind != AVP_ERR_FORBIDDEN; /* by the identity server */
  if (settings->scope_source == NULL || settings->credential == AVP_CREDENTIAL_TOKEN) return;
  err->message[0] = '\0';
  if (refused) {
    avp_err_add(err, "sign-in failed: %s: ", err->code);
  } else {
    avp_err_add(err, "HTTP status %d: ", err->status);
  }
  if (refused && len > SCOPE_MAX) {
    avp_err_add(err,
                "the scope that was asked for, from %s, has %d characters; the identity server "
                "usually takes %d characters at most: ask for fewer permissions",
                settings->scope_source, (int)len, SCOPE_MAX);
    return;
  }
  avp_err_add(err,
              "the scope that was asked for is \"%.300s\", from %s: check its spelling and that it "
              "holds the permission of this read, and tick what it names under Elements > Settings "
              "> Additional > API app registration; or leave it out, and tick "
              "elements.customers.read.all there",
              settings->scope, settings->scope_source);
}

static const struct {
  const char *word;
  const char *advice;
} token_words[] = {
    {"invalid_client", "the identity server does not know this client id and secret: check both, "
                       "and that environment or token_url is the registration's; "
                       "a client secret expires one to three years after it was made, a new one "
                       "is made under Elements > Settings > Additional > API app registration"},
    {"invalid_scope", "the scope is not granted: tick elements.customers.read.all for the app "
                      "registration"},
    {"unauthorized_client", "this app registration may not use client credentials"},
    {"unsupported_grant_type", "the token endpoint takes no client credentials: check token_url"},
    {"invalid_request", "the token endpoint refuses the form of the request: check token_url"},
};

static const char *advice_for_word(const char *word, bool assertion) {
  size_t i;
  if (assertion && strcmp(word, "invalid_client") == 0) {
    return "the identity server does not accept the signed assertion: check client_id, that the "
           "certificate is the one uploaded to the app registration, that token_url or "
           "environment is the registration's, and this machine's clock";
  }
  for (i = 0; i < sizeof token_words / sizeof token_words[0]; i++) {
    if (strcmp(token_words[i].word, word) == 0) return token_words[i].advice;
  }
  return "check client_id, the credential and token_url";
}

static bool is_blank(char c) { return c != '\0' && strchr(" \t\r\n\v\f", c) != NULL; }

static bool has_blank_end(const char *text) {
  return text != NULL && text[0] != '\0' && (is_blank(text[0]) || is_blank(text[strlen(text) - 1]));
}

/* What the program gives is sent byte for byte. */
static void add_blank_ends(struct avp_err *err, const struct avp_settings *settings,
                           const char *credential) {
  static const char said[] = "; %s begins or ends with white space, which was sent with it";
  if (has_blank_end(settings->client_id)) avp_err_add(err, said, "client_id");
  if (has_blank_end(credential)) avp_err_add(err, said, "the secret");
}

void avp_explain_token_refusal(struct avp_err *err, const struct avp_reply *reply, const char *word,
                               const char *description, const struct avp_settings *settings,
                               const char *credential) {
  bool assertion = settings->credential == AVP_CREDENTIAL_ASSERTION;
  avp_err_set(err, AVP_ERR_AUTH, "sign-in failed: %s%s%s", word, word[0] != '\0' ? ": " : "",
              advice_for_word(word, assertion));
  strncpy(err->code, word, sizeof err->code - 1); /* the rest is zeroed */
  fill(err, reply, settings->token_url);
  if (strcmp(word, "invalid_scope") == 0) avp_explain_scope(err, settings);
  if (strcmp(word, "invalid_client") == 0) add_blank_ends(err, settings, credential);
  if (description[0] != '\0') avp_err_add(err, " (%s)", description);
}

void avp_explain_token_status(struct avp_err *err, const struct avp_reply *reply, const char *url) {
  bool refused = reply->status == 400 || reply->status == 401 || reply->status == 403;
  avp_explain_status(err, reply, url);
  if (refused) err->kind = AVP_ERR_AUTH;
  err->message[0] = '\0';
  avp_err_add(err,
              "HTTP status %d from the token endpoint, which does not say why in OAuth's words: "
              "check token_url and environment, and proxies in between",
              reply->status);
  avp_err_forget_token(err);
  if (err->body_len > 0) avp_err_add(err, "; what it says is in body");
}
