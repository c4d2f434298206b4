/* rawserver.c - says to an HTTP client what nginx would be too polite to say.
 *
 * usage: rawserver DIR
 *
 * Listens on a port of 127.0.0.1 that the kernel chooses and prints "PID PORT". It knows no HTTP
 * but where a request ends; all that it says lies in files. DIR/current holds the name of the
 * scene that new connections belong to. Requests to /connect/token are called `token`, others
 * `page-N` by their pageIndex; the K-th of a name in a scene is answered with the first file there
 * is of DIR/SCENE.NAME.K, DIR/SCENE.NAME and DIR/good.NAME. The K-th connection of a scene may have
 * a file DIR/SCENE.connection.K, which is said at once, before any request. Each request's name is
 * appended to DIR/SCENE.log.
 *
 * The first line of such a file is what to do, the rest is said as it is:
 *
 *     keep       then read the next request
 *     close      then close the connection
 *     reset      then reset it (RST)
 *     hang       then keep silent until the client goes
 *     repeat N   then say the last N bytes again and again until the client goes
 *     drip MS    say one byte each MS milliseconds; a word of the others follows
 *     deaf       then close; from its first byte on refuse new connections until SIGUSR1
 *
 * SIGUSR2 makes it refuse as well; both signals are confirmed by a line on its output. It ends with
 * SIGTERM, or when the process that started it ends. One process, one thread; sizes are fixed where
 * the specs stay far below them.
 *
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define REQUEST_MAX     65536
#define NAMES_MAX       128
#define PATH_SIZE       1024
#define NAME_SIZE       64

enum after { AFTER_KEEP, AFTER_CLOSE, AFTER_RESET, AFTER_HANG, AFTER_REPEAT, AFTER_DEAF };

static const char *const after_words[] = {"keep", "close", "reset", "hang", "repeat", "deaf"};

struct scene {
  char name[NAME_SIZE];
  int connections;
  struct {
    char name[NAME_SIZE];
    int times;
  } asked[NAMES_MAX];
};

struct speech {
  char *bytes;      /* NULL: nothing is being said */
  size_t size;      /* of all bytes */
  size_t said;      /* so far */
  size_t loop;      /* bytes at the end that are repeated */
  enum after after; /* what to do then */
  long drip_ms;     /* 0: as fast as the client reads */
  int64_t next_at;  /* of the next byte, where they drip */
};

struct connection {
  int fd; /* -1: free */
  char scene[NAME_SIZE];
  char request[REQUEST_MAX + 1];
  size_t request_len;
  struct speech speech;
};

static const char *directory;
static struct connection connections[CONNECTIONS_MAX];
static struct scene scene; /* the latest; counters of older ones are not needed any more */
static struct sockaddr_in address;
static int listener = -1;
static int wake[2]; /* a signal's number is written to it */

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void set_nonblocking(int fd) {
  fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
  fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void start_listening(void) {
  int one = 1;
  socklen_t size = sizeof address;
  if (listener >= 0) return;
  listener = socket(AF_INET, SOCK_STREAM, 0);
  if (listener < 0) die("socket");
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0) die("bind");
  if (listen(listener, 64) != 0) die("listen");
  if (getsockname(listener, (struct sockaddr *)&address, &size) != 0) die("getsockname");
  set_nonblocking(listener);
}

static void stop_listening(void) {
  if (listener >= 0) close(listener);
  listener = -1;
}

/* The whole file, or NULL. The caller frees it. */
static char *read_file(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  char *bytes = NULL;
  size_t room = 0;
  size_t n;
  *size = 0;
  if (file == NULL) return NULL;
  do {
    room = room * 2 + 4096;
    bytes = realloc(bytes, room + 1);
    if (bytes == NULL) die("realloc");
    n = fread(bytes + *size, 1, room - *size, file);
    *size += n;
  } while (n > 0);
  fclose(file);
  bytes[*size] = '\0';
  return bytes;
}

static void use_current_scene(struct connection *c) {
  char path[PATH_SIZE];
  size_t size;
  char *name;
  snprintf(path, sizeof path, "%s/current", directory);
  name = read_file(path, &size);
  if (name == NULL) die(path);
  snprintf(c->scene, sizeof c->scene, "%.*s", (int)strcspn(name, "\r\n"), name);
  free(name);
  if (strcmp(scene.name, c->scene) == 0) return;
  memset(&scene, 0, sizeof scene);
  memcpy(scene.name, c->scene, sizeof scene.name);
}

