/* explain.h - from a reply to an error: its kind, and the sentence that says what to do about it.
 *
 * The one place that maps libcurl's results, HTTP statuses and the identity server's words to
 * error kinds and sentences. Whether to try again is decided in retry.h.
 * SPDX-License-Identifier: MIT */
#ifndef AVP_EXPLAIN_H
#define AVP_EXPLAIN_H

#include "../ground/err.h"
#include "../wire/transfer.h"
#include "settings.h"

/* Fills the error of a reply that did not come whole (`reply->result` is not CURLE_OK). */
void avp_explain_failure(struct avp_err *err, const struct avp_reply *reply, const char *url);

/* Whether such a failure may pass, so that another attempt makes sense. */
bool avp_failure_may_pass(const struct avp_reply *reply);

/* Fills the error of a whole reply whose status is not a success. */
void avp_explain_status(struct avp_err *err, const struct avp_reply *reply, const char *url);

/* Replaces the sentence of a 401's error if the user gave the token as a string: it cannot be
 * renewed. */
void avp_explain_given_token(struct avp_err *err);

/* Adds to the sentence why the request was not tried again. */
void avp_explain_verdict(struct avp_err *err, const struct avp_retry_answer *answer,
                         const struct avp_retry_policy *policy, int attempts);

/* Replaces the sentence of a refusal, which advises to tick the default scope, if the user has set
 * another: it names that one and where it was set. */
void avp_explain_scope(struct avp_err *err, const struct avp_settings *settings);

/* Fills the error of a token request that was refused: `word` is RFC 6749's (section 5.2), maybe
 * empty; `description` is the server's sentence, maybe empty; `credential` is what was sent. */
void avp_explain_token_refusal(struct avp_err *err, const struct avp_reply *reply, const char *word,
                               const char *description, const struct avp_settings *settings,
                               const char *credential);

/* Fills the error of a token reply that is neither a success nor a refusal in OAuth's words. */
void avp_explain_token_status(struct avp_err *err, const struct avp_reply *reply, const char *url);

#endif
