/* config.c - see config.h.
 *
 * SPDX-License-Identifier: MIT */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "../core/ground/mem.h"
#include "../core/list/pager.h"
#include "../core/requests/token.h"
#include "../core/wire/url.h"

#define DEFAULT_SCOPE "elements.customers.read.all"

static const char *const environment_words[] = {"commercial", "usgov", "aos2", "fedramp", NULL};

static const struct {
  const char *token_url;
  const char *base_url;
} environments[] = {
    {"https://identity.avepointonlineservices.com/connect/token",
     "https://graph.avepointonlineservices.com"},
    {"https://identity-gov.avepointonlineservices.com/connect/token",
     "https://graph-gov.avepointonlineservices.com"},
    {"https://identity-aos2.avepointonlineservices.com/connect/token",
     "https://graph-aos2.avepointonlineservices.com"},
    {"https://identity.online15.net/connect/token", "https://graphusgovapi.online15.net"},
};

const char *const endpoint_words[] = {"auto", "get", "batch", NULL};

static const char *const log_words[] = {"warn", "info", "debug", NULL};

static const char *const log_formats[] = {"text", "json", NULL};

const struct option client_options[] = {
    {"client_id", OPTION_STRING, 0, 0, NULL},
    {"client_secret", OPTION_STRING_OR_FUNCTION, 0, 0, NULL},
    {"certificate", OPTION_STRING, 0, 0, NULL},
    {"private_key", OPTION_STRING, 0, 0, NULL},
    {"certificate_password", OPTION_STRING, 0, 0, NULL},
    {"client_assertion", OPTION_FUNCTION, 0, 0, NULL},
    {"access_token", OPTION_STRING_OR_FUNCTION, 0, 0, NULL},
    {"environment", OPTION_WORD, 0, 0, environment_words},
    {"base_url", OPTION_STRING, 0, 0, NULL},
    {"token_url", OPTION_STRING, 0, 0, NULL},
    {"scope", OPTION_STRING, 0, 0, NULL},
    {"endpoint", OPTION_WORD, 0, 0, endpoint_words},
    {"ca_file", OPTION_STRING, 0, 0, NULL},
    {"proxy", OPTION_STRING, 0, 0, NULL},
    {"connect_timeout", OPTION_SECONDS, 0, 0, NULL},
    {"timeout", OPTION_SECONDS, 0, 0, NULL},
    {"deadline", OPTION_SECONDS, 0, 0, NULL},
    {"max_attempts", OPTION_INTEGER, 1, 100, NULL},
    {"max_retry_wait", OPTION_WAIT, 0, 0, NULL},
    {"max_body", OPTION_INTEGER, 1, 2147483647, NULL},
    {"concurrency", OPTION_INTEGER, 1, AVP_WIDTH_MAX, NULL},
    {"driver", OPTION_STRING_OR_TABLE, 0, 0, NULL},
    {"token_store", OPTION_STRING_OR_TABLE, 0, 0, NULL},
    {"on_event", OPTION_FUNCTION, 0, 0, NULL},
    {"user_agent", OPTION_STRING, 0, 0, NULL},
    {NULL, OPTION_STRING, 0, 0, NULL},
};

/* An environment variable; an empty one counts as not set. */
static const char *variable(const char *name) {
  const char *value = getenv(name);
  return value != NULL && value[0] != '\0' ? value : NULL;
}

static const char *option_or_variable(lua_State *L, int index, const char *option, const char *name,
                                      const char *fallback) {
  const char *value = options_string(L, index, option, NULL);
  if (value == NULL) value = variable(name);
  return value != NULL ? value : fallback;
}

static bool under_nginx(lua_State *L) {
  bool found;
  lua_getglobal(L, "ngx");
  found = lua_istable(L, -1);
  lua_pop(L, 1);
  return found;
}

