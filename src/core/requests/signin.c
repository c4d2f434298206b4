/* signin.c - how a dispatcher gets its token; see dispatcher.h and token.h.
 *
 * The client credentials grant of RFC 6749 section 4.4, with a secret in the body (section 2.3.1)
 * or a signed assertion (RFC 7523 section 2.2), or a token that the user's function gives.
 *
 *     nothing -> wanted (the user's function) -> queued -> in flight -> reply to be read -> nothing
 *                                                  ^          |
 *                                                  +----------+  another attempt
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "../ground/hash.h"
#include "../ground/mem.h"
#include "../wire/url.h"
#include "dispatcher_impl.h"
#include "explain.h"

#define MAX_FORM        131072 /* bytes of a token request; an assertion may have 51,200 */
#define DESCRIPTION_MAX 201    /* bytes of the server's sentence that an error quotes, and a NUL */

static bool needs_credential(const struct avp_dispatcher *d) {
  return d->settings.credential_is_function && d->credential == NULL;
}

static void want(struct avp_dispatcher *d) {
  if (d->wanted) return;
  d->wanted = true;
  d->wanted_at = d->now;
  d->asked = false;
  d->progress++;
}

static void answered(struct avp_dispatcher *d) {
  d->wanted = false;
  d->asked = false;
  d->at_store = false;
  d->progress++;
}

/* Ends the attempt to get a token: without one, or because it has come. */
static void drop_token_call(struct avp_dispatcher *d) {
  if (d->token_call == NULL) return;
  avp_attempt_drop(d, d->token_call);
  avp_call_free(d->token_call);
  d->token_call = NULL;
}

/* A fetch that others wait for behind a lock has ended. */
static void note_outcome(struct avp_dispatcher *d, enum avp_outcome outcome) {
  if (!d->for_store) return;
  d->for_store = false;
  d->outcome = outcome;
}

/* No token: whoever needs one fails; while the old one lives nobody does. */
static void fail_waiting(struct avp_dispatcher *d, const struct avp_err *err, int64_t now) {
  struct avp_call *call;
  avp_token_fetch_failed(&d->token, now);
  note_outcome(d, AVP_OUTCOME_FAILED);
  d->asked_after_refusal = false;
  d->progress++;
  if (avp_token_advise(&d->token, now) != AVP_TOKEN_FETCH) return;
  for (call = d->calls; call != NULL; call = call->next) {
    struct avp_err copy = *err;
    int attempts = err->attempts;
    if (call->state != AVP_CALL_QUEUED) continue;
    avp_call_fail(d, call, &copy);
    call->err.at_sign_in = true;
    call->err.attempts = attempts; /* those of the token request: the call itself made none */
  }
}

void avp_signin_cancel(struct avp_dispatcher *d, int64_t now) {
  if (!d->token.fetching) return;
  drop_token_call(d);
  answered(d);
  note_outcome(d, AVP_OUTCOME_FAILED);
  avp_token_fetch_failed(&d->token, now);
  d->token.renew_at = d->token.value != NULL ? now : 0;
}

static void start_call(struct avp_dispatcher *d, int64_t now) {
  d->token_call = avp_call_alloc(d->settings.token_url, "", AVP_NEVER);
  if (d->token_call == NULL) {
    struct avp_err err;
    avp_err_set(&err, AVP_ERR_MEMORY, "out of memory for the token request");
    fail_waiting(d, &err, now);
    return;
  }
  d->token_call->is_token = true;
}

void avp_signin_begin(struct avp_dispatcher *d, int64_t now) {
  if (d->token.fetching) return;
  avp_token_fetch_began(&d->token);
  d->at_store = d->settings.token_store && d->settings.credential != AVP_CREDENTIAL_TOKEN;
  if (d->at_store || d->settings.credential == AVP_CREDENTIAL_TOKEN) {
    want(d);
  } else {
    start_call(d, now);
  }
}

bool avp_dispatcher_wants_store(const struct avp_dispatcher *d) { return d->at_store; }

bool avp_dispatcher_fetch_token(struct avp_dispatcher *d, int64_t now) {
  if (!d->at_store || d->closed) return false;
  answered(d);
  d->for_store = true;
  d->outcome = AVP_OUTCOME_NONE;
  start_call(d, now);
  return true;
}

bool avp_dispatcher_leave_token(struct avp_dispatcher *d, int64_t now) {
  if (!d->at_store || d->token.value == NULL || now >= d->token.expires_at) return false;
  answered(d);
  avp_token_fetch_failed(&d->token, now); /* looks again after a while */
  return true;
}