static void end_connection(struct connection *c) {
  if (c->speech.after == AFTER_RESET) {
    struct linger now = {1, 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  close(c->fd);
  free(c->speech.bytes);
  c->speech.bytes = NULL;
  c->fd = -1;
}

/* Takes the first line of a script apart. */
static void read_directives(struct speech *speech, char *line) {
  char *word = strtok(line, " ");
  speech->after = AFTER_KEEP;
  for (; word != NULL; word = strtok(NULL, " ")) {
    size_t i = 0;
    if (strcmp(word, "drip") == 0) {
      word = strtok(NULL, " ");
      speech->drip_ms = word != NULL ? atol(word) : 0;
      continue;
    }
    while (i < sizeof after_words / sizeof after_words[0] && strcmp(word, after_words[i]) != 0) i++;
    if (i == sizeof after_words / sizeof after_words[0]) {
      fprintf(stderr, "rawserver: unknown directive: %s\n", word);
      exit(1);
    }
    speech->after = (enum after)i;
    if (speech->after == AFTER_REPEAT) {
      word = strtok(NULL, " ");
      speech->loop = word != NULL ? (size_t)atol(word) : 0;
    }
  }
}

/* Begins to say what the file holds. Gives false where there is no such file. */
static bool say_file(struct connection *c, const char *path) {
  struct speech *speech = &c->speech;
  size_t size;
  char *bytes = read_file(path, &size);
  char *end;
  if (bytes == NULL) return false;
  memset(speech, 0, sizeof *speech);
  speech->bytes = bytes;
  speech->size = size;
  speech->next_at = now_ms();
  end = memchr(bytes, '\n', size);
  if (end == NULL) die(path);
  *end = '\0';
  speech->said = (size_t)(end - bytes) + 1;
  read_directives(speech, bytes);
  if (speech->loop > size - speech->said) speech->loop = size - speech->said;
  if (speech->after == AFTER_DEAF) stop_listening(); /* before the client can come again */
  return true;
}

static int count(const char *name) {
  int i = 0;
  while (i < NAMES_MAX - 1 && scene.asked[i].name[0] != '\0' &&
         strcmp(scene.asked[i].name, name) != 0) {
    i++;
  }
  snprintf(scene.asked[i].name, sizeof scene.asked[i].name, "%s", name);
  return ++scene.asked[i].times;
}

static void write_log(const struct connection *c, const char *name) {
  char path[PATH_SIZE];
  FILE *file;
  snprintf(path, sizeof path, "%s/%s.log", directory, c->scene);
  file = fopen(path, "a");
  if (file == NULL) return; /* a scene that is over may have been removed */
  fprintf(file, "%s\n", name);
  fclose(file);
}

/* The request's name: `token` or `page-N`. */
static void name_request(const char *request, char name[NAME_SIZE]) {
  const char *line_end = strstr(request, "\r\n");
  const char *page = strstr(request, "pageIndex=");
  if (page != NULL && page < line_end) {
    snprintf(name, NAME_SIZE, "page-%ld", strtol(page + strlen("pageIndex="), NULL, 10));
  } else {
    snprintf(name, NAME_SIZE, "token");
  }
}

static void answer(struct connection *c) {
  char name[NAME_SIZE];
  char path[PATH_SIZE];
  int k;
  name_request(c->request, name);
  k = strcmp(c->scene, scene.name) == 0 ? count(name) : 0;
  write_log(c, name);
  snprintf(path, sizeof path, "%s/%s.%s.%d", directory, c->scene, name, k);
  if (say_file(c, path)) return;
  snprintf(path, sizeof path, "%s/%s.%s", directory, c->scene, name);
  if (say_file(c, path)) return;
  snprintf(path, sizeof path, "%s/good.%s", directory, name);
  if (!say_file(c, path)) end_connection(c);
}

/* The length of the first whole request in the buffer, 0 if it is not whole yet. */
static size_t whole_request(const struct connection *c) {
  const char *head_end = strstr(c->request, "\r\n\r\n");
  const char *field;
  size_t length = 0;
  size_t head;
  if (head_end == NULL) return 0;
  head = (size_t)(head_end - c->request) + 4;
  for (field = strstr(c->request, "\r\n"); field != NULL && field < head_end;
       field = strstr(field + 2, "\r\n")) {
    static const char name[] = "Content-Length:";
    if (strncmp(field + 2, name, sizeof name - 1) == 0) {
      length = (size_t)strtoul(field + 2 + sizeof name - 1, NULL, 10);
    }
  }
  return c->request_len >= head + length ? head + length : 0;
}

static void answer_next(struct connection *c) {
  size_t len = whole_request(c);
  if (len == 0 || c->speech.bytes != NULL) return;
  answer(c);
  if (c->fd < 0) return;
  c->request_len -= len;
  memmove(c->request, c->request + len, c->request_len + 1);
}

static void accept_one(void) {
  struct connection *c = connections;
  char path[PATH_SIZE];
  int one = 1;
  int fd = accept(listener, NULL, NULL);
  if (fd < 0) return;
  while (c < connections + CONNECTIONS_MAX && c->fd >= 0) c++;
  if (c == connections + CONNECTIONS_MAX) {
    close(fd);
    return;
  }
  set_nonblocking(fd);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  memset(c, 0, sizeof *c);
  c->fd = fd;
  use_current_scene(c);
  snprintf(path, sizeof path, "%s/%s.connection.%d", directory, c->scene, ++scene.connections);
  say_file(c, path);
}

/* Reads what the client sends. Gives false when it has gone. */
static bool hear(struct connection *c) {
  ssize_t n;
  if (c->request_len == REQUEST_MAX) c->request_len = 0; /* nobody sends so much */
  n = recv(c->fd, c->request + c->request_len, REQUEST_MAX - c->request_len, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
  if (n > 0) c->request_len += (size_t)n;
  c->request[c->request_len] = '\0';
  return true;
}

static void finish_speech(struct connection *c) {
  struct speech *speech = &c->speech;
  if (speech->after == AFTER_HANG) return;
  if (speech->after == AFTER_REPEAT) {
    speech->said = speech->size - speech->loop;
    return;
  }
  if (speech->after != AFTER_KEEP) {
    end_connection(c);
    return;
  }
  free(speech->bytes);
  memset(speech, 0, sizeof *speech);
}

/* Says what can be said now. Gives false when the client has gone. */
static bool speak(struct connection *c, int64_t now) {
  struct speech *speech = &c->speech;
  size_t left = speech->size - speech->said;
  ssize_t n = 0;
  if (speech->drip_ms > 0 && now < speech->next_at) return true;
  if (speech->drip_ms > 0) {
    if (left > 1) left = 1;
    speech->next_at = now + speech->drip_ms;
  }
  if (left > 0) n = send(c->fd, speech->bytes + speech->said, left, 0);
  if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
  if (n > 0) speech->said += (size_t)n;
  if (speech->said == speech->size) finish_speech(c);
  return true;
}

static bool has_something_to_say(const struct connection *c) {
  return c->speech.bytes != NULL &&
         (c->speech.said < c->speech.size || c->speech.after != AFTER_HANG);
}

/* What to poll for; shortens the wait to the next dripping byte. */
static short events_of(const struct connection *c, int64_t now, int *wait_ms) {
  if (!has_something_to_say(c)) return POLLIN;
  if (c->speech.drip_ms > 0 && c->speech.next_at > now) {
    if (c->speech.next_at - now < *wait_ms) *wait_ms = (int)(c->speech.next_at - now);
    return POLLIN;
  }
  return POLLIN | POLLOUT;
}

static void serve(struct connection *c, short events, int64_t now) {
  if ((events & (POLLIN | POLLHUP | POLLERR)) != 0 && !hear(c)) {
    end_connection(c);
    return;
  }
  answer_next(c);
  if (c->fd >= 0 && has_something_to_say(c) && !speak(c, now)) end_connection(c);
  if (c->fd >= 0) answer_next(c);
}

static void on_signal(int number) {
  char byte = (char)number;
  int saved = errno;
  if (write(wake[1], &byte, 1) < 0) byte = 0; /* the pipe is full: it will wake anyway */
  errno = saved;
}

static void obey_signals(void) {
  char byte;
  while (read(wake[0], &byte, 1) == 1) {
    if (byte == SIGUSR1) start_listening();
    if (byte == SIGUSR2) stop_listening();
    printf("%s\n", listener >= 0 ? "listening" : "deaf");
    fflush(stdout);
  }
}

/* One round: waits for something to happen and deals with it. */
static void turn(void) {
  struct pollfd polls[CONNECTIONS_MAX + 2];
  int wait_ms = 1000;
  int64_t now = now_ms();
  int i;
  for (i = 0; i < CONNECTIONS_MAX; i++) {
    polls[i].fd = connections[i].fd; /* -1 is passed over */
    polls[i].events = connections[i].fd >= 0 ? events_of(&connections[i], now, &wait_ms) : 0;
    polls[i].revents = 0;
  }
  polls[i].fd = listener;
  polls[i + 1].fd = wake[0];
  polls[i].events = polls[i + 1].events = POLLIN;
  polls[i].revents = polls[i + 1].revents = 0;
  if (poll(polls, CONNECTIONS_MAX + 2, wait_ms) < 0) return;
  now = now_ms();
  for (i = 0; i < CONNECTIONS_MAX; i++) {
    if (polls[i].fd >= 0) serve(&connections[i], polls[i].revents, now);
  }
  if (polls[i + 1].revents != 0) obey_signals();
  if (polls[i].revents != 0 && listener >= 0) accept_one();
}

static void handle_signals(void) {
  struct sigaction action;
  if (pipe(wake) != 0) die("pipe");
  set_nonblocking(wake[0]);
  set_nonblocking(wake[1]);
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, NULL);
  sigaction(SIGUSR2, &action, NULL);
  action.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &action, NULL);
}

int main(int argc, char **argv) {
  pid_t parent = getppid();
  int i;
  if (argc != 2) {
    fprintf(stderr, "usage: rawserver DIR\n");
    return 2;
  }
  directory = argv[1];
  for (i = 0; i < CONNECTIONS_MAX; i++) connections[i].fd = -1;
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  handle_signals();
  start_listening();
  printf("%ld %d\n", (long)getpid(), ntohs(address.sin_port));
  fflush(stdout);
  while (getppid() == parent) turn();
  return 0;
}