/* nginx empties the environment but for what its configuration names. */
static void advise_nginx(lua_State *L, struct avp_err *err) {
  if (!under_nginx(L)) return;
  avp_err_add(err, "; nginx hides environment variables from its workers: add \"env "
                   "AVEPOINT_CLIENT_ID;\" and \"env AVEPOINT_CLIENT_SECRET;\" to the top level "
                   "of nginx.conf");
}

static bool read_environment(lua_State *L, int index, struct avp_settings *settings,
                             const char **base_url, struct avp_err *err) {
  bool given = options_has(L, index, "environment");
  const char *word =
      option_or_variable(L, index, "environment", "AVEPOINT_ENVIRONMENT", environment_words[0]);
  const char *base = given ? NULL : variable("AVEPOINT_BASE_URL");
  const char *token = given ? NULL : variable("AVEPOINT_TOKEN_URL");
  const char *base_name;
  const char *token_name;
  int i = 0;
  while (environment_words[i] != NULL && strcmp(environment_words[i], word) != 0) i++;
  if (environment_words[i] == NULL) {
    avp_err_set(err, AVP_ERR_CONFIG,
                "AVEPOINT_ENVIRONMENT is none of: commercial, usgov, aos2, fedramp");
    return false;
  }
  base_name = options_has(L, index, "base_url") || base == NULL ? "base_url" : "AVEPOINT_BASE_URL";
  token_name =
      options_has(L, index, "token_url") || token == NULL ? "token_url" : "AVEPOINT_TOKEN_URL";
  if (base == NULL) base = environments[i].base_url;
  if (token == NULL) token = environments[i].token_url;
  *base_url = options_string(L, index, "base_url", base);
  settings->token_url = options_string(L, index, "token_url", token);
  return avp_url_check(*base_url, base_name, err) &&
         avp_url_check(settings->token_url, token_name, err);
}

/* The kinds of explicit credentials; gives how many there are. */
static int explicit_kinds(lua_State *L, int index, bool *certificate) {
  *certificate = options_has(L, index, "certificate") || options_has(L, index, "private_key") ||
                 options_has(L, index, "certificate_password");
  return (options_has(L, index, "client_secret") ? 1 : 0) + (*certificate ? 1 : 0) +
         (options_has(L, index, "client_assertion") ? 1 : 0) +
         (options_has(L, index, "access_token") ? 1 : 0);
}

static void take_option(lua_State *L, int index, const char *name, enum avp_credential kind,
                        struct credential *credential) {
  credential->kind = kind;
  credential->source = name;
  credential->text = options_string(L, index, name, NULL);
  credential->function = credential->text == NULL ? name : NULL;
}

static void take_certificate(struct credential *credential, const char *certificate,
                             const char *private_key, const char *password) {
  credential->kind = AVP_CREDENTIAL_ASSERTION;
  credential->certificate = certificate;
  credential->private_key = private_key;
  credential->password = password;
  credential->function = "certificate";
}

static void take_explicit(lua_State *L, int index, bool certificate,
                          struct credential *credential) {
  if (certificate) {
    credential->source = "certificate";
    take_certificate(credential, options_string(L, index, "certificate", NULL),
                     options_string(L, index, "private_key", NULL),
                     options_string(L, index, "certificate_password", NULL));
  } else if (options_has(L, index, "client_secret")) {
    take_option(L, index, "client_secret", AVP_CREDENTIAL_SECRET, credential);
  } else if (options_has(L, index, "client_assertion")) {
    take_option(L, index, "client_assertion", AVP_CREDENTIAL_ASSERTION, credential);
  } else {
    take_option(L, index, "access_token", AVP_CREDENTIAL_TOKEN, credential);
  }
}

