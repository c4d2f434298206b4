/* settings.c - reads settings field by field; what is wrong raises (settings.h).
 * SPDX-License-Identifier: MIT */
#include "settings.h"

#include "../core/list/pager.h"
#include "../core/requests/token.h"
#include "error.h"

#define SECONDS_MAX 1e9

void settings_push(lua_State *L, int table, const char *name) {
  error_check_stack(L, 2);
  lua_pushstring(L, name);
  lua_rawget(L, table);
}

static int wrong(lua_State *L, const char *name, const char *expected) {
  return luaL_error(L, "avepoint: the setting %s is not %s", name, expected);
}

bool settings_has(lua_State *L, int table, const char *name) {
  bool has;
  settings_push(L, table, name);
  has = lua_toboolean(L, -1) != 0;
  lua_pop(L, 1);
  return has;
}

const char *settings_text(lua_State *L, int table, const char *name) {
  const char *text;
  settings_push(L, table, name);
  if (lua_isnil(L, -1)) return NULL;
  text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  if (text[0] == '\0' || strlen(text) != lua_rawlen(L, -1)) wrong(L, name, "a text");
  return text;
}

const char *settings_need_text(lua_State *L, int table, const char *name) {
  const char *text = settings_text(L, table, name);
  if (text == NULL) wrong(L, name, "there");
  return text;
}

/* Returns the number of a field, 0 to `max`, or -1 if it is absent. */
static double number(lua_State *L, int table, const char *name, double max) {
  double n = -1;
  settings_push(L, table, name);
  if (!lua_isnil(L, -1)) {
    n = lua_type(L, -1) == LUA_TNUMBER ? lua_tonumber(L, -1) : -1;
    if (!(n >= 0 && n <= max)) wrong(L, name, "a number in its range");
  }
  lua_pop(L, 1);
  return n;
}

int64_t settings_ms_of(double seconds) {
  if (!(seconds > 0)) return 0; /* nor not a number */
  return (int64_t)ceil((seconds < SECONDS_MAX ? seconds : SECONDS_MAX) * 1000);
}

int64_t settings_ms(lua_State *L, int table, const char *name, int64_t absent) {
  double seconds = number(L, table, name, SECONDS_MAX);
  if (seconds < 0) return absent >= 0 ? absent : wrong(L, name, "there");
  return seconds > 0 && seconds < 0.001 ? 1 : (int64_t)(seconds * 1000);
}

long settings_whole(lua_State *L, int table, const char *name, long max, long absent) {
  double n = number(L, table, name, (double)max);
  if (n < 0 && absent > 0) return absent;
  if (n < 1 || floor(n) != n) wrong(L, name, "a whole number above 0");
  return (long)n;
}

int settings_word(lua_State *L, int table, const char *name, const char *const *words, int absent) {
  const char *text = settings_text(L, table, name);
  int i = 0;
  while (text != NULL && words[i] != NULL && strcmp(words[i], text) != 0) i++;
  if (text == NULL ? absent < 0 : words[i] == NULL) wrong(L, name, "one of its words");
  lua_pop(L, 1);
  return text == NULL ? absent : i;
}

enum avp_endpoint settings_endpoint(lua_State *L, int table, enum avp_endpoint absent) {
  static const char *const words[] = {"auto", "get", "batch", NULL}; /* as enum avp_endpoint */
  return (enum avp_endpoint)settings_word(L, table, "endpoint", words, (int)absent);
}

/* The credential is the first of the three that is there. */
static const char *read_credential(lua_State *L, int table, struct avp_settings *settings) {
  static const char *const names[] = {"client_secret", "client_assertion", "access_token"};
  const char *text;
  int kind = 0;
  while (kind < 2 && !settings_has(L, table, names[kind])) kind++;
  settings->credential = (enum avp_credential)kind; /* the names are in its order */
  if (kind == AVP_CREDENTIAL_SECRET && settings->client_id == NULL) wrong(L, "client_id", "there");
  settings_push(L, table, names[kind]);
  settings->credential_is_function = lua_isfunction(L, -1);
  if (settings->credential_is_function) return NULL;
  text = settings_need_text(L, table, names[kind]);
  if (kind == AVP_CREDENTIAL_TOKEN && !avp_token_is_valid(text, strlen(text))) {
    wrong(L, names[kind], "a token");
  }
  return text;
}

const char *settings_client(lua_State *L, int table, struct avp_settings *settings) {
  memset(settings, 0, sizeof *settings);
  settings->transfer.ca_file = settings_text(L, table, "ca_file");
  settings->transfer.ca_bundle = settings_text(L, table, "ca_bundle");
  settings->transfer.ca_dir = settings_text(L, table, "ca_dir");
  settings->transfer.proxy = settings_text(L, table, "proxy");
  settings->transfer.user_agent = settings_need_text(L, table, "user_agent");
  settings->transfer.connect_timeout_ms = settings_ms(L, table, "connect_timeout", -1);
  settings->transfer.max_body = (size_t)settings_whole(L, table, "max_body", SETTINGS_MAX, 0);
  settings->token_url = settings_need_text(L, table, "token_url");
  settings->client_id = settings_text(L, table, "client_id");
  settings->scope = settings_need_text(L, table, "scope");
  settings->scope_source = settings_text(L, table, "scope_source");
  settings->token_store = settings_has(L, table, "token_store");
  settings->timeout_ms = settings_ms(L, table, "timeout", -1);
  settings->retry.max_attempts = (int)settings_whole(L, table, "max_attempts", SETTINGS_MAX, 0);
  settings->retry.max_wait_ms = settings_ms(L, table, "max_retry_wait", -1);
  settings->concurrency = (int)settings_whole(L, table, "concurrency", AVP_WIDTH_MAX, 0);
  return read_credential(L, table, settings);
}
