/* torture.c - lets memory run out at one place after another while a script lists customers.
 *
 * usage: torture SCRIPT KIND FIRST STRIDE [LAST]
 *        torture SCRIPT lua places TIMES
 *
 * The script is run in a new Lua state for n = FIRST, FIRST + STRIDE, ... It calls arm() where
 * failing is to begin; from there on the n-th allocation fails, of Lua (KIND lua), of the core
 * (core), of libcurl (curl) or none (none), until a run ends without having met a failure. Lua asks
 * a second time after collecting garbage, so there the next one fails too. Its global `run` is n.
 * With `places`, an allocation fails only if fewer than TIMES have failed before that were asked
 * for at the same place: the same lines of Lua called one another, and the same calls of ours.
 * After each run everything must have been given back. The module is linked in, so that its
 * allocator can be reached.
 *
 * SPDX-License-Identifier: MIT */
#include <curl/curl.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <malloc.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ground/mem.h"

int luaopen_avepoint_core(lua_State *L);
enum kind { KIND_LUA, KIND_CORE, KIND_CURL, KIND_NONE };

static struct {
  enum kind kind;
  long n;        /* which allocation is to fail */
  long count;    /* allocations of that kind since arm() */
  long failures; /* how many of them failed */
  long row;      /* how many in a row fail */
  int armed;
} plan;

static size_t lua_bytes; /* in use by the Lua state */

#define PLACES 8192

/* How often an allocation has failed at a place, by the place's hash. */
static struct {
  long times; /* how often each may; 0: places do not matter */
  lua_State *L;
  unsigned long hashes[PLACES];
  long failed[PLACES];
} places;

static unsigned long hash_of(unsigned long hash, unsigned long value) {
  return (hash ^ value) * 1099511628211UL; /* FNV-1a, by words */
}

/* Hashes the running Lua functions' files and lines, and which calls of this program led here.
 * Lua's own functions and those of libraries do not count: they may lie elsewhere in each run. */
static unsigned long hash_place(size_t type) {
  extern char __executable_start;
  extern char etext;
  unsigned long hash = hash_of(14695981039346656037UL, type);
  void *calls[64];
  int n = backtrace(calls, 64);
  lua_Debug ar;
  int i;
  for (i = 0; i < n; i++) {
    if ((char *)calls[i] < &__executable_start || (char *)calls[i] > &etext) continue;
    hash = hash_of(hash, (unsigned long)((char *)calls[i] - &__executable_start));
  }
  for (i = 0; lua_getstack(places.L, i, &ar); i++) {
    const char *c;
    lua_getinfo(places.L, "Sl", &ar);
    for (c = ar.short_src; *c != '\0'; c++) hash = hash_of(hash, (unsigned char)*c);
    hash = hash_of(hash, (unsigned long)ar.currentline);
  }
  return hash;
}

/* Notes that an allocation fails there, unless enough have. */
static int may_fail_at(unsigned long hash) {
  size_t i = hash % PLACES;
  while (places.failed[i] > 0 && places.hashes[i] != hash) i = (i + 1) % PLACES;
  if (places.failed[i] >= places.times) return 0;
  places.hashes[i] = hash;
  places.failed[i]++;
  return 1;
}

/* `type` is 0 or the type of what is made. */
static int fails(enum kind kind, size_t type) {
  if (!plan.armed || kind != plan.kind) return 0;
  plan.count++;
  if (plan.count < plan.n || plan.count >= plan.n + plan.row) return 0;
  if (places.times > 0 && plan.count == plan.n && !may_fail_at(hash_place(type))) {
    plan.n++;
    return 0;
  }
  plan.failures++;
  return 1;
}

/* Lua and libcurl wipe nothing: this does it for them, so that what is left of a secret is ours. */
static void wipe_and_free(void *block) {
  if (block != NULL) avp_wipe(block, malloc_usable_size(block));
  free(block);
}

static void *wiping_realloc(void *block, size_t size) {
  size_t old = block != NULL ? malloc_usable_size(block) : 0;
  void *moved = malloc(size);
  if (moved == NULL) return NULL;
  if (old > 0) memcpy(moved, block, old < size ? old : size);
  wipe_and_free(block);
  return moved;
}

/* What stands before a block of Lua's. */
struct head {
  struct head *next;
  size_t type;
  double aligned[];
};

/* Userdata that Lua has given back stay as they were until the run is over, since what the module
 * has left there is not Lua's. Lua 5.1 does not tell which blocks they are. */
static struct head *userdata;

static void free_userdata(void) {
  while (userdata != NULL) {
    struct head *next = userdata->next;
    free(userdata);
    userdata = next;
  }
}

static void give_back(struct head *head) {
  if (head == NULL || head->type != LUA_TUSERDATA) {
    wipe_and_free(head);
    return;
  }
  head->next = userdata;
  userdata = head;
}

static void *lua_alloc(void *user, void *block, size_t old, size_t size) {
  struct head *head = NULL;
  size_t type = block == NULL ? old : 0; /* Lua's convention */
  (void)user;
  if (block == NULL) old = 0;
  if (block != NULL) head = (struct head *)(void *)((char *)block - offsetof(struct head, aligned));
  if (size == 0) {
    give_back(head);
    lua_bytes -= old;
    return NULL;
  }
  if (size > old && fails(KIND_LUA, type)) return NULL; /* shrinking must not fail */
  head = wiping_realloc(head, sizeof *head + size);
  if (head == NULL) return NULL;
  if (block == NULL) head->type = type;
  lua_bytes += size - old;
  return head->aligned;
}

