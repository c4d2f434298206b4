/* config.h - from options and environment variables to a client's settings.
 *
 * Explicit options win over the environment by the rules of the README's table: credentials are
 * one set, and an explicit environment hides the variables for URLs.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_BIND_CONFIG_H
#define AVP_BIND_CONFIG_H

#include "client.h"
#include "options.h"

/* What was chosen as credential. */
struct credential {
  enum avp_credential kind;
  const char *text;        /* the secret or token where it is a string, else NULL */
  const char *function;    /* name of the option that holds the function, else NULL */
  const char *source;      /* where it was found: an option's or a variable's name */
  const char *certificate; /* file that the assertion is to be signed with, or NULL */
  const char *private_key; /* file of its key, or NULL where that is in the certificate's */
  const char *password;    /* of either, or NULL */
  char file[4096];         /* contents of the secret's file; wiped by config_forget */
};

extern const struct option client_options[];

/* Reads the checked options at `index` into `settings` and `credential`; strings are borrowed from
 * the table, the environment and `credential`. Fills a `config` error and gives false where
 * something is missing or refused; raises where two kinds of credential are given. */
bool config_read(lua_State *L, int index, struct avp_settings *settings,
                 struct credential *credential, const char **base_url, struct avp_err *err,
                 int level);

/* The level of the ready-made logger that the environment asks for, or NULL, and the form of its
 * lines. False, and a `config` error, where it names none. */
bool config_log(const char **level, const char **format, struct avp_err *err);

void config_forget(struct credential *credential);

#endif
