/* floor.c - the floor that nothing can be faster than: libcurl and lua-cjson with nothing between.
 *
 * usage: floor IN_FLIGHT
 *
 * Signs in, reads page 1, then all others with so many in flight, decodes each into Lua tables as
 * it arrives, counts the customers that failed and prints how many. No retries, no checks, no
 * order. SPDX-License-Identifier: MIT */
#include <curl/curl.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define IN_FLIGHT_MAX 64
#define PAGE_SIZE     100

struct reply {
  char *bytes;
  size_t len;
  size_t room;
  CURL *easy;
};

static lua_State *L;
static struct curl_slist *headers;
static long failed;
static long total;

static void die(const char *what) {
  fprintf(stderr, "floor: %s\n", what);
  exit(1);
}

static const char *from_environment(const char *name) {
  const char *value = getenv(name);
  if (value == NULL) die(name);
  return value;
}

static size_t take(char *bytes, size_t size, size_t n, void *to) {
  struct reply *reply = to;
  if (reply->len + n > reply->room) {
    reply->room = 2 * (reply->len + n);
    reply->bytes = realloc(reply->bytes, reply->room);
    if (reply->bytes == NULL) die("out of memory");
  }
  memcpy(reply->bytes + reply->len, bytes, n);
  reply->len += n;
  return size * n;
}

static void set_up(struct reply *reply) {
  memset(reply, 0, sizeof *reply);
  reply->easy = curl_easy_init();
  curl_easy_setopt(reply->easy, CURLOPT_CAINFO, from_environment("AVEPOINT_CA_FILE"));
  curl_easy_setopt(reply->easy, CURLOPT_ACCEPT_ENCODING, "");
  curl_easy_setopt(reply->easy, CURLOPT_PIPEWAIT, 1L);
  curl_easy_setopt(reply->easy, CURLOPT_WRITEFUNCTION, take);
  curl_easy_setopt(reply->easy, CURLOPT_WRITEDATA, reply);
  curl_easy_setopt(reply->easy, CURLOPT_PRIVATE, reply);
}

/* Leaves the decoded reply on the stack. */
static void decode(struct reply *reply) {
  long status = 0;
  curl_easy_getinfo(reply->easy, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) die("status is not 200");
  lua_getfield(L, LUA_REGISTRYINDEX, "decode");
  lua_pushlstring(L, reply->bytes, reply->len);
  reply->len = 0;
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) die(lua_tostring(L, -1));
}

static void count_page(struct reply *reply) {
  lua_Integer i;
  lua_Integer n;
  decode(reply);
  lua_getfield(L, -1, "metadata");
  lua_getfield(L, -1, "totalCount");
  total = (long)lua_tonumber(L, -1);
  lua_pop(L, 2);
  lua_getfield(L, -1, "data");
  n = luaL_len(L, -1);
  for (i = 1; i <= n; i++) {
    const char *status;
    lua_rawgeti(L, -1, i);
    lua_getfield(L, -1, "jobStatus");
    status = lua_tostring(L, -1);
    if (status != NULL && strcmp(status, "Failed") == 0) failed++;
    lua_pop(L, 2);
  }
  lua_pop(L, 2);
}

static void sign_in(void) {
  struct reply reply;
  char form[512];
  char header[1024];
  set_up(&reply);
  snprintf(form, sizeof form,
           "grant_type=client_credentials&scope=elements.customers.read.all&client_id=%s"
           "&client_secret=%s",
           from_environment("AVEPOINT_CLIENT_ID"), from_environment("AVEPOINT_CLIENT_SECRET"));
  curl_easy_setopt(reply.easy, CURLOPT_URL, from_environment("AVEPOINT_TOKEN_URL"));
  curl_easy_setopt(reply.easy, CURLOPT_POSTFIELDS, form);
  if (curl_easy_perform(reply.easy) != CURLE_OK) die("no token");
  decode(&reply);
  lua_getfield(L, -1, "access_token");
  snprintf(header, sizeof header, "Authorization: Bearer %s", lua_tostring(L, -1));
  lua_pop(L, 2);
  headers = curl_slist_append(NULL, header);
  curl_easy_cleanup(reply.easy);
  free(reply.bytes);
}

static void ask(CURLM *multi, struct reply *reply, long page) {
  char url[512];
  snprintf(url, sizeof url, "%s/partner/external/v3/general/customers?pageIndex=%ld&pageSize=%d",
           from_environment("AVEPOINT_BASE_URL"), page, PAGE_SIZE);
  curl_easy_setopt(reply->easy, CURLOPT_URL, url);
  curl_easy_setopt(reply->easy, CURLOPT_HTTPHEADER, headers);
  curl_multi_add_handle(multi, reply->easy);
}

/* Waits for a page that has arrived whole. */
static struct reply *next_arrived(CURLM *multi) {
  for (;;) {
    struct reply *reply;
    CURLMsg *message;
    int left;
    int running;
    curl_multi_perform(multi, &running);
    message = curl_multi_info_read(multi, &left);
    if (message != NULL) {
      if (message->data.result != CURLE_OK) die(curl_easy_strerror(message->data.result));
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &reply);
      curl_multi_remove_handle(multi, reply->easy);
      return reply;
    }
    curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
}

int main(int argc, char **argv) {
  struct reply replies[IN_FLIGHT_MAX];
  int most = argc == 2 ? atoi(argv[1]) : 0;
  CURLM *multi;
  long asked = 1;
  long got = 0;
  int i;
  if (most < 1 || most > IN_FLIGHT_MAX) {
    fprintf(stderr, "usage: floor IN_FLIGHT\n");
    return 2;
  }
  curl_global_init(CURL_GLOBAL_ALL);
  L = luaL_newstate();
  luaL_openlibs(L);
  if (luaL_dostring(L, "return require('cjson').decode") != LUA_OK) die(lua_tostring(L, -1));
  lua_setfield(L, LUA_REGISTRYINDEX, "decode");
  multi = curl_multi_init();
  sign_in();
  for (i = 0; i < most; i++) set_up(&replies[i]);
  ask(multi, &replies[0], 1);
  count_page(next_arrived(multi));
  for (i = 0; i < most && asked * PAGE_SIZE < total; i++) ask(multi, &replies[i], ++asked);
  for (got = 1; got < asked; got++) {
    struct reply *reply = next_arrived(multi);
    count_page(reply);
    if (asked * PAGE_SIZE < total) ask(multi, reply, ++asked);
  }
  printf("%ld\n", failed);
  return 0;
}