static void *curl_malloc(size_t size) { return fails(KIND_CURL, 0) ? NULL : malloc(size); }
static void *curl_calloc(size_t n, size_t size) {
  return fails(KIND_CURL, 0) ? NULL : calloc(n, size);
}
static void *curl_realloc(void *block, size_t size) {
  return fails(KIND_CURL, 0) ? NULL : wiping_realloc(block, size);
}
static char *curl_strdup(const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = curl_malloc(size);
  if (copy != NULL) memcpy(copy, text, size);
  return copy;
}

/* Lua: arm(): from here on allocations may fail */
static int arm(lua_State *L) {
  (void)L;
  plan.armed = 1;
  plan.count = 0;
  if (plan.kind == KIND_CORE) avp_mem_fail_at(plan.n);
  return 0;
}

/* Lua: disarm(): from here on none does */
static int disarm(lua_State *L) {
  long left = avp_mem_fail_at(0);
  (void)L;
  if (plan.armed && plan.kind == KIND_CORE && left == 0) plan.failures = 1;
  plan.armed = 0;
  return 0;
}

/* Lua: fork() -> the child's id, or 0 in the child */
static int lua_fork(lua_State *L) {
  fflush(stdout);
  lua_pushinteger(L, (lua_Integer)fork());
  return 1;
}

/* Lua: held(text) -> how often that stands in what this process may write to */
static int lua_held(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  FILE *maps = fopen("/proc/self/maps", "r");
  char line[512];
  long n = 0;
  while (maps != NULL && fgets(line, sizeof line, maps) != NULL) {
    unsigned long from;
    unsigned long to;
    const char *at;
    if (sscanf(line, "%lx-%lx rw", &from, &to) != 2 || strstr(line, " rw") == NULL) continue;
    if (strstr(line, "[v") != NULL) continue; /* the kernel's */
    for (at = (const char *)from; at + len <= (const char *)to; at++) {
      at = memchr(at, text[0], (size_t)((const char *)to - at) - len + 1);
      if (at == NULL) break;
      n += memcmp(at, text, len) == 0;
    }
  }
  if (maps != NULL) fclose(maps);
  lua_pushinteger(L, (lua_Integer)n);
  return 1;
}

/* Lua: wait(id) -> exit status of a child */
static int lua_wait(lua_State *L) {
  int status = -1;
  waitpid((pid_t)luaL_checkinteger(L, 1), &status, 0);
  lua_pushinteger(L, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
  return 1;
}

static void preload(lua_State *L) {
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "preload");
  lua_pushcfunction(L, luaopen_avepoint_core);
  lua_setfield(L, -2, "avepoint.core");
  lua_pop(L, 2);
}

/* Gives whether the script ended as it should. */
static int run(const char *script) {
  lua_State *L = lua_newstate(lua_alloc, NULL);
  int ok;
  if (L == NULL) return 0;
  places.L = L;
  luaL_openlibs(L);
  preload(L);
  lua_register(L, "arm", arm);
  lua_register(L, "disarm", disarm);
  lua_register(L, "fork", lua_fork);
  lua_register(L, "wait", lua_wait);
  lua_register(L, "held", lua_held);
  lua_pushinteger(L, (lua_Integer)plan.n);
  lua_setglobal(L, "run");
  ok = luaL_loadfile(L, script) == 0 && lua_pcall(L, 0, 0, 0) == 0;
  disarm(L);
  if (!ok) printf("%ld: %s\n", plan.n, lua_tostring(L, -1));
  lua_close(L);
  free_userdata();
  return ok;
}

/* No run waits for anything but the simulator, which answers at once. */
static int check_time(time_t begun) {
  double seconds = difftime(time(NULL), begun);
  if (seconds < 20) return 1;
  printf("%ld: took %.0f seconds\n", plan.n, seconds);
  return 0;
}

static int check_given_back(void) {
  if (lua_bytes == 0 && avp_mem_live() == 0) return 1;
  printf("%ld: %lu bytes of Lua and %ld blocks of the core are left\n", plan.n,
         (unsigned long)lua_bytes, avp_mem_live());
  return 0;
}

/* lua-cjson forgets a buffer when memory runs out while it decodes. Where it stays mapped, a leak
 * checker can tell its leaks from ours. */
static void keep_cjson(void) {
  lua_State *L = luaL_newstate();
  if (L == NULL) return;
  luaL_openlibs(L);
  if (luaL_dostring(
          L, "return package.searchpath and package.searchpath('cjson', package.cpath)") == 0 &&
      lua_isstring(L, -1)) {
    (void)dlopen(lua_tostring(L, -1), RTLD_LAZY | RTLD_NODELETE);
  }
  lua_close(L);
}

int main(int argc, char **argv) {
  static const char *const kinds[] = {"lua", "core", "curl", "none", NULL};
  long stride = argc > 4 ? atol(argv[4]) : 1;
  long last = argc > 5 ? atol(argv[5]) : 1000000;
  long bad = 0;
  long runs = 0;
  if (argc < 4) return 2;
  while (kinds[plan.kind] != NULL && strcmp(kinds[plan.kind], argv[2]) != 0) plan.kind++;
  plan.row = plan.kind == KIND_LUA ? 2 : 1;
  if (strcmp(argv[3], "places") == 0) {
    places.times = stride;
    stride = 1;
  }
  curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, wipe_and_free, curl_realloc, curl_strdup,
                       curl_calloc);
  keep_cjson();
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (plan.n = places.times > 0 ? 1 : atol(argv[3]); plan.n <= last; plan.n += stride) {
    time_t begun = time(NULL);
    plan.failures = 0;
    bad += !run(argv[1]);
    bad += !check_time(begun);
    bad += !check_given_back();
    runs++;
    if (plan.failures == 0) break;
  }
  printf("%ld runs up to allocation %ld, %ld bad\n", runs, plan.n, bad);
  return bad != 0;
}
