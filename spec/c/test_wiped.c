/* test_wiped.c - no block that is given back holds a secret: not after a renewal, a growth, the end
 * of a request or of the client. The functions of mem.h stand here, and look at each block.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "rig.h"
#include "wire/url.h"

static long live;
static int unwiped; /* blocks given back with a secret in them */

/* In all that is secret here. */
static const char mark[] = "hush-hush-hush";

struct block {
  size_t size;
  double aligned[1];
};

void *avp_alloc(size_t size) {
  struct block *block = calloc(1, sizeof *block + size);
  if (block == NULL) abort();
  block->size = size;
  live++;
  return block->aligned;
}

void *avp_alloc_unset(size_t size) { return avp_alloc(size); }

void avp_free(void *data) {
  struct block *block;
  if (data == NULL) return;
  block = (struct block *)(void *)((char *)data - offsetof(struct block, aligned));
  unwiped += holds(data, block->size, mark);
  live--;
  free(block);
}

char *avp_strdup(const char *text) {
  return text != NULL ? strcpy(avp_alloc(strlen(text) + 1), text) : NULL;
}

void avp_wipe(void *data, size_t size) { memset(data, 0, size); }

void avp_free_secret(char *text) {
  if (text != NULL) avp_wipe(text, strlen(text));
  avp_free(text);
}

long avp_mem_fail_at(long n) { return n; }

long avp_mem_live(void) { return live; }

/* The headers of a request are libcurl's blocks. */
void curl_slist_free_all(struct curl_slist *list) {
  while (list != NULL) {
    struct curl_slist *next = list->next;
    unwiped += holds(list->data, strlen(list->data), mark);
    free(list->data);
    free(list);
    list = next;
  }
}

/* So is a form's value, once it is encoded. */
void curl_free(void *text) {
  if (text != NULL) unwiped += holds(text, strlen(text), mark);
  free(text);
}

static void test_buffer(void) {
  struct avp_buf buf;
  int i;
  unwiped = 0;
  avp_buf_init(&buf, 4096);
  buf.secret = true;
  for (i = 0; i < 64; i++) CHECK(avp_buf_adds(&buf, mark)); /* grows thrice */
  avp_buf_free(&buf);
  CHECK_INT(0, unwiped);
  avp_buf_init(&buf, 4096); /* of no secret nothing is wiped: that would cost time */
  CHECK(avp_buf_adds(&buf, mark));
  avp_buf_free(&buf);
  CHECK_INT(1, unwiped);
}

static void test_transfer(void) {
  struct avp_transfer_settings settings = {.user_agent = "test", .max_body = 4096};
  struct avp_request request = {.url = "https://service.example/", .bearer = mark};
  struct avp_transfer *transfer;
  unwiped = 0;
  transfer = avp_transfer_new(&settings, &request);
  CHECK_STR(mark, transfer->bearer);
  avp_transfer_free(transfer);
  CHECK_INT(0, unwiped);
  request.bearer = NULL;
  request.body = mark;
  request.content_type = "text/plain";
  request.secret = true;
  transfer = avp_transfer_new(&settings, &request);
  CHECK(avp_buf_adds(&transfer->reply.body, mark));
  avp_transfer_free(transfer);
  CHECK_INT(0, unwiped);
}

/* The parts of a proxy's URL that are decoded to be looked at. */
static void test_proxy(void) {
  struct avp_err err;
  unwiped = 0;
  CHECK(avp_url_check_proxy("http://user:hush-hush-hush@proxy.example", &err));
  CHECK(avp_url_check_proxy("http://hush-hush-hush:word@proxy.example", &err));
  CHECK_INT(0, unwiped);
}

/* Tokens that follow each other, and all that a client holds at its end. */
static void sign_in(enum avp_credential credential, bool function) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  int i;
  unwiped = 0;
  settings.credential = credential;
  settings.credential_is_function = function;
  settings.transfer.proxy = "http://user:hush-hush-hush@proxy.example";
  rig_open(&rig, &settings);
  if (!function) CHECK(avp_signin_supply(&rig.r->signin, mark));
  call = get(&rig, "x=1");
  step(&rig);
  for (i = 0; i < 2; i++) {
    if (function) CHECK(avp_signin_supply(&rig.r->signin, mark));
    step(&rig);
    CHECK(strstr(fake_body("/connect/token"), mark) != NULL);
    answer_token(&rig, mark, HOUR);
    if (i > 0) break;
    CHECK_STR(mark, fake_bearer("x=1"));
    fake_reply("x=1", 200, "{}");
    advance(&rig, HOUR);
    avp_call_release(rig.r, call);
    call = get(&rig, "x=2");
    step(&rig);
  }
  avp_call_release(rig.r, call);
  rig_close(&rig);
  CHECK_INT(0, unwiped);
}

static void test_sign_in(void) {
  sign_in(AVP_CREDENTIAL_SECRET, false);
  sign_in(AVP_CREDENTIAL_SECRET, true);
  sign_in(AVP_CREDENTIAL_ASSERTION, true);
}

/* Both what is sent and what comes back is marked as secret. */
static void test_token_request(void) {
  struct avp_settings settings = rig_settings();
  struct avp_call *call;
  struct rig rig;
  rig_open(&rig, &settings);
  call = get(&rig, "x=1");
  step(&rig);
  CHECK(fake_find("/connect/token")->secret);
  answer_token(&rig, "token", HOUR);
  CHECK(!fake_find("x=1")->secret);
  avp_call_release(rig.r, call);
  rig_close(&rig);
}

static const struct check_test tests[] = {
    {"wiped: a buffer that grows", test_buffer},
    {"wiped: what a transfer sends and gets", test_transfer},
    {"wiped: a proxy's user and password", test_proxy},
    {"wiped: tokens and credentials", test_sign_in},
    {"wiped: the token request", test_token_request},
};

CHECK_MAIN(tests)
