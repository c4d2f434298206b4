/* signin.c - the states of a fetch, the token request's form, and what its reply means (signin.h).
 * SPDX-License-Identifier: MIT */
#include "signin.h"

#include <string.h>

#include "../ground/mem.h"
#include "../wire/url.h"
#include "explain.h"

#define MAX_FORM        131072 /* bytes of a token request; an assertion may have 51,200 */
#define DESCRIPTION_MAX 201    /* bytes of the server's sentence that an error quotes, and a NUL */

static const struct avp_settings *settings_of(const struct avp_signin *s) {
  return s->shared->settings;
}

bool avp_signin_init(struct avp_signin *s, struct avp_shared *shared) {
  s->shared = shared;
  return avp_call_init(&s->call, shared->settings->token_url, "", AVP_NEVER);
}

static void enter(struct avp_signin *s, enum avp_signin_state state) {
  s->state = state;
  s->since = s->shared->now;
  s->ask_at = 0;
  s->shared->progress++;
}

/* Replaces the secret at `place`. */
static void keep(char **place, char *text) {
  avp_free_secret(*place);
  *place = text;
}

void avp_signin_cancel(struct avp_signin *s) {
  if (s->state == AVP_SIGNIN_IDLE || s->state == AVP_SIGNIN_CLOSED) return;
  avp_call_drop(s->shared, &s->call);
  enter(s, AVP_SIGNIN_IDLE);
}

void avp_signin_free(struct avp_signin *s) {
  avp_signin_cancel(s);
  s->state = AVP_SIGNIN_CLOSED;
  avp_call_free(&s->call);
  avp_token_free(&s->token);
  keep(&s->credential, NULL);
  keep(&s->sent_assertion, NULL);
}

/* Adds to an error which reply of the token endpoint caused it. */
static void add_reply(const struct avp_signin *s, struct avp_err *err) {
  const struct avp_reply *reply = &s->call.transfer->reply;
  err->status = reply->status;
  err->attempts = s->call.attempts;
  memcpy(err->request_id, reply->request_id, sizeof err->request_id);
  avp_url_for_print(s->call.url, err->url, sizeof err->url);
}

void avp_signin_fail(struct avp_signin *s, const struct avp_err *err, int64_t now) {
  if (!avp_token_is_usable(&s->token, now)) {
    s->failure = *err;
    if (s->state == AVP_SIGNIN_REPLIED) add_reply(s, &s->failure);
    avp_signin_redact(s, &s->failure);
  }
  avp_signin_cancel(s);
  avp_token_fetch_failed(&s->token, now);
  s->asked_anew = false;
}

static void queue_request(struct avp_signin *s) {
  /* asked for again: what was good for the last token may have been renewed */
  if (settings_of(s)->credential_is_function) keep(&s->credential, NULL);
  s->call.state = AVP_CALL_QUEUED;
  s->call.attempts = 0;
  s->call.excuses = 0;
  s->call.not_before = 0;
  enter(s, AVP_SIGNIN_REQUESTING);
}

const char *avp_signin_bearer(struct avp_signin *s) {
  int64_t now = s->shared->now;
  if (s->state == AVP_SIGNIN_IDLE && avp_token_is_due(&s->token, now)) {
    if (settings_of(s)->credential == AVP_CREDENTIAL_TOKEN) {
      enter(s, AVP_SIGNIN_ASKING);
    } else if (settings_of(s)->token_store) {
      enter(s, AVP_SIGNIN_LOOKING);
    } else {
      queue_request(s);
    }
  }
  return avp_token_is_usable(&s->token, now) ? s->token.value : NULL;
}

static bool add(struct avp_buf *form, const char *name, const char *value) {
  return value == NULL || avp_url_add_field(form, name, value, strlen(value));
}

static bool build_form(const struct avp_signin *s, struct avp_buf *form) {
  const struct avp_settings *settings = settings_of(s);
  bool assertion = settings->credential == AVP_CREDENTIAL_ASSERTION;
  return add(form, "grant_type", "client_credentials") &&
         add(form, "client_id", settings->client_id) &&
         add(form, "client_assertion_type",
             assertion ? "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" : NULL) &&
         add(form, assertion ? "client_assertion" : "client_secret", s->credential) &&
         add(form, "scope", settings->scope);
}

