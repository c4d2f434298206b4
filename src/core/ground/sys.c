/* sys.c - clocks, random bytes, terminals, files, SIGPIPE, epoll and kqueue (sys.h).
 * SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* dladdr; everything else is POSIX, epoll or kqueue */
#include "sys.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "output.h"
#if defined(__linux__)
#include <sys/epoll.h>
#else
#include <sys/event.h>
#include <sys/types.h>
#endif

static int64_t clock_ms(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t avp_sys_now_ms(void) { return clock_ms(CLOCK_MONOTONIC); }

int64_t avp_sys_wall_ms(void) { return clock_ms(CLOCK_REALTIME); }

long avp_sys_pid(void) { return (long)getpid(); }

void avp_sys_random(void *bytes, size_t size) {
  unsigned char *out = bytes;
  if (getentropy(bytes, size) == 0) return;
  for (; size > 0; size--) { /* a system that refuses: only spreads delays, so clock bits will do */
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    *out++ = (unsigned char)((uintptr_t)&t ^ (uintptr_t)(t.tv_nsec >> (size & 7)));
  }
}

static bool is_hashed_name(const char *name) {
  return strlen(name) == 10 && strspn(name, "0123456789abcdef") == 8 && strcmp(name + 8, ".0") == 0;
}

bool avp_sys_is_hashed_dir(const char *path) {
  bool found = false;
  DIR *dir = opendir(path);
  struct dirent *entry;
  if (dir == NULL) return false;
  for (entry = readdir(dir); entry != NULL && !found; entry = readdir(dir)) {
    found = is_hashed_name(entry->d_name);
  }
  closedir(dir);
  return found;
}

int avp_sys_terminal_columns(FILE *file) {
  struct winsize size;
  int fd = fileno(file);
  if (!isatty(fd)) return 0;
  return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void avp_sys_pin_module(void) {
  static const int anchor = 0; /* an address inside this module; data, so that ISO C allows it */
  Dl_info info;
  if (dladdr(&anchor, &info) != 0 && info.dli_fname != NULL) {
    /* the handle is dropped on purpose: only RTLD_NODELETE's effect is needed */
    (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NODELETE | RTLD_NOLOAD);
  }
}

bool avp_sys_sigpipe_block(void) {
  struct sigaction action;
  sigset_t pipe_only;
  sigset_t before;
  if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_IGN) return false;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  return pthread_sigmask(SIG_BLOCK, &pipe_only, &before) == 0 && !sigismember(&before, SIGPIPE);
}

/* A SIGPIPE that is pending came while it was blocked here, so it is libcurl's: before, it would
 * have been delivered. */
void avp_sys_sigpipe_restore(bool blocked) {
  sigset_t pipe_only;
  sigset_t pending;
  if (!blocked) return;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1) {
    int taken;
    sigwait(&pipe_only, &taken);
  }
  pthread_sigmask(SIG_UNBLOCK, &pipe_only, NULL);
}

int avp_sys_socket(int family, int type, int protocol) {
#if defined(SOCK_CLOEXEC)
  return socket(family, type | SOCK_CLOEXEC, protocol);
#else
  int fd = socket(family, type, protocol);
  if (fd >= 0) fcntl(fd, F_SETFD, FD_CLOEXEC);
  return fd;
#endif
}

#if defined(__linux__)

int avp_sys_set_open(void) { return epoll_create1(EPOLL_CLOEXEC); }