/* A secret in a file: its contents without the line end. */
static bool read_secret_file(const char *path, struct credential *credential, struct avp_err *err) {
  FILE *file = fopen(path, "rb");
  size_t len = 0;
  if (file != NULL) {
    len = fread(credential->file, 1, sizeof credential->file - 1, file);
    fclose(file);
  }
  while (len > 0 && (credential->file[len - 1] == '\n' || credential->file[len - 1] == '\r')) len--;
  credential->file[len] = '\0';
  credential->text = credential->file;
  if (len > 0) return true;
  avp_err_set(err, AVP_ERR_CONFIG, "AVEPOINT_CLIENT_SECRET_FILE names %s: %.300s",
              file == NULL ? "a file that cannot be read" : "an empty file", path);
  return false;
}

static bool take_variables(struct credential *credential, struct avp_err *err) {
  static const char *const sources[] = {"AVEPOINT_CLIENT_SECRET", "AVEPOINT_CLIENT_SECRET_FILE",
                                        "AVEPOINT_CERTIFICATE", "AVEPOINT_ACCESS_TOKEN"};
  int i = 0;
  while (i < 3 && variable(sources[i]) == NULL) i++; /* the first that is set counts */
  credential->source = sources[i];
  credential->kind = i == 3 ? AVP_CREDENTIAL_TOKEN : AVP_CREDENTIAL_SECRET;
  if (i == 1) return read_secret_file(variable(sources[1]), credential, err);
  if (i == 2) {
    take_certificate(credential, variable("AVEPOINT_CERTIFICATE"), variable("AVEPOINT_PRIVATE_KEY"),
                     variable("AVEPOINT_CERTIFICATE_PASSWORD"));
  } else {
    credential->text = variable(sources[i]);
  }
  return true;
}

static bool is_complete(lua_State *L, const struct avp_settings *settings,
                        const struct credential *credential, struct avp_err *err) {
  bool has_credential = credential->text != NULL || credential->function != NULL;
  bool signs = has_credential && credential->kind == AVP_CREDENTIAL_ASSERTION &&
               strcmp(credential->function, "certificate") == 0;
  bool needs_id = credential->kind == AVP_CREDENTIAL_SECRET || signs;
  if (signs && credential->certificate == NULL) {
    avp_err_set(err, AVP_ERR_CONFIG,
                "certificate is missing: private_key and certificate_password need the file of the "
                "certificate beside them");
    return false;
  }
  if (has_credential && (!needs_id || settings->client_id != NULL)) return true;
  if (has_credential) {
    avp_err_set(err, AVP_ERR_CONFIG,
                "client_id is missing: give it as an option or set "
                "AVEPOINT_CLIENT_ID");
  } else if (settings->client_id != NULL) {
    avp_err_set(err, AVP_ERR_CONFIG,
                "the credential is missing: give client_secret (or certificate, client_assertion, "
                "access_token) as an option or set AVEPOINT_CLIENT_SECRET");
  } else {
    avp_err_set(err, AVP_ERR_CONFIG,
                "no credentials: give client_id and client_secret as options, or set "
                "AVEPOINT_CLIENT_ID and AVEPOINT_CLIENT_SECRET; they are made in the partner "
                "portal under Elements > Settings > Additional > API app registration");
  }
  advise_nginx(L, err);
  return false;
}

static bool read_credential(lua_State *L, int index, struct avp_settings *settings,
                            struct credential *credential, struct avp_err *err, int level) {
  bool certificate;
  int kinds = explicit_kinds(L, index, &certificate);
  if (kinds > 1) {
    options_error(L, level, "avepoint.client",
                  "more than one kind of credential is given: "
                  "client_secret, certificate, client_assertion and access_token exclude each "
                  "other");
  }
  settings->client_id = option_or_variable(L, index, "client_id", "AVEPOINT_CLIENT_ID", NULL);
  if (kinds == 1) {
    take_explicit(L, index, certificate, credential);
  } else if (!take_variables(credential, err)) {
    return false;
  }
  if (credential->kind == AVP_CREDENTIAL_TOKEN && credential->text != NULL &&
      !avp_token_is_valid(credential->text, strlen(credential->text))) {
    if (kinds == 1) {
      options_error(L, level, "avepoint.client",
                    "option 'access_token' holds characters that no token has");
    }
    avp_err_set(err, AVP_ERR_CONFIG,
                "AVEPOINT_ACCESS_TOKEN holds characters that no token has, such as a line's end");
    return false;
  }
  settings->credential = credential->kind;
  settings->credential_is_function = credential->function != NULL;
  return is_complete(L, settings, credential, err);
}

