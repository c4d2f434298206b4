/* explain.h - from a reply to an error that says what happened and what to do about it.
 *
 * The one place that maps libcurl's results, HTTP statuses and the identity server's words to
 * error kinds and sentences. Decides nothing: whether to try again is retry.h's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef AVP_EXPLAIN_H
#define AVP_EXPLAIN_H

#include "../ground/err.h"
#include "../wire/transfer.h"
#include "retry.h"

/* Explains a reply that did not come whole (`reply->result` is not CURLE_OK). */
void avp_explain_failure(struct avp_err *err, const struct avp_reply *reply, const char *url);

/* Explains a whole reply of a status that is not a success. */
void avp_explain_status(struct avp_err *err, const struct avp_reply *reply, const char *url);

/* Explains a 401 for a token that the user has given as a string: it cannot be renewed. */
void avp_explain_given_token(struct avp_err *err, const struct avp_reply *reply, const char *url);

/* Adds why it was not tried again. */
void avp_explain_verdict(struct avp_err *err, const struct avp_retry_answer *answer,
                         const struct avp_retry_policy *policy, int attempts);

/* Explains the refusal of a token: `word` is RFC 6749's (section 5.2), NULL if the server sent
 * none; `description` is its sentence, maybe empty. `assertion`: a signed one was sent, not a
 * secret. */
void avp_explain_token_refusal(struct avp_err *err, const struct avp_reply *reply, const char *word,
                               const char *description, bool assertion, const char *url);

/* Whether this failure may pass, so that another attempt makes sense. */
bool avp_failure_may_pass(const struct avp_reply *reply);

#endif
