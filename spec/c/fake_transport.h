/* fake_transport.h - the functions of transport.h without a network. An attempt that is started is
 * recorded, and the test completes it by hand. Defined under the same names, so that the library's
 * transport is not linked.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_FAKE_TRANSPORT_H
#define AVP_FAKE_TRANSPORT_H

#include "check.h"
#include "requests/retry.h"
#include "wire/transport.h"

struct fake_attempt {
  struct avp_transfer transfer; /* first: all that the core sees */
  bool post;
  bool secret;
  bool has_bearer;
  const char *url; /* this and the three below: empty where there is none, in `texts` */
  const char *body;
  const char *content_type;
  const char *bearer;
  int64_t arrives;           /* with a simulated server (test_pace.c): when the request is there, */
  int64_t leaves;            /* when the reply is back, */
  int verdict;               /* and its status */
  struct fake_attempt *next; /* in the list of running ones, oldest first */
  size_t size;               /* of all this */
  char texts[];
};

struct avp_transport {
  struct avp_transfer_settings *settings;
  struct fake_attempt *running;
  struct fake_attempt *early; /* the one that only connects, running or finished, or NULL */
  struct avp_transfer *done;
  bool forked;         /* this process is a fork's child from now on */
  bool heard;          /* something comes in with the next step */
  bool one_connection; /* all attempts share it */
};

static struct avp_transport *fake; /* the one there is, or NULL */
static int fake_started;           /* attempts so far, all tests together; */
static int fake_early_started;     /* and those that only connect */

struct avp_transport *avp_transport_new(struct avp_transfer_settings *settings, int connections) {
  (void)connections;
  fake = avp_alloc(sizeof *fake);
  if (fake != NULL) fake->settings = settings;
  return fake;
}

void avp_transport_free(struct avp_transport *transport) {
  if (transport == NULL) return;
  CHECK(transport->running == NULL); /* all attempts are given back before */
  CHECK(transport->done == NULL && transport->early == NULL);
  avp_free(transport);
  fake = NULL;
}

static inline size_t fake_size(const char *text) { return text != NULL ? strlen(text) + 1 : 1; }

/* Copies the text, or none, to `*end`, and moves that behind it. */
static inline const char *fake_copy(char **end, const char *text) {
  const char *copy = *end;
  if (text != NULL) memcpy(*end, text, strlen(text));
  *end += fake_size(text);
  return copy;
}

/* An attempt of that request, as long as its texts are. Returns NULL where memory ran out. */
static inline struct fake_attempt *fake_attempt_new(const struct avp_request *request) {
  size_t size = sizeof(struct fake_attempt) + fake_size(request->url) + fake_size(request->body) +
                fake_size(request->content_type) + fake_size(request->bearer);
  struct fake_attempt *attempt = avp_alloc(size);
  char *end = attempt != NULL ? attempt->texts : NULL;
  if (attempt == NULL) return NULL;
  attempt->size = size;
  attempt->url = fake_copy(&end, request->url);
  attempt->body = fake_copy(&end, request->body);
  attempt->content_type = fake_copy(&end, request->content_type);
  attempt->bearer = fake_copy(&end, request->bearer);
  attempt->post = request->body != NULL;
  attempt->secret = request->secret;
  attempt->has_bearer = request->bearer != NULL;
  if (attempt->has_bearer) attempt->transfer.bearer = attempt->bearer;
  attempt->transfer.running = true;
  return attempt;
}

struct avp_transfer *avp_transport_start(struct avp_transport *transport,
                                         const struct avp_request *request, int64_t now) {
  struct fake_attempt **end = &transport->running;
  struct fake_attempt *attempt = fake_attempt_new(request);
  (void)now;
  if (attempt == NULL) return NULL;
  if (request->only_connects) {
    CHECK(transport->early == NULL);
    CHECK(!attempt->post && !attempt->has_bearer);
    transport->early = attempt;
    fake_early_started++;
    return &attempt->transfer;
  }
  while (*end != NULL) end = &(*end)->next;
  *end = attempt;
  avp_buf_init(&attempt->transfer.reply.body, transport->settings->max_body);
  fake_started++;
  return &attempt->transfer;
}

static inline void fake_unlink(struct avp_transport *transport, struct avp_transfer *transfer) {
  struct fake_attempt **running = &transport->running;
  struct avp_transfer **done = &transport->done;
  if (transport->early != NULL && &transport->early->transfer == transfer) transport->early = NULL;
  while (*running != NULL && &(*running)->transfer != transfer) running = &(*running)->next;
  if (*running != NULL) *running = (*running)->next;
  while (*done != NULL && *done != transfer) done = &(*done)->next;
  if (*done != NULL) *done = transfer->next;
}

