/* measure.c - runs a command and says what it cost, children of its own included.
 *
 * usage: measure COMMAND [ARGUMENT ...]
 *
 * What the command prints passes through. Then comes one line of ours:
 * "measured WALL CPU PEAK STATUS": seconds by the clock, seconds of processor, the peak of the
 * largest process (KiB), and the exit status. A small program, since a child's peak starts at that
 * of the process it is forked from.
 * SPDX-License-Identifier: MIT */
#define _DEFAULT_SOURCE /* wait4 */
#include <errno.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

int main(int argc, char **argv) {
  struct rusage used;
  int status = 0;
  double begun = now();
  pid_t child;
  if (argc < 2) {
    fprintf(stderr, "usage: measure COMMAND [ARGUMENT ...]\n");
    return 2;
  }
  child = fork();
  if (child == 0) {
    execvp(argv[1], argv + 1);
    perror(argv[1]);
    _exit(127);
  }
  while (wait4(child, &status, 0, &used) < 0) {
    if (errno != EINTR) {
      perror("wait4");
      return 1;
    }
  }
  printf("measured %.6f %.6f %ld %d\n", now() - begun,
         seconds(used.ru_utime) + seconds(used.ru_stime), used.ru_maxrss,
         WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
  return 0;
}
