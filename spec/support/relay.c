/* relay.c - stands between a client and a server of this machine: passes bytes on, later, or not.
 *
 * usage: relay TARGET [DELAY]
 *        relay proxy TARGET FILE
 *        relay silent PORT
 *
 * Listens on a port of 127.0.0.1 that the kernel chooses, prints "PID PORT", and connects each
 * client to 127.0.0.1:TARGET. Bytes are passed on DELAY ms after they came, as over a distance:
 * however many are on their way, each is as late. The kernel lets a client in at once, which over
 * the distance would take there and back: the first bytes of a client come that much later.
 * With SIGUSR1 all present connections fall silent: they stay open, but nothing is passed on any
 * more, as when a load balancer has forgotten them; new ones work. The signal is confirmed by a
 * line.
 *
 * The second form is an HTTP proxy: whatever host it is asked to CONNECT to, it is TARGET. What
 * each client asks with is added to FILE before it is answered.
 *
 * The third form listens on 127.0.0.2:PORT and lets nobody in: attempts to connect get no answer.
 *
 * It ends with SIGTERM, or when the process that started it ends. One process, one thread.
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

#define PAIRS_MAX  64
#define CHUNK_SIZE 65536
#define QUEUE_MAX  4194304 /* bytes on their way in one direction; more are read later */

struct chunk {
  struct chunk *next;
  int64_t due; /* ms: when it is passed on */
  size_t len;
  size_t sent;
  char bytes[];
};

/* One direction of a pair of connections. */
struct way {
  struct chunk *first;
  struct chunk **end;
  size_t queued;
  bool over; /* the sender has closed */
};

struct pair {
  int fd[2];    /* client, server; -1: free */
  int64_t open; /* ms: when over the distance the client would have been let in */
  struct way way[2];
  bool silent;
  bool asks; /* of a proxy: the client has not been let through yet */
};

static struct pair pairs[PAIRS_MAX];
static int listener;
static int64_t delay_ms;
static const char *asked; /* file of what a proxy was asked; NULL: this is none */
static struct sockaddr_in target;
static volatile sig_atomic_t silence;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static int64_t now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct sockaddr_in address_of(const char *host, int port) {
  struct sockaddr_in address;
  memset(&address, 0, sizeof address);
  address.sin_family = AF_INET;
  address.sin_port = htons((uint16_t)port);
  inet_pton(AF_INET, host, &address.sin_addr);
  return address;
}

static int open_socket(void) {
  int one = 1;
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (fd < 0) die("socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

static void set_nonblocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static int listen_on(struct sockaddr_in *address, int backlog) {
  socklen_t size = sizeof *address;
  int fd = open_socket();
  if (bind(fd, (struct sockaddr *)address, size) != 0) die("bind");
  if (listen(fd, backlog) != 0) die("listen");
  if (getsockname(fd, (struct sockaddr *)address, &size) != 0) die("getsockname");
  return fd;
}

/* Passes nothing on and reads nothing, until the parent ends. */
static int stay_silent(int port, pid_t parent) {
  struct sockaddr_in address = address_of("127.0.0.2", port);
  int i;
  listen_on(&address, 0);
  for (i = 0; i < 4; i++) { /* fills the queue of those who wait to be let in */
    int fd = open_socket();
    set_nonblocking(fd);
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0 && errno != EINPROGRESS) {
      die("connect");
    }
  }
  poll(NULL, 0, 50);
  printf("%ld %d\n", (long)getpid(), port);
  fflush(stdout);
  while (getppid() == parent) poll(NULL, 0, 200);
  return 0;
}

static void accept_one(void) {
  struct pair *pair = pairs;
  int one = 1;
  int client = accept(listener, NULL, NULL);
  int server;
  if (client < 0) return;
  while (pair < pairs + PAIRS_MAX && pair->fd[0] >= 0) pair++;
  server = open_socket();
  if (pair == pairs + PAIRS_MAX ||
      connect(server, (struct sockaddr *)&target, sizeof target) != 0) {
    close(client);
    close(server);
    return;
  }
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  set_nonblocking(client);
  set_nonblocking(server);
  memset(pair, 0, sizeof *pair);
  pair->fd[0] = client;
  pair->fd[1] = server;
  pair->way[0].end = &pair->way[0].first;
  pair->way[1].end = &pair->way[1].first;
  pair->open = now_ms() + 2 * delay_ms;
  pair->asks = asked != NULL;
}

static void end_pair(struct pair *pair) {
  int i;
  for (i = 0; i < 2; i++) {
    while (pair->way[i].first != NULL) {
      struct chunk *chunk = pair->way[i].first;
      pair->way[i].first = chunk->next;
      free(chunk);
    }
    close(pair->fd[i]);
    pair->fd[i] = -1;
  }
}

/* `sent`: when the bytes can have left the sender at the earliest. */
static void put(struct way *way, const char *bytes, size_t n, int64_t sent) {
  struct chunk *chunk = malloc(sizeof *chunk + n);
  if (chunk == NULL) die("malloc");
  chunk->next = NULL;
  chunk->due = sent + delay_ms;
  chunk->len = n;
  chunk->sent = 0;
  memcpy(chunk->bytes, bytes, n);
  *way->end = chunk;
  way->end = &chunk->next;
  way->queued += n;
}

/* Takes a part of what a proxy is asked, and answers when it is whole. */
static void hear(struct pair *pair, const char *bytes, size_t n, int64_t now) {
  static const char answer[] = "HTTP/1.1 200 Connected\r\n\r\n";
  FILE *file = fopen(asked, "ab");
  if (file == NULL || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) die(asked);
  if (n < 4 || memcmp(bytes + n - 4, "\r\n\r\n", 4) != 0) return;
  pair->asks = false;
  put(&pair->way[1], answer, sizeof answer - 1, now);
}

/* Takes what one side has sent. */
static void take(struct pair *pair, int side, int64_t sent) {
  char bytes[CHUNK_SIZE];
  ssize_t n = recv(pair->fd[side], bytes, sizeof bytes, 0);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) pair->way[side].over = true;
  if (n <= 0) return;
  if (side == 0 && pair->asks) {
    hear(pair, bytes, (size_t)n, sent);
  } else {
    put(&pair->way[side], bytes, (size_t)n, sent);
  }
}

