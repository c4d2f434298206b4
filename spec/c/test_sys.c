/* test_sys.c - SIGPIPE that a library raises while we call it reaches nobody, others do.
 *
 * SPDX-License-Identifier: MIT */
#include <signal.h>

#include "check.h"
#include "ground/sys.h"

static volatile sig_atomic_t caught;

static void on_pipe(int signal) {
  (void)signal;
  caught++;
}

static bool is_blocked(void) {
  sigset_t now;
  return sigprocmask(SIG_SETMASK, NULL, &now) == 0 && sigismember(&now, SIGPIPE) == 1;
}

static bool is_pending(void) {
  sigset_t pending;
  return sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
}

/* The host has a handler of its own, which is not called for what is libcurl's. */
static void test_taken(void) {
  bool blocked;
  signal(SIGPIPE, on_pipe);
  caught = 0;
  blocked = avp_sys_sigpipe_block();
  CHECK(blocked && is_blocked());
  raise(SIGPIPE);
  CHECK(is_pending());
  avp_sys_sigpipe_restore(blocked);
  CHECK(!is_pending() && !is_blocked());
  CHECK_INT(0, caught);
  raise(SIGPIPE);
  CHECK_INT(1, caught);
}

static void test_none(void) {
  signal(SIGPIPE, on_pipe);
  caught = 0;
  avp_sys_sigpipe_restore(avp_sys_sigpipe_block());
  CHECK(!is_blocked());
  CHECK_INT(0, caught);
}

/* Where the host ignores or blocks it, nothing is changed, and what is pending stays. */
static void test_of_the_host(void) {
  sigset_t pipe_only;
  int taken;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  signal(SIGPIPE, SIG_IGN);
  CHECK(!avp_sys_sigpipe_block());
  CHECK(!is_blocked());
  signal(SIGPIPE, SIG_DFL);
  sigprocmask(SIG_BLOCK, &pipe_only, NULL);
  raise(SIGPIPE);
  CHECK(!avp_sys_sigpipe_block());
  avp_sys_sigpipe_restore(false);
  CHECK(is_blocked() && is_pending());
  if (is_pending()) sigwait(&pipe_only, &taken);
  sigprocmask(SIG_UNBLOCK, &pipe_only, NULL);
}

int main(void) {
  static const struct check_test tests[] = {
      {"SIGPIPE: one that came meanwhile is taken", test_taken},
      {"SIGPIPE: none came", test_none},
      {"SIGPIPE: the host's own", test_of_the_host},
  };
  return check_run(tests, sizeof tests / sizeof tests[0]);
}
