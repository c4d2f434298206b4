/* json.c - decodes replies, and says why a reply is no JSON (json.h).
 * SPDX-License-Identifier: MIT */
#include "json.h"

int json_decode(lua_State *L, int state, const char *what, struct avp_err *err) {
  int result;
  const char *message;
  size_t len;
  const char *data = lua_tolstring(L, -1, &len);
  lua_getfield(L, state, "decode");
  lua_pushvalue(L, -2);
  result = lua_pcall(L, 1, 1, 0);
  if (result == 0) {
    lua_replace(L, -2);
    return 1;
  }
  message = lua_tostring(L, -1);
  if (result == LUA_ERRMEM) {
    avp_err_set(err, AVP_ERR_MEMORY, "out of memory");
  } else if (message != NULL && strstr(message, "nested") != NULL) {
    avp_err_set(err, AVP_ERR_LIMIT, "%s is nested too deep (more than %d levels)", what,
                JSON_DEPTH);
  } else if (len > 0 && data[strspn(data, " \t\r\n")] == '<') {
    avp_err_set(err, AVP_ERR_PROTOCOL,
                "%s is a web page, not JSON: check base_url, token_url "
                "and proxies in between",
                what);
  } else {
    if (message == NULL) message = "";
    avp_err_set(err, AVP_ERR_PROTOCOL, "%s is not JSON: %.200s", what,
                len > 0 ? message : "it is empty");
  }
  lua_pop(L, 2);
  return 0;
}
