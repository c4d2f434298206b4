/* test_transfer.c - what a transfer keeps of a reply, and what becomes of it when memory runs out.
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "wire/transfer.c" /* for libcurl's callbacks */
#include "wire/transport.h"

static void hear(struct avp_transfer *transfer, const char *line) {
  size_t len = strlen(line);
  CHECK(on_header((char *)(uintptr_t)line, 1, len, transfer) == len);
}

static void test_headers(void) {
  struct avp_transfer transfer;
  char line[200];
  memset(&transfer, 0, sizeof transfer);
  hear(&transfer, "HTTP/1.1 103 Early Hints\r\n");
  hear(&transfer, "Retry-After: 9\r\n");
  CHECK_STR("9", transfer.reply.retry_after);
  hear(&transfer, "HTTP/1.1 200 OK\r\n"); /* what an interim reply said does not count */
  CHECK_STR("", transfer.reply.retry_after);
  hear(&transfer, "retry-after:\t 1 \r\n");
  hear(&transfer, "Retry-Afterwards: 2\r\n");
  hear(&transfer, "Retry-After\r\n");
  CHECK_STR("1", transfer.reply.retry_after);
  hear(&transfer, "Content-Encoding:\r\n");
  CHECK_STR("", transfer.reply.encoding);
  snprintf(line, sizeof line, "request-id: %0150d\r\n", 1); /* too long to be kept */
  hear(&transfer, line);
  CHECK_STR("", transfer.reply.request_id);
  transfer.header_bytes = AVP_MAX_HEADERS - 1;
  CHECK(on_header(line, 1, 2, &transfer) == 0);
  CHECK(transfer.reply.overflow == AVP_OVERFLOW_HEADERS);
}

static void test_body(void) {
  struct avp_transfer transfer;
  char text[8] = "1234567";
  memset(&transfer, 0, sizeof transfer);
  avp_buf_init(&transfer.reply.body, 8);
  CHECK(on_body(text, 1, 7, &transfer) == 7);
  CHECK(on_body(text, 1, 2, &transfer) == 0);
  CHECK(transfer.reply.overflow == AVP_OVERFLOW_BODY && !transfer.reply.out_of_memory);
  avp_buf_free(&transfer.reply.body);
  transfer.reply.overflow = AVP_OVERFLOW_NONE;
  avp_mem_fail_at(1);
  CHECK(on_body(text, 1, 7, &transfer) == 0);
  CHECK(transfer.reply.overflow == AVP_OVERFLOW_NONE && transfer.reply.out_of_memory);
}

static void test_begun_objects(void) {
  static const struct {
    const char *text;
    bool begun;
  } cases[] = {
      {"", false},           {"[1", false},          {"{", true},
      {"{}", false},         {"{\"a\":[1,2]", true}, {"{\"a\":\"}\"", true},
      {"{} x", false},       {"{\"a\\\"}", false},   {"{\"a\\\"}\"", true},
      {"{\"a\":[{}]", true}, {"{]", false},          {"{\"[\"", true},
  };
  char deep[1100];
  size_t i;
  for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    if (is_begun_object(cases[i].text, strlen(cases[i].text)) == cases[i].begun) continue;
    printf("# %s\n", cases[i].text);
    CHECK(!"a text is told from one that was cut short");
  }
  memset(deep, '[', sizeof deep);
  deep[0] = '{';
  CHECK(is_begun_object(deep, 1000) && !is_begun_object(deep, sizeof deep));
}

static long countdown; /* the allocation of libcurl's that fails; 0: none */

static bool curl_fails(void) { return countdown > 0 && --countdown == 0; }
static void *curl_malloc(size_t size) { return curl_fails() ? NULL : malloc(size); }
static void *curl_calloc(size_t n, size_t size) { return curl_fails() ? NULL : calloc(n, size); }
static void *curl_realloc(void *block, size_t size) {
  return curl_fails() ? NULL : realloc(block, size);
}
static char *curl_copy(const char *text) {
  char *copy = curl_malloc(strlen(text) + 1);
  return copy != NULL ? strcpy(copy, text) : NULL;
}

static const struct avp_request post = {.url = "https://127.0.0.1:1/batch",
                                        .body = "{}",
                                        .content_type = "application/json",
                                        .bearer = "a-token"};