bool avp_sys_set_watch(int set, int fd, bool reads, bool writes) {
  struct epoll_event event;
  memset(&event, 0, sizeof event);
  event.data.fd = fd;
  if (reads) event.events |= EPOLLIN;
  if (writes) event.events |= EPOLLOUT;
  if (event.events == 0) {
    epoll_ctl(set, EPOLL_CTL_DEL, fd, &event);
    return true;
  }
  return epoll_ctl(set, EPOLL_CTL_MOD, fd, &event) == 0 ||
         epoll_ctl(set, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int wait_for_set(int set, int ready[AVP_SYS_READY_MAX], int timeout_ms) {
  struct epoll_event events[AVP_SYS_READY_MAX];
  int n = epoll_wait(set, events, AVP_SYS_READY_MAX, timeout_ms);
  int i;
  for (i = 0; i < n; i++) ready[i] = events[i].data.fd;
  return n;
}

#else

int avp_sys_set_open(void) { return kqueue(); }

static bool set_filter(int set, int fd, int filter, bool on) {
  struct kevent change;
  EV_SET(&change, (uintptr_t)fd, filter, on ? EV_ADD : EV_DELETE, 0, 0, NULL);
  return kevent(set, &change, 1, NULL, 0, NULL) == 0 || !on;
}

bool avp_sys_set_watch(int set, int fd, bool reads, bool writes) {
  bool done = set_filter(set, fd, EVFILT_READ, reads);
  return set_filter(set, fd, EVFILT_WRITE, writes) && done;
}

static int wait_for_set(int set, int ready[AVP_SYS_READY_MAX], int timeout_ms) {
  struct kevent events[AVP_SYS_READY_MAX];
  struct timespec limit;
  int i;
  int n;
  limit.tv_sec = timeout_ms / 1000;
  limit.tv_nsec = (long)(timeout_ms % 1000) * 1000000;
  n = kevent(set, NULL, 0, events, AVP_SYS_READY_MAX, timeout_ms < 0 ? NULL : &limit);
  for (i = 0; i < n; i++) ready[i] = (int)events[i].ident;
  return n;
}

#endif

int avp_sys_set_wait(int set, int ready[AVP_SYS_READY_MAX], int timeout_ms) {
  /* without a set (before the first transfer) there may still be a moment to wait for */
  int n = set >= 0 ? wait_for_set(set, ready, timeout_ms) : poll(NULL, 0, timeout_ms);
  return n < 0 && errno == EINTR ? 0 : n;
}

/* Files that replace others ---------------------------------------------------------------------*/

#define LINKS_MAX 40 /* followed, as on Linux */
#define NAMES_MAX 16 /* tried for a new file */

/* The length of the folder in a path, with its slash. */
static int folder_length(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash == NULL ? 0 : (int)(slash - path) + 1;
}

/* Returns the open descriptor that a path names, or -1. */
static int descriptor_of(const char *path) {
  static const char *const folders[] = {"/proc/self/fd/", "/dev/fd/"};
  size_t i;
  for (i = 0; i < sizeof folders / sizeof folders[0]; i++) {
    size_t len = strlen(folders[i]);
    size_t digits = strncmp(path, folders[i], len) == 0 ? strspn(path + len, "0123456789") : 0;
    if (digits > 0 && digits < 9 && path[len + digits] == '\0') {
      return (int)strtol(path + len, NULL, 10);
    }
  }
  return -1;
}

/* Replaces a path that is a symbolic link by what it points to, which need not exist. A name of a
 * descriptor stays. */
static int follow_links(char path[AVP_OUTPUT_PATH_MAX]) {
  char target[AVP_OUTPUT_PATH_MAX];
  int links;
  for (links = 0; links < LINKS_MAX; links++) {
    ssize_t len = descriptor_of(path) < 0 ? readlink(path, target, sizeof target - 1) : 0;
    size_t folder;
    if (len == 0) return 0;
    if (len < 0) return errno == EINVAL || errno == ENOENT ? 0 : errno;
    target[len] = '\0';
    folder = target[0] == '/' ? 0 : (size_t)folder_length(path);
    if (folder + (size_t)len >= AVP_OUTPUT_PATH_MAX) return ENAMETOOLONG;
    memcpy(path + folder, target, (size_t)len + 1);
  }
  return ELOOP;
}

/* Makes a new file beside `path` and writes its name to `temp`. Returns its descriptor or -1. */
static int open_beside(const char *path, char temp[AVP_OUTPUT_PATH_MAX], mode_t mode) {
  int folder = folder_length(path);
  int fd = -1;
  int i;
  for (i = 0; fd < 0 && i < NAMES_MAX; i++) {
    uint32_t chance;
    int len;
    avp_sys_random(&chance, sizeof chance);
    len = snprintf(temp, AVP_OUTPUT_PATH_MAX, "%.*s.%.200s.%08lx", folder, path, path + folder,
                   (unsigned long)chance);
    if (len >= AVP_OUTPUT_PATH_MAX) {
      errno = ENAMETOOLONG;
      return -1;
    }
    fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0 && errno != EEXIST) return -1;
  }
  return fd;
}

/* Gives the new file the mode of the one that it replaces, and owner and group if this process may:
 * a group that had nothing to do with the old file gets no more than everybody. */
static int open_replacement(struct avp_output *out, const struct stat *old) {
  int fd = open_beside(out->path, out->temp, old->st_mode & 0700);
  mode_t mode = old->st_mode & 07777;
  if (fd < 0) return -1;
  if (fchown(fd, old->st_uid, old->st_gid) != 0) {
    mode &= 0777;
    if (fchown(fd, (uid_t)-1, old->st_gid) != 0) mode &= 0707 | (mode & 7) << 3;
  }
  if (fchmod(fd, mode) == 0) return fd;
  close(fd);
  unlink(out->temp);
  return -1;
}

/* A descriptor is not opened by its name: it would not share its place in a file. */
static int open_output(struct avp_output *out) {
  struct stat old;
  int failure = follow_links(out->path);
  int descriptor = descriptor_of(out->path);
  if (failure != 0) {
    errno = failure;
    return -1;
  }
  if (descriptor >= 0) {
    fflush(stdout); /* what was printed before comes before */
    return fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
  }
  if (stat(out->path, &old) != 0) {
    return errno == ENOENT ? open_beside(out->path, out->temp, 0666) : -1;
  }
  return S_ISREG(old.st_mode) ? open_replacement(out, &old)
                              : open(out->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
}

int avp_output_open(struct avp_output *out, const char *path) {
  int fd;
  memset(out, 0, sizeof *out);
  if ((size_t)snprintf(out->path, sizeof out->path, "%s", path) >= sizeof out->path) {
    return ENAMETOOLONG;
  }
  fd = open_output(out);
  if (fd < 0) return errno;
  out->pid = getpid();
  out->file = fdopen(fd, "w");
  if (out->file != NULL) return 0;
  close(fd);
  if (out->temp[0] != '\0') unlink(out->temp);
  return ENOMEM;
}

static bool put_on_disk(const struct avp_output *out) {
  return fflush(out->file) == 0 && (out->temp[0] == '\0' || fsync(fileno(out->file)) == 0);
}

int avp_output_commit(struct avp_output *out) {
  int failure = put_on_disk(out) ? 0 : errno;
  if (fclose(out->file) != 0 && failure == 0) failure = errno;
  out->file = NULL;
  if (out->temp[0] == '\0') return failure;
  if (failure == 0 && rename(out->temp, out->path) != 0) failure = errno;
  if (failure != 0) unlink(out->temp);
  return failure;
}

void avp_output_discard(struct avp_output *out) {
  if (out->file == NULL) return;
  if (out->temp[0] != '\0' && out->pid == getpid()) unlink(out->temp);
  fclose(out->file);
  out->file = NULL;
}

void avp_sys_close(int fd) {
  if (fd >= 0) close(fd);
}