void avp_transport_cancel(struct avp_transport *transport, struct avp_transfer *transfer) {
  struct fake_attempt *attempt = (struct fake_attempt *)(void *)transfer;
  fake_unlink(transport, transfer);
  avp_buf_free(&transfer->reply.body);
  avp_wipe(transfer, attempt->size);
  avp_free(attempt);
}

static inline void fake_finish(struct fake_attempt *attempt, CURLcode result) {
  struct avp_transfer **end = &fake->done;
  fake_unlink(fake, &attempt->transfer);
  attempt->transfer.running = false;
  attempt->transfer.reply.result = result;
  attempt->transfer.next = NULL;
  while (*end != NULL) end = &(*end)->next;
  *end = &attempt->transfer;
}

/* True once after a test has set `heard`. */
bool avp_transport_perform(struct avp_transport *transport, int64_t now) {
  bool heard = transport->heard;
  (void)now;
  transport->heard = false;
  return heard;
}

void avp_transport_time_out(struct avp_transport *transport, struct avp_transfer *transfer) {
  CHECK(transport == fake && transfer->running);
  fake_finish((struct fake_attempt *)(void *)transfer, CURLE_OPERATION_TIMEDOUT);
  while (transport->one_connection && transport->running != NULL) {
    transport->running->transfer.reply.uncounted = true;
    fake_finish(transport->running, CURLE_OPERATION_TIMEDOUT);
  }
}

int64_t avp_transport_wake_at(const struct avp_transport *transport) {
  (void)transport;
  return AVP_NEVER;
}

int avp_transport_fd(const struct avp_transport *transport) {
  (void)transport;
  return -1;
}

void avp_transport_wait(const struct avp_transport *transport, int timeout_ms) {
  (void)transport;
  (void)timeout_ms;
}

bool avp_transport_global_init(void) { return true; }

/* True once after a test has set `forked`. */
bool avp_transport_forked(struct avp_transport *transport) {
  bool forked = transport->forked;
  transport->forked = false;
  return forked;
}

static inline int fake_running(void) {
  const struct fake_attempt *attempt = fake != NULL ? fake->running : NULL;
  int count = 0;
  for (; attempt != NULL; attempt = attempt->next) count++;
  return count;
}

/* Ends the one that only connects, as libcurl does: with a failure, whatever has come of it. */
static inline void fake_connected(CURLcode result) {
  CHECK(fake->early != NULL);
  fake->early->transfer.running = false;
  fake->early->transfer.reply.result = result;
}

/* The oldest running attempt whose URL holds `part`, or NULL. */
static inline struct fake_attempt *fake_find(const char *part) {
  struct fake_attempt *attempt = fake != NULL ? fake->running : NULL;
  while (attempt != NULL && strstr(attempt->url, part) == NULL) attempt = attempt->next;
  return attempt;
}

/* What that attempt was sent with; an empty string where there is none. */
static inline const char *fake_bearer(const char *part) {
  const struct fake_attempt *attempt = fake_find(part);
  return attempt != NULL ? attempt->bearer : "";
}

static inline const char *fake_body(const char *part) {
  const struct fake_attempt *attempt = fake_find(part);
  return attempt != NULL ? attempt->body : "";
}

/* Completes the oldest running attempt whose URL holds `part`; where there is none, the test has
 * failed. `retry_after` and `date` may be NULL. */
static inline void fake_reply_with(const char *part, int status, const char *body,
                                   const char *retry_after, const char *date) {
  struct fake_attempt *attempt = fake_find(part);
  struct avp_reply *reply;
  if (attempt == NULL) printf("# no attempt is running for %s\n", part);
  CHECK(attempt != NULL);
  if (attempt == NULL) return;
  reply = &attempt->transfer.reply;
  reply->status = status;
  reply->bytes = (double)strlen(body);
  reply->seconds = 0.25;
  (void)!avp_buf_adds(&reply->body, body);
  if (retry_after != NULL) strcpy(reply->retry_after, retry_after);
  if (date != NULL) strcpy(reply->date, date);
  strcpy(reply->request_id, "request-1");
  fake_finish(attempt, CURLE_OK);
}

static inline void fake_reply(const char *part, int status, const char *body) {
  fake_reply_with(part, status, body, NULL, NULL);
}

/* Lets it fail without a whole reply, with libcurl's words. */
static inline void fake_fail_saying(const char *part, CURLcode result, const char *words) {
  struct fake_attempt *attempt = fake_find(part);
  CHECK(attempt != NULL);
  if (attempt == NULL) return;
  strcpy(attempt->transfer.reply.detail, words);
  fake_finish(attempt, result);
}

static inline void fake_fail(const char *part, CURLcode result) {
  fake_fail_saying(part, result, "");
}

#endif