/* Starts a transfer and gives it up; returns whether it started. */
static bool start(struct avp_transfer_settings *settings) {
  struct avp_transport *transport = avp_transport_new(settings, 1);
  struct avp_transfer *transfer =
      transport != NULL ? avp_transport_start(transport, &post, 0) : NULL;
  if (transfer != NULL) avp_transport_cancel(transport, transfer);
  avp_transport_free(transport);
  return transfer != NULL;
}

/* Each allocation on the way fails once: there is a transfer, or none, and nothing is left behind.
 */
static void test_no_memory(void) {
  struct avp_transfer_settings settings = {.user_agent = "test",
                                           .proxy = "http://127.0.0.1:1",
                                           .ca_file = "/nowhere",
                                           .connect_timeout_ms = 1000,
                                           .max_body = 1000};
  long failures = 0;
  long n;
  CHECK(start(&settings));
  for (n = 1; n < 100; n++) {
    bool started;
    avp_mem_fail_at(n);
    started = start(&settings);
    if (avp_mem_fail_at(0) > 0) break;
    CHECK(!started);
    failures++;
  }
  CHECK(failures > 3 && n < 100);
  for (n = 1; n < 1000; n++) {
    countdown = n;
    (void)start(&settings); /* libcurl itself does without some of its blocks */
    if (countdown > 0) break;
  }
  countdown = 0;
  CHECK(n > 10 && n < 1000);
  CHECK(start(&settings));
}

/* Opens a server on loopback and writes its URL; returns its socket. */
static int serve(char *url, size_t size) {
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t len = sizeof address;
  int server = socket(AF_INET, SOCK_STREAM, 0);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK_INT(0, bind(server, (struct sockaddr *)&address, sizeof address));
  CHECK_INT(0, listen(server, 1));
  CHECK_INT(0, getsockname(server, (struct sockaddr *)&address, &len));
  snprintf(url, size, "http://127.0.0.1:%d/", (int)ntohs(address.sin_port));
  return server;
}

/* On this an attempt goes on although its time is over. */
static void test_something_came_in(void) {
  static const char reply[] = "HTTP/1.1 204 No Content\r\n\r\n";
  char url[64];
  char asked[1024];
  int server = serve(url, sizeof url);
  int peer;
  int i;
  struct avp_transfer_settings settings = {
      .user_agent = "test", .connect_timeout_ms = 10000, .max_body = 1000};
  struct avp_request request = {.url = url};
  struct avp_transport *transport = avp_transport_new(&settings, 1);
  struct avp_transfer *transfer = avp_transport_start(transport, &request, avp_sys_now_ms());
  for (i = 0; i < 9; i++) { /* connects and sends; then all is quiet */
    avp_transport_perform(transport, avp_sys_now_ms());
    avp_transport_wait(transport, 20);
  }
  peer = accept(server, NULL, NULL);
  CHECK(recv(peer, asked, sizeof asked, 0) > 0);
  CHECK(!avp_transport_perform(transport, avp_sys_now_ms()));
  CHECK(send(peer, reply, sizeof reply - 1, 0) > 0);
  avp_transport_wait(transport, 10000);
  CHECK(avp_transport_perform(transport, avp_sys_now_ms()));
  CHECK(!transfer->running && transfer->reply.status == 204);
  avp_transport_cancel(transport, transfer);
  avp_transport_free(transport);
  close(peer);
  close(server);
}

/* Somebody has closed the set: nothing would ever wake the transfers in flight. They end, and the
 * next one gets a set of its own. */