/* Reads only so much that a wrong path or a wrong file shows at once and by name. */
static bool check_ca_file(const char *path, struct avp_err *err) {
  char line[256];
  bool found = false;
  FILE *file;
  if (path == NULL) return true;
  file = fopen(path, "rb");
  while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
    found = strstr(line, "-----BEGIN") != NULL;
  }
  if (file != NULL) fclose(file);
  if (found) return true;
  avp_err_set(err, AVP_ERR_CONFIG, "ca_file %s: %.300s (see AVEPOINT_CA_FILE)",
              file == NULL ? "cannot be read" : "holds no PEM certificate", path);
  return false;
}

static bool has_control(const char *text) {
  for (; text != NULL && *text != '\0'; text++) {
    if ((unsigned char)*text < 32 || *text == 127) return true;
  }
  return false;
}

static void read_numbers(lua_State *L, int index, struct avp_settings *settings) {
  settings->transfer.connect_timeout_ms = options_ms(L, index, "connect_timeout", 10000);
  settings->transfer.max_body = (size_t)options_integer(L, index, "max_body", 16 * 1024 * 1024);
  settings->timeout_ms = options_ms(L, index, "timeout", 30000);
  settings->retry.max_attempts = (int)options_integer(L, index, "max_attempts", 5);
  settings->retry.max_wait_ms = options_ms(L, index, "max_retry_wait", 120000);
  settings->concurrency = (int)options_integer(L, index, "concurrency", 4);
}

static bool is_one_of(const char *word, const char *const *words) {
  while (*words != NULL && strcmp(*words, word) != 0) words++;
  return *words != NULL;
}

bool config_log(const char **level, const char **format, struct avp_err *err) {
  *level = variable("AVEPOINT_LOG");
  *format = variable("AVEPOINT_LOG_FORMAT");
  if (*format == NULL) *format = log_formats[0];
  if (*level != NULL && !is_one_of(*level, log_words)) {
    avp_err_set(err, AVP_ERR_CONFIG, "AVEPOINT_LOG is none of: warn, info, debug");
    return false;
  }
  if (is_one_of(*format, log_formats)) return true;
  avp_err_set(err, AVP_ERR_CONFIG, "AVEPOINT_LOG_FORMAT is none of: text, json");
  return false;
}

bool config_read(lua_State *L, int index, struct avp_settings *settings,
                 struct credential *credential, const char **base_url, struct avp_err *err,
                 int level) {
  memset(settings, 0, sizeof *settings);
  memset(credential, 0, sizeof *credential);
  read_numbers(L, index, settings);
  settings->scope = option_or_variable(L, index, "scope", "AVEPOINT_SCOPE", DEFAULT_SCOPE);
  settings->transfer.ca_file = option_or_variable(L, index, "ca_file", "AVEPOINT_CA_FILE", NULL);
  settings->token_store = options_has(L, index, "token_store");
  settings->transfer.proxy = options_string(L, index, "proxy", NULL);
  if (has_control(options_string(L, index, "user_agent", NULL))) {
    options_error(L, level, "avepoint.client",
                  "option 'user_agent' must not hold control characters");
  }
  return read_environment(L, index, settings, base_url, err) &&
         avp_url_check_proxy(settings->transfer.proxy, err) &&
         check_ca_file(settings->transfer.ca_file, err) &&
         read_credential(L, index, settings, credential, err, level);
}

void config_forget(struct credential *credential) {
  avp_wipe(credential->file, sizeof credential->file);
}
