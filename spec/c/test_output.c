/* test_output.c - files that replace others, where the system refuses.
 * SPDX-License-Identifier: MIT */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* mkdtemp, symlink */
#endif
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "ground/output.h"
#include "ground/sys.h"

static char folder[64];

static const char *path_of(const char *name) {
  static char path[AVP_OUTPUT_PATH_MAX];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void put(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  CHECK(file != NULL);
  if (file == NULL) return;
  fputs(text, file);
  fclose(file);
}

static void check_holds(const char *path, const char *text) {
  char found[64] = "";
  FILE *file = fopen(path, "r");
  CHECK(file != NULL);
  if (file == NULL) return;
  (void)!fread(found, 1, sizeof found - 1, file);
  fclose(file);
  CHECK_STR(text, found);
}

static void test_replaces(void) {
  struct avp_output out;
  struct stat now;
  put(path_of("a"), "old");
  chmod(path_of("a"), 0640);
  CHECK_INT(0, avp_output_open(&out, path_of("a")));
  fputs("new", out.file);
  check_holds(path_of("a"), "old"); /* until the end */
  CHECK_INT(0, avp_output_commit(&out));
  check_holds(path_of("a"), "new");
  CHECK_INT(0, stat(path_of("a"), &now));
  CHECK_INT(0640, now.st_mode & 0777);
  CHECK_INT(0, avp_output_open(&out, path_of("a")));
  fputs("never", out.file);
  avp_output_discard(&out);
  avp_output_discard(&out);
  check_holds(path_of("a"), "new");
}

static void test_links(void) {
  struct avp_output out;
  char from[128];
  snprintf(from, sizeof from, "%s/link", folder);
  CHECK_INT(0, symlink("beyond", from)); /* relative, to what does not exist yet */
  CHECK_INT(0, avp_output_open(&out, from));
  fputs("x", out.file);
  CHECK_INT(0, avp_output_commit(&out));
  check_holds(path_of("beyond"), "x");
  snprintf(from, sizeof from, "%s/round", folder);
  CHECK_INT(0, symlink("round", from));
  CHECK_INT(ELOOP, avp_output_open(&out, from));
}

static void test_refused(void) {
  struct avp_output out;
  char path[AVP_OUTPUT_PATH_MAX + 2];
  memset(path, 'a', sizeof path);
  path[sizeof path - 1] = '\0';
  CHECK_INT(ENAMETOOLONG, avp_output_open(&out, path));
  path[AVP_OUTPUT_PATH_MAX - 4] = '\0'; /* too long with what is added to it */
  CHECK(avp_output_open(&out, path) == ENAMETOOLONG);
  CHECK_INT(ENOENT, avp_output_open(&out, path_of("none/a")));
  CHECK_INT(EISDIR, avp_output_open(&out, folder));
  CHECK_INT(ENOTDIR, avp_output_open(&out, path_of("a/b")));
  CHECK_INT(EBADF, avp_output_open(&out, "/dev/fd/99999"));
  CHECK_INT(0, avp_output_open(&out, "/dev/full"));
  fputs("x", out.file);
  CHECK_INT(ENOSPC, avp_output_commit(&out));
}

/* The file beside it is gone when it is to take the other's place. */
static void test_gone(void) {
  struct avp_output out;
  CHECK_INT(0, avp_output_open(&out, path_of("a")));
  unlink(out.temp);
  CHECK_INT(ENOENT, avp_output_commit(&out));
  check_holds(path_of("a"), "new");
}

/* The child's collector discards what it has inherited; the file is still its parent's. */
static void test_fork(void) {
  struct avp_output out;
  int status = -1;
  pid_t child;
  CHECK_INT(0, avp_output_open(&out, path_of("a")));
  child = fork();
  if (child == 0) {
    avp_output_discard(&out);
    _exit(0);
  }
  CHECK(child > 0 && waitpid(child, &status, 0) == child && status == 0);
  fputs("the parent's", out.file);
  CHECK_INT(0, avp_output_commit(&out));
  check_holds(path_of("a"), "the parent's");
}

static void test_hashed_directory(void) {
  CHECK(!avp_sys_is_hashed_dir(path_of("none")));
  CHECK(!avp_sys_is_hashed_dir(folder));
  put(path_of("0123abcd.1"), "");
  put(path_of("0123abcg.0"), "");
  CHECK(!avp_sys_is_hashed_dir(folder));
  put(path_of("0123abcd.0"), "");
  CHECK(avp_sys_is_hashed_dir(folder));
}

static const struct check_test tests[] = {
    {"output: a file is replaced at the end", test_replaces},
    {"output: links are followed", test_links},
    {"output: what the system refuses", test_refused},
    {"output: the file beside is gone", test_gone},
    {"output: the child of a fork lets it be", test_fork},
    {"sys: hashed directories", test_hashed_directory},
};

int main(void) {
  static const char *const names[] = {"a",          "beyond",     "link",      "round",
                                      "0123abcd.1", "0123abcg.0", "0123abcd.0"};
  int failed;
  size_t i;
  strcpy(folder, "/tmp/avepoint-test-XXXXXX");
  if (mkdtemp(folder) == NULL) return 1;
  failed = check_run(tests, sizeof tests / sizeof tests[0]);
  for (i = 0; i < sizeof names / sizeof names[0]; i++) unlink(path_of(names[i]));
  return rmdir(folder) != 0 || failed;
}