static bool send_request(struct avp_signin *s) {
  struct avp_request request = {
      .url = s->call.url, .content_type = "application/x-www-form-urlencoded", .secret = true};
  struct avp_buf form;
  bool sent;
  avp_buf_init(&form, MAX_FORM);
  form.secret = true;
  sent = build_form(s, &form);
  request.body = form.data;
  sent = sent && avp_call_send(s->shared, &s->call, &request);
  avp_buf_free(&form);
  return sent;
}

/* Sends the request, or asks for the credential. Returns whether it was sent, or failed. */
static bool send_due(struct avp_signin *s) {
  const struct avp_settings *settings = settings_of(s);
  struct avp_err err;
  bool sent;
  if (settings->credential_is_function && s->credential == NULL) {
    enter(s, AVP_SIGNIN_ASKING);
    return false;
  }
  sent = send_request(s);
  if (settings->credential == AVP_CREDENTIAL_ASSERTION && settings->credential_is_function) {
    /* good for one attempt: the server remembers its jti */
    keep(&s->sent_assertion, s->credential);
    s->credential = NULL;
  }
  if (sent) return true;
  avp_err_set(&err, AVP_ERR_MEMORY, "out of memory or of descriptors for the token request");
  avp_signin_fail(s, &err, s->shared->now);
  return true;
}

static void take_finished(struct avp_signin *s) {
  const struct avp_reply *reply = &s->call.transfer->reply;
  struct avp_retry_answer answer;
  struct avp_err err;
  if (reply->result == CURLE_OK && !avp_retry_status(reply->status)) {
    enter(s, AVP_SIGNIN_REPLIED); /* success or refusal */
  } else if (!avp_call_plan(s->shared, &s->call, &answer, &err)) {
    err.attempts = s->call.attempts;
    if (err.status != 0) avp_err_add(&err, " (at the token endpoint)");
    avp_err_forget_token(&err);
    avp_signin_fail(s, &err, s->shared->now);
  }
}

bool avp_signin_step(struct avp_signin *s) {
  if (s->state != AVP_SIGNIN_REQUESTING) return false;
  if (s->call.state == AVP_CALL_QUEUED) {
    return s->shared->now >= s->call.not_before && send_due(s);
  }
  avp_call_enforce_timeout(s->shared, &s->call);
  if (!avp_call_has_ended(s->shared, &s->call)) return s->call.state == AVP_CALL_QUEUED;
  take_finished(s);
  return true;
}

int64_t avp_signin_ready_at(const struct avp_signin *s, int64_t at) {
  int64_t now = s->shared->now;
  if (s->state == AVP_SIGNIN_IDLE || avp_token_is_usable(&s->token, at > now ? at : now)) return at;
  if (s->state != AVP_SIGNIN_REQUESTING || s->call.state != AVP_CALL_QUEUED) return AVP_NEVER;
  return at > s->call.not_before ? at : s->call.not_before;
}

int64_t avp_signin_wake_at(const struct avp_signin *s, int64_t now) {
  switch (s->state) {
  case AVP_SIGNIN_LOOKING:
  case AVP_SIGNIN_ASKING:
    return s->ask_at != 0 ? s->ask_at : AVP_NEVER;
  case AVP_SIGNIN_REQUESTING:
    return s->call.state == AVP_CALL_QUEUED ? s->call.not_before
                                            : avp_call_timeout_at(s->shared, &s->call, now);
  case AVP_SIGNIN_REPLIED:
    return now; /* nothing else would wake its reader */
  default:
    return AVP_NEVER;
  }
}

void avp_signin_redact(const struct avp_signin *s, struct avp_err *err) {
  avp_err_redact(err, s->token.value);
  avp_err_redact(err, s->credential);
  avp_err_redact(err, s->sent_assertion);
}