enum avp_outcome avp_dispatcher_take_outcome(struct avp_dispatcher *d) {
  enum avp_outcome outcome = d->outcome;
  d->outcome = AVP_OUTCOME_NONE;
  return outcome;
}

const char *avp_dispatcher_token(const struct avp_dispatcher *d, int64_t now,
                                 int64_t *lifetime_ms) {
  *lifetime_ms = d->token.expires_at == AVP_NEVER ? AVP_NEVER : d->token.expires_at - now;
  return d->token.value;
}

uint64_t avp_token_hash(const char *value, size_t len) {
  static const struct avp_hash_key key = {0, 0}; /* only compared within this process */
  uint64_t hash = avp_hash64(&key, value, len);
  return hash != 0 ? hash : 1;
}

bool avp_dispatcher_knows_token(const struct avp_dispatcher *d, const char *value, size_t len) {
  uint64_t hash = avp_token_hash(value, len);
  if (hash == d->refused) return true;
  return d->token.value != NULL && avp_token_hash(d->token.value, strlen(d->token.value)) == hash;
}

static bool add(struct avp_buf *form, const char *name, const char *value) {
  return value == NULL || avp_url_add_field(form, name, value, strlen(value)) == AVP_BUF_OK;
}

static bool build_form(const struct avp_dispatcher *d, struct avp_buf *form) {
  bool ok = add(form, "grant_type", "client_credentials") &&
            add(form, "client_id", d->settings.client_id);
  if (d->settings.credential == AVP_CREDENTIAL_ASSERTION) {
    ok = ok && add(form, "client_assertion_type",
                   "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    ok = ok && add(form, "client_assertion", d->credential);
  } else {
    ok = ok && add(form, "client_secret", d->credential);
  }
  return ok && add(form, "scope", d->settings.scope);
}

static void fail_for_memory(struct avp_dispatcher *d, int64_t now) {
  struct avp_err err;
  avp_err_set(&err, AVP_ERR_MEMORY, "out of memory or of descriptors for the token request");
  drop_token_call(d);
  fail_waiting(d, &err, now);
}

bool avp_signin_send(struct avp_dispatcher *d, int64_t now) {
  struct avp_call *call = d->token_call;
  struct avp_request request;
  struct avp_buf form;
  bool sent;
  if (call == NULL || call->state != AVP_CALL_QUEUED || now < call->not_before) return false;
  if (needs_credential(d)) {
    want(d);
    return false;
  }
  avp_buf_init(&form, MAX_FORM);
  sent = build_form(d, &form);
  memset(&request, 0, sizeof request);
  request.post = true;
  request.url = call->url;
  request.body = form.data;
  request.body_len = form.len;
  request.content_type = "application/x-www-form-urlencoded";
  sent = sent && avp_attempt_start(d, call, &request, now);
  avp_buf_free(&form);
  if (d->settings.credential == AVP_CREDENTIAL_ASSERTION && d->settings.credential_is_function) {
    avp_free_secret(d->spent);
    d->spent = d->credential; /* good for one attempt: the server remembers its jti */
    d->credential = NULL;
  }
  if (!sent) fail_for_memory(d, now);
  return sent;
}

void avp_signin_reply(struct avp_dispatcher *d, int64_t now) {
  struct avp_call *call = d->token_call;
  const struct avp_reply *reply = &call->transfer->reply;
  struct avp_err err;
  if (reply->result == CURLE_OK && !avp_retry_status(reply->status)) {
    call->state = AVP_CALL_DONE; /* the binding reads it, success or refusal */
    d->progress++;
    return;
  }
  if (avp_attempt_plan(d, call, reply, now)) return;
  err = call->err;
  drop_token_call(d);
  fail_waiting(d, &err, now);
}

const struct avp_reply *avp_dispatcher_token_reply(const struct avp_dispatcher *d) {
  if (d->token_call == NULL || d->token_call->state != AVP_CALL_DONE) return NULL;
  return &d->token_call->transfer->reply;
}

bool avp_dispatcher_wants(struct avp_dispatcher *d, int64_t now) {
  if (!d->wanted || d->closed) return false;
  if (d->asked && now < d->ask_again_at) return false;
  d->asked = true;
  d->ask_again_at = now + AVP_ASK_AGAIN_MS;
  return true;
}

bool avp_dispatcher_supply(struct avp_dispatcher *d, const char *credential) {
  char *copy = d->closed ? NULL : avp_strdup(credential);
  if (copy == NULL) return false;
  avp_free_secret(d->credential);
  d->credential = copy;
  answered(d);
  return true;
}

void avp_dispatcher_supply_failed(struct avp_dispatcher *d, const struct avp_err *err,
                                  int64_t now) {
  answered(d);
  drop_token_call(d);
  fail_waiting(d, err, now);
}

void avp_dispatcher_ask_again(struct avp_dispatcher *d) {
  d->asked = false;
  d->progress++;
}

void avp_dispatcher_ask_later(struct avp_dispatcher *d, int64_t ms, int64_t now) {
  d->asked = d->wanted;
  d->ask_again_at = now + ms;
}

int64_t avp_dispatcher_wanted_ms(const struct avp_dispatcher *d, int64_t now) {
  return now - d->wanted_at;
}

bool avp_dispatcher_supply_token(struct avp_dispatcher *d, const char *value, size_t len,
                                 int64_t lifetime_ms, bool fresh, int64_t now) {
  struct avp_event *event;
  if (d->closed || !avp_token_set(&d->token, value, len, lifetime_ms, fresh, now)) return false;
  drop_token_call(d);
  answered(d);
  note_outcome(d, AVP_OUTCOME_FETCHED);
  d->asked_after_refusal = false;
  avp_free_secret(d->spent);
  d->spent = NULL;
  event = avp_event_add(&d->events, AVP_EVENT_TOKEN, d->wall);
  if (event != NULL && lifetime_ms != AVP_NEVER) event->lifetime = (double)lifetime_ms / 1000;
  return true;
}

bool avp_dispatcher_fix_token(struct avp_dispatcher *d, const char *value) {
  d->token.fixed = true;
  return avp_token_set(&d->token, value, strlen(value), AVP_NEVER, true, 0);
}

/* A secret that a function gives may have been renewed since: ask once more. */
static bool ask_for_new_secret(struct avp_dispatcher *d, const char *word) {
  if (!d->settings.credential_is_function || d->settings.credential != AVP_CREDENTIAL_SECRET ||
      d->asked_after_refusal || word == NULL || strcmp(word, "invalid_client") != 0) {
    return false;
  }
  d->asked_after_refusal = true;
  avp_free_secret(d->credential);
  d->credential = NULL;
  avp_attempt_drop(d, d->token_call);
  d->token_call->state = AVP_CALL_QUEUED;
  d->token_call->attempts = 0;
  want(d);
  return true;
}

/* The server's sentence, cut to a sane length and without the secrets that it may echo. */
static void quote(const struct avp_dispatcher *d, const char *description,
                  char said[DESCRIPTION_MAX]) {
  size_t len = description != NULL ? strlen(description) : 0;
  bool cut = len >= DESCRIPTION_MAX;
  if (cut) len = DESCRIPTION_MAX - 1;
  if (len > 0) memcpy(said, description, len);
  said[len] = '\0';
  avp_redact(said, len, cut, d->credential);
  avp_redact(said, len, cut, d->spent);
}

void avp_dispatcher_token_refused(struct avp_dispatcher *d, const char *word,
                                  const char *description, int64_t now) {
  const struct avp_reply *reply = avp_dispatcher_token_reply(d);
  struct avp_err err;
  char said[DESCRIPTION_MAX];
  if (ask_for_new_secret(d, word)) return;
  if (word != NULL || reply->status == 400 || reply->status == 401) {
    quote(d, description, said);
    avp_explain_token_refusal(&err, reply->status, word, said,
                              d->settings.credential == AVP_CREDENTIAL_ASSERTION,
                              d->settings.token_url);
    strcpy(err.request_id, reply->request_id); /* of the same size */
    avp_err_body(&err, reply->body.data, reply->body.len);
  } else {
    avp_explain_status(&err, reply, d->settings.token_url);
    if (reply->status == 403) err.kind = AVP_ERR_AUTH; /* it refuses, if not in OAuth's words */
    avp_err_add(&err, "; this is the token endpoint: check token_url and environment");
  }
  avp_err_forget_token(&err);
  err.attempts = d->token_call->attempts;
  drop_token_call(d);
  fail_waiting(d, &err, now);
}

void avp_dispatcher_token_garbled(struct avp_dispatcher *d, enum avp_err_kind kind,
                                  const char *what, int64_t now) {
  const struct avp_reply *reply = avp_dispatcher_token_reply(d);
  struct avp_err err;
  avp_err_set(&err, kind, "the token endpoint's reply %s; check token_url", what);
  err.status = reply->status;
  err.attempts = d->token_call->attempts;
  memcpy(err.request_id, reply->request_id, sizeof err.request_id);
  avp_url_for_print(d->settings.token_url, err.url, sizeof err.url);
  drop_token_call(d);
  fail_waiting(d, &err, now);
}
