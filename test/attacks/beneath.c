/*
 * What a program would try that has broken its engine, each with harmless arguments: see beneath.ts. It is loaded by a
 * vessel's Node in the place of the vessel process, behind the same walls. Never load it elsewhere.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STATUS_FD 3

static char broken[4096];

static void must(const void *bytes, size_t length) {
  const char *at = bytes;
  while (length > 0) {
    ssize_t written = write(STATUS_FD, at, length);
    if (written < 0) _exit(1);
    at += written;
    length -= written;
  }
}

static void frame(const char *json) {
  uint32_t header = htonl(strlen(json));
  must(&header, 4);
  must(json, strlen(json));
}

/* What succeeded although it should not. */
static void open_way(const char *name) {
  size_t length = strlen(broken);
  snprintf(broken + length, sizeof broken - length, "%s%s", length == 0 ? "" : ", ", name);
}

static void refused(const char *name, long result) {
  if (result >= 0) open_way(name);
}

static void verdict(void) {
  char text[sizeof broken + 128];
  snprintf(text, sizeof text, "{\"type\":\"log\",\"text\":\"\\nverdict: %s%s\\n\"}", broken[0] ? "open: " : "held", broken);
  frame(text);
  frame("{\"type\":\"ended\",\"ending\":{\"kind\":\"exitall\",\"message\":\"told\",\"exitCode\":0}}");
  _exit(0);
}

/**
 * 76 process-bomb: makes another process by fork, vfork and clone
 * expected: held
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
 * without seccomp: open: fork, clone, vfork
 */
static void attack_76(void) {
  for (int way = 0; way < 3; way++) {
    unsigned long flags = SIGCHLD | (way == 2 ? 0x4000 /* CLONE_VFORK */ : 0);
    long child = way == 0 ? syscall(SYS_fork) : syscall(SYS_clone, flags, 0, 0, 0, 0);
    if (child == 0) _exit(0);
    refused(way == 0 ? "fork" : way == 1 ? "clone" : "vfork", child);
  }
  refused("clone3", syscall(SYS_clone3, 0, 0));
}

/* The neighbour of them all: answers what it is sent, as the program of one would. */
static void serve(const char *ip, int port) {
  struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(port)}, from;
  socklen_t length = sizeof from;
  char bytes[2048];
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  inet_pton(AF_INET, ip, &own.sin_addr);
  if (bind(fd, (struct sockaddr *)&own, sizeof own) < 0) _exit(1);
  for (;; length = sizeof from) {
    ssize_t got = recvfrom(fd, bytes, sizeof bytes, 0, (struct sockaddr *)&from, &length);
    if (got >= 0) sendto(fd, bytes, got, 0, (struct sockaddr *)&from, length);
  }
}

static const struct {
  int number;
  void (*run)(void);
} ATTACKS[] = {
    {76, attack_76},
};

static void read_whole(char *into, size_t length) {
  while (length > 0) {
    ssize_t got = read(0, into, length);
    if (got <= 0) _exit(0);
    into += got;
    length -= got;
  }
}

/* Cuts the arguments out of the start frame: texts, of which none has a quote in it that is not escaped. */
static int arguments(char *start, char *found[3]) {
  char *at = strstr(start, "\"args\":[\"");
  if (at == NULL) _exit(1);
  at += strlen("\"args\":[\"");
  char *end = strstr(at, "\"]");
  if (end == NULL) _exit(1);
  *end = 0;
  int count = 0;
  while (at != NULL && count < 3) {
    found[count++] = at;
    at = strstr(at, "\",\"");
    if (at != NULL) {
      *at = 0;
      at += strlen("\",\"");
    }
  }
  return count;
}

__attribute__((constructor)) static void taken_over(void) {
  uint32_t header;
  frame("{\"type\":\"ready\"}");
  read_whole((char *)&header, 4);
  char *start = calloc(1, ntohl(header) + 1);
  read_whole(start, ntohl(header));
  frame("{\"type\":\"started\"}");
  char *args[3];
  if (arguments(start, args) != 3) _exit(1);
  int number = atoi(args[2]);
  if (number == 0) serve(args[0], atoi(args[1]));
  for (size_t at = 0; at < sizeof ATTACKS / sizeof *ATTACKS; at++) {
    if (ATTACKS[at].number == number) {
      ATTACKS[at].run();
      verdict();
    }
  }
  _exit(2);
}