static bool is_waiting(const struct avp_signin *s) {
  return s->state == AVP_SIGNIN_LOOKING || s->state == AVP_SIGNIN_ASKING;
}

bool avp_signin_wants(struct avp_signin *s, int64_t now) {
  if (!is_waiting(s) || now < s->ask_at) return false;
  s->ask_at = now + AVP_ASK_AGAIN_MS;
  return true;
}

bool avp_signin_supply(struct avp_signin *s, const char *credential) {
  char *copy = s->state != AVP_SIGNIN_CLOSED ? avp_strdup(credential) : NULL;
  if (copy == NULL) return false;
  keep(&s->credential, copy);
  if (s->state == AVP_SIGNIN_ASKING) enter(s, AVP_SIGNIN_REQUESTING);
  return true;
}

bool avp_signin_supply_token(struct avp_signin *s, const char *value, size_t len,
                             int64_t lifetime_ms, bool fresh, int64_t now) {
  struct avp_event *event;
  /* a reply that lay unread as long as its token lives: the token may be over already */
  if (s->state == AVP_SIGNIN_REPLIED && now - s->call.sent_at >= lifetime_ms) fresh = false;
  if (s->state == AVP_SIGNIN_CLOSED ||
      !avp_token_set(&s->token, value, len, lifetime_ms, fresh, now)) {
    return false;
  }
  avp_signin_cancel(s);
  s->asked_anew = false;
  keep(&s->sent_assertion, NULL);
  event = avp_event_add(&s->shared->events, AVP_EVENT_TOKEN, (double)s->shared->wall_ms / 1000);
  if (event != NULL && lifetime_ms != AVP_NEVER) event->lifetime = (double)lifetime_ms / 1000;
  return true;
}

/* Asks the function once more if what it returned was refused: the secret, or the certificate that
 * signs, may have been renewed. */
static bool ask_anew(struct avp_signin *s, const char *word) {
  if (!settings_of(s)->credential_is_function || s->asked_anew || word == NULL ||
      strcmp(word, "invalid_client") != 0) {
    return false;
  }
  s->asked_anew = true;
  avp_call_drop(s->shared, &s->call);
  queue_request(s);
  return true;
}

/* Copies the server's sentence, cut to a sane length and without the secrets that it may echo. */
static void quote(const struct avp_signin *s, const char *description, char said[DESCRIPTION_MAX]) {
  size_t len = description != NULL ? strlen(description) : 0;
  bool cut = len >= DESCRIPTION_MAX;
  if (cut) len = DESCRIPTION_MAX - 1;
  if (len > 0) memcpy(said, description, len);
  said[len] = '\0';
  avp_redact(said, len, cut, s->credential);
  avp_redact(said, len, cut, s->sent_assertion);
}

void avp_signin_refused(struct avp_signin *s, const char *word, const char *description,
                        int64_t now) {
  const struct avp_reply *reply = &s->call.transfer->reply;
  struct avp_err err;
  char said[DESCRIPTION_MAX];
  if (ask_anew(s, word)) return;
  if (word != NULL) {
    quote(s, description, said);
    avp_explain_token_refusal(&err, reply, word, said, settings_of(s), s->credential);
    avp_err_forget_token(&err);
  } else {
    avp_explain_token_status(&err, reply, s->call.url);
  }
  avp_signin_fail(s, &err, now);
}

bool avp_signin_fetch(struct avp_signin *s) {
  if (s->state != AVP_SIGNIN_LOOKING) return false;
  queue_request(s);
  return true;
}

bool avp_signin_later(struct avp_signin *s, int64_t ms, int64_t now) {
  if (!is_waiting(s)) return false;
  if (ms == 0) {
    s->ask_at = 0;
    s->shared->progress++;
  } else if (s->state == AVP_SIGNIN_LOOKING && avp_token_is_usable(&s->token, now)) {
    avp_token_fetch_failed(&s->token, now);
    avp_signin_cancel(s);
    return true;
  } else {
    s->ask_at = now + ms;
  }
  return false;
}
