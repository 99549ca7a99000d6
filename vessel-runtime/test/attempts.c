/*
 * What a program would try that has broken out of its engine, each with harmless arguments. It is loaded by a vessel's
 * Node in place of isolated-vm, behind the same walls, and tells in one log frame how each attempt went: "name 0" or
 * "name ERRNO". Never load it elsewhere.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static char text[8192] = "____{\"type\":\"log\",\"text\":\"";
static size_t length;

static void say(const char *name, long result) {
  length += snprintf(text + length, sizeof text - length, "%s %d;", name, result < 0 ? errno : 0);
}

static void tell(void) {
  length += snprintf(text + length, sizeof text - length, "\"}");
  uint32_t header = htonl(length - 4);
  memcpy(text, &header, 4);
  if (write(3, text, length) < 0) _exit(1);
}

__attribute__((constructor)) static void attempt(void) {
  length = strlen(text);
  char *nothing[] = {"sh", "-c", ":", NULL};
  struct rlimit more = {4096, 4096};
  say("socket-inet", socket(AF_INET, SOCK_DGRAM, 0));
  say("socket-inet6", socket(AF_INET6, SOCK_STREAM, 0));
  say("socket-unix", socket(AF_UNIX, SOCK_STREAM, 0));
  say("socket-netlink", socket(AF_NETLINK, SOCK_RAW, 0));
  say("socket-packet", socket(AF_PACKET, SOCK_RAW, 0));
  say("socket-raw", socket(AF_INET, SOCK_RAW, 1));
  say("socket-vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
  say("ptrace", ptrace(PTRACE_TRACEME, 0, 0, 0));
  say("mount", mount("none", "/none", "none", MS_BIND, NULL));
  say("unshare", syscall(SYS_unshare, 0x10000000));
  say("setns", syscall(SYS_setns, -1, 0));
  say("chroot", chroot("/none"));
  say("bpf", syscall(SYS_bpf, 0, 0, 0));
  say("io_uring_setup", syscall(SYS_io_uring_setup, 0, 0));
  say("userfaultfd", syscall(SYS_userfaultfd, 0));
  say("keyctl", syscall(SYS_keyctl, 0, 0, 0));
  say("perf_event_open", syscall(SYS_perf_event_open, 0, 0, -1, -1, 0));
  say("memfd_create", syscall(SYS_memfd_create, "x", 0));
  say("process_vm_readv", syscall(SYS_process_vm_readv, getppid(), 0, 0, 0, 0, 0));
  say("pidfd_open", syscall(SYS_pidfd_open, getpid(), 0));
  say("kill-parent", kill(getppid(), 0));
  say("kill-all", kill(-1, 0));
  say("setuid", setuid(0));
  say("setrlimit", setrlimit(RLIMIT_NOFILE, &more));
  say("clone3", syscall(SYS_clone3, 0, 0));
  say("passwd", open("/etc/passwd", O_RDONLY));
  say("shadow", open("/etc/shadow", O_RDONLY));
  say("proc", open("/proc/self/mem", O_RDONLY));
  say("home", open("/root", O_RDONLY));
  say("write-root", open("/x", O_WRONLY | O_CREAT, 0600));
  say("write-tmp", open("/tmp/x", O_WRONLY | O_CREAT, 0600));
  for (int fd = 0; fd < 64; fd++) {
    long made = openat(fd, "made", O_WRONLY | O_CREAT, 0600);
    if (made >= 0) say("write-left-open", made);
  }
  say("exec", execv("/bin/sh", nothing));
  long child = syscall(SYS_vfork);
  if (child == 0) _exit(0);
  say("vfork", child);
  child = syscall(SYS_fork);
  if (child == 0) _exit(0);
  say("fork", child);
  child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  say("clone", child);
  tell();
}
