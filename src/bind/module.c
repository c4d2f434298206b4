/* module.c - opens the C module avepoint.core: registers its types, functions and constants.
 * SPDX-License-Identifier: MIT */
#include "../core/ground/sys.h"
#include "../core/ground/text.h"
#include "../core/ground/version.h"
#include "../core/wire/transport.h"
#include "../core/wire/url.h"
#include "client.h"
#include "credentials.h"
#include "error.h"
#include "fields.h"
#include "json.h"
#include "listing.h"
#include "object.h"
#include "output.h"

/* Lua: core.library() -> table: what this process's libcurl is and can do */
static int core_library(lua_State *L) {
  const curl_version_info_data *info = curl_version_info(CURLVERSION_NOW);
  lua_createtable(L, 0, 10);
  set_text(L, "version", info->version);
  set_text(L, "tls_version", info->ssl_version);
  set_boolean(L, "async_dns", info->features & CURL_VERSION_ASYNCHDNS);
  set_boolean(L, "http2", info->features & CURL_VERSION_HTTP2);
  set_boolean(L, "brotli", info->features & CURL_VERSION_BROTLI);
  set_boolean(L, "gzip", info->features & CURL_VERSION_LIBZ);
  set_boolean(L, "tls", info->features & CURL_VERSION_SSL);
  set_boolean(L, "ipv6", info->features & CURL_VERSION_IPV6);
  set_text(L, "built_for", AVP_BUILT_FOR);
  return 1;
}

/* Lua: core.check_url(url, what) -> nil, or why no client may send to it; `what` names it */
static int core_check_url(lua_State *L) {
  struct avp_err err;
  if (avp_url_check(luaL_checkstring(L, 1), luaL_checkstring(L, 2), &err)) return 0;
  lua_pushstring(L, err.message);
  return 1;
}

/* Lua: core.check_path(path, posted) -> nil, or what is wrong with this path below base_url */
static int core_check_path(lua_State *L) {
  lua_pushstring(L, avp_url_refuse_path(luaL_checkstring(L, 1), lua_toboolean(L, 2)));
  return 1;
}

/* Lua: core.check_proxy(proxy) -> nil, or why it is none */
static int core_check_proxy(lua_State *L) {
  struct avp_err err;
  if (avp_url_check_proxy(luaL_checkstring(L, 1), &err)) return 0;
  lua_pushstring(L, err.message);
  return 1;
}

/* Lua: core.printable_url(url) -> it without user, password and query, as errors show it */
static int core_printable_url(lua_State *L) {
  struct avp_err err;
  avp_url_for_print(luaL_checkstring(L, 1), err.url, sizeof err.url);
  lua_pushstring(L, err.url);
  return 1;
}

/* Lua: core.clean(text) -> it without what would steer a terminal */
static int core_clean(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  char *copy = lua_newuserdata(L, len + 1);
  memcpy(copy, text, len);
  lua_pushlstring(L, copy, avp_text_clean(copy, len));
  return 1;
}

/* Lua: core.utf8(text) -> it with U+FFFD in place of all that is no UTF-8 */
static int core_utf8(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  size_t good = 0; /* bytes up to which all is well, and in the buffer */
  size_t i = 0;
  luaL_Buffer buffer;
  luaL_buffinit(L, &buffer);
  while (i < len) {
    int size = avp_text_character(text + i, len - i);
    if (size < 0) {
      luaL_addlstring(&buffer, text + good, i - good);
      luaL_addlstring(&buffer, "\xEF\xBF\xBD", 3);
      good = i + (size_t)-size;
    }
    i += (size_t)(size < 0 ? -size : size);
  }
  luaL_addlstring(&buffer, text + good, len - good);
  luaL_pushresult(&buffer);
  return 1;
}

/* Lua: core.fit(text, most) -> the columns that a clean text takes, at most `most` (nil: all), and
 * how many of its bytes these are */
static int core_fit(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  lua_Number most = luaL_optnumber(L, 2, HUGE_VAL);
  size_t columns;
  size_t room = most < 1e9 ? (size_t)(most > 0 ? most : 0) : SIZE_MAX / 2;
  size_t fitting = avp_text_fit(text, len, room, &columns);
  lua_pushinteger(L, (lua_Integer)columns);
  lua_pushinteger(L, (lua_Integer)fitting);
  return 2;
}

/* Lua: core.terminal_columns(file) -> columns of the terminal that a file is, 0 if none */
static int core_terminal_columns(lua_State *L) {
  FILE *file = avp_open_file(L, 1);
  lua_pushinteger(L, file != NULL ? avp_sys_terminal_columns(file) : 0);
  return 1;
}

/* Lua: core.now() -> seconds by a clock that is never set */
static int core_now(lua_State *L) {
  lua_pushnumber(L, (double)avp_sys_now_ms() / 1000);
  return 1;
}

static const luaL_Reg functions[] = {
    {"library", core_library},
    {"check_url", core_check_url},
    {"check_path", core_check_path},
    {"check_proxy", core_check_proxy},
    {"printable_url", core_printable_url},
    {"now", core_now},
    {"clean", core_clean},
    {"utf8", core_utf8},
    {"fit", core_fit},
    {"terminal_columns", core_terminal_columns},
    {NULL, NULL},
};

AVP_EXPORT int luaopen_avepoint_core(lua_State *L);

int luaopen_avepoint_core(lua_State *L) {
  luaL_checkversion(L); /* raises if another Lua could load this object */
  if (!avp_transport_global_init()) return luaL_error(L, "avepoint: libcurl cannot be initialised");
  avp_sys_pin_module();
  lua_newtable(L);
  luaL_setfuncs(L, functions, 0);
  error_open(L);
  client_open(L);
  credentials_functions(L);
  object_open(L);
  listing_open(L);
  output_open(L);
  set_text(L, "version", AVP_VERSION);
  set_number(L, "json_depth", JSON_DEPTH, 0);
  return 1;
}