static void test_closed_set(void) {
  char url[64];
  int server = serve(url, sizeof url);
  struct avp_transfer_settings settings = {
      .user_agent = "test", .connect_timeout_ms = 10000, .max_body = 1000};
  struct avp_request request = {.url = url};
  struct avp_transport *transport = avp_transport_new(&settings, 1);
  struct avp_transfer *transfer = avp_transport_start(transport, &request, avp_sys_now_ms());
  struct avp_transfer *next;
  avp_transport_perform(transport, avp_sys_now_ms());
  CHECK(transfer->running);
  close(avp_transport_fd(transport));
  avp_transport_perform(transport, avp_sys_now_ms());
  CHECK(!transfer->running);
  CHECK_INT(CURLE_SEND_ERROR, transfer->reply.result);
  CHECK_INT(-1, avp_transport_fd(transport)); /* the number may be somebody else's by now */
  next = avp_transport_start(transport, &request, avp_sys_now_ms());
  CHECK(next != NULL && avp_transport_fd(transport) >= 0);
  avp_transport_perform(transport, avp_sys_now_ms());
  CHECK(next->running);
  avp_transport_cancel(transport, transfer);
  avp_transport_cancel(transport, next);
  avp_transport_free(transport);
  close(server);
}

/* Runs two transfers with the n-th allocation of libcurl's failing. Returns whether one ended for
 * that. */
static bool runs_out(const char *url, long n) {
  struct avp_transfer_settings settings = {
      .user_agent = "test", .connect_timeout_ms = 10000, .max_body = 1000};
  struct avp_request request = {.url = url};
  struct avp_transport *transport = avp_transport_new(&settings, 2);
  struct avp_transfer *two[2];
  bool ended = false;
  int i;
  for (i = 0; i < 2; i++) two[i] = avp_transport_start(transport, &request, avp_sys_now_ms());
  countdown = n;
  for (i = 0; i < 9 && !ended; i++) {
    avp_transport_perform(transport, avp_sys_now_ms());
    ended =
        two[0]->reply.result == CURLE_OUT_OF_MEMORY || two[1]->reply.result == CURLE_OUT_OF_MEMORY;
  }
  countdown = 0;
  if (ended) CHECK(!two[0]->running && !two[1]->running);
  for (i = 0; i < 2; i++) avp_transport_cancel(transport, two[i]);
  avp_transport_free(transport);
  return ended;
}

/* A half-made connection may stay behind where memory ran out, for which others would wait in vain:
 * all transfers of the pool end with the one that ran out. */
static void test_out_of_memory_ends_all(void) {
  char url[64];
  int server = serve(url, sizeof url);
  int ended = 0;
  long n;
  for (n = 1; n < 200; n++) ended += runs_out(url, n);
  CHECK(ended > 3);
  close(server);
}

/* The child of a fork keeps no descriptor that it has no use for. */
static void test_fork(void) {
  struct avp_transfer_settings settings = {
      .user_agent = "test", .connect_timeout_ms = 1000, .max_body = 1000};
  struct avp_transport *transport = avp_transport_new(&settings, 1);
  struct avp_transfer *transfer = avp_transport_start(transport, &post, 0);
  int set = avp_transport_fd(transport);
  char word = '?';
  int answer[2]; /* not the child's exit code: a checker makes that its own */
  pid_t child;
  CHECK(set >= 0 && !avp_transport_forked(transport));
  CHECK_INT(0, pipe(answer));
  child = fork();
  if (child == 0) {
    bool closed = avp_transport_forked(transport) && fcntl(set, F_GETFD) < 0;
    _exit(write(answer[1], closed && avp_transport_fd(transport) < 0 ? "y" : "n", 1) != 1);
  }
  CHECK(child > 0 && waitpid(child, NULL, 0) == child);
  CHECK(read(answer[0], &word, 1) == 1 && word == 'y');
  close(answer[0]);
  close(answer[1]);
  CHECK(fcntl(set, F_GETFD) >= 0); /* the parent's is still open */
  avp_transport_cancel(transport, transfer);
  avp_transport_free(transport);
}

static const struct check_test tests[] = {
    {"transfer: headers", test_headers},
    {"transfer: a body has a limit", test_body},
    {"transfer: objects that have begun", test_begun_objects},
    {"transfer: without memory", test_no_memory},
    {"transport: whether something came in", test_something_came_in},
    {"transport: without memory all transfers of a pool end", test_out_of_memory_ends_all},
    {"transport: a set that somebody closed", test_closed_set},
    {"transport: the child of a fork", test_fork},
};

int main(void) {
  int failed;
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, free, curl_realloc, curl_copy,
                       curl_calloc);
  failed = check_run(tests, sizeof tests / sizeof tests[0]);
  curl_global_cleanup();
  return failed;
}