/* Passes on what is due. Gives false when the receiver has gone. */
static bool pass_on(struct way *way, int to, int64_t now) {
  while (way->first != NULL && way->first->due <= now) {
    struct chunk *chunk = way->first;
    ssize_t n = send(to, chunk->bytes + chunk->sent, chunk->len - chunk->sent, MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == EINTR;
    chunk->sent += (size_t)n;
    way->queued -= (size_t)n;
    if (chunk->sent < chunk->len) return true;
    way->first = chunk->next;
    if (way->first == NULL) way->end = &way->first;
    free(chunk);
  }
  return true;
}

static void serve(struct pair *pair, const struct pollfd *polls, int64_t now) {
  int i;
  for (i = 0; i < 2; i++) {
    if (polls[i].revents != 0 && !pair->way[i].over) {
      take(pair, i, now < pair->open ? pair->open : now);
    }
    if (!pass_on(&pair->way[i], pair->fd[!i], now)) {
      end_pair(pair);
      return;
    }
  }
  for (i = 0; i < 2; i++) {
    if (pair->way[i].over && pair->way[i].first == NULL) {
      end_pair(pair);
      return;
    }
  }
}

/* What to poll one side for; shortens the wait to the next chunk's moment. */
static struct pollfd poll_of(const struct pair *pair, int side, int64_t now, int *wait_ms) {
  const struct chunk *chunk = pair->way[!side].first; /* what goes to this side */
  struct pollfd p = {pair->fd[side], 0, 0};
  if (pair->silent) p.fd = -1;
  if (!pair->way[side].over && pair->way[side].queued < QUEUE_MAX) p.events = POLLIN;
  if (chunk == NULL || p.fd < 0) return p;
  if (chunk->due <= now) {
    p.events |= POLLOUT;
  } else if (chunk->due - now < *wait_ms) {
    *wait_ms = (int)(chunk->due - now);
  }
  return p;
}

static void turn(void) {
  struct pollfd polls[2 * PAIRS_MAX + 1];
  int wait_ms = 200;
  int64_t now = now_ms();
  int i;
  for (i = 0; i < PAIRS_MAX; i++) {
    polls[2 * i] = poll_of(&pairs[i], 0, now, &wait_ms);
    polls[2 * i + 1] = poll_of(&pairs[i], 1, now, &wait_ms);
  }
  polls[2 * PAIRS_MAX] = (struct pollfd){listener, POLLIN, 0};
  if (poll(polls, 2 * PAIRS_MAX + 1, wait_ms) < 0) {
    for (i = 0; i <= 2 * PAIRS_MAX; i++) polls[i].revents = 0;
  }
  if (silence) {
    silence = 0;
    for (i = 0; i < PAIRS_MAX; i++) pairs[i].silent = pairs[i].fd[0] >= 0;
    puts("silent");
    fflush(stdout);
  }
  now = now_ms();
  for (i = 0; i < PAIRS_MAX; i++) {
    if (pairs[i].fd[0] >= 0 && !pairs[i].silent) serve(&pairs[i], &polls[2 * i], now);
  }
  if (polls[2 * PAIRS_MAX].revents != 0) accept_one();
}

static void on_signal(int number) {
  (void)number;
  silence = 1;
}

int main(int argc, char **argv) {
  struct sockaddr_in address = address_of("127.0.0.1", 0);
  struct sigaction action;
  pid_t parent = getppid();
  int i;
  if (argc < 2 || argc > 4) {
    fprintf(stderr, "usage: relay TARGET [DELAY] | relay proxy TARGET FILE | relay silent PORT\n");
    return 2;
  }
  if (strcmp(argv[1], "silent") == 0) return stay_silent(atoi(argv[2]), parent);
  if (strcmp(argv[1], "proxy") == 0) {
    asked = argv[3];
    argc -= 2;
    argv++;
  }
  target = address_of("127.0.0.1", atoi(argv[1]));
  delay_ms = argc == 3 ? atol(argv[2]) : 0;
  for (i = 0; i < PAIRS_MAX; i++) pairs[i].fd[0] = pairs[i].fd[1] = -1;
  memset(&action, 0, sizeof action);
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, NULL);
  listener = listen_on(&address, 64);
  set_nonblocking(listener);
  printf("%ld %d\n", (long)getpid(), ntohs(address.sin_port));
  fflush(stdout);
  while (getppid() == parent) turn();
  return 0;
}
