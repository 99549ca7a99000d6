/*
 * What a program would try that has broken its engine, each with harmless arguments: see beneath.ts. It is loaded by a
 * vessel's Node in the place of the vessel process, behind the same walls. Never load it elsewhere.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
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

static const char *facts, *variant;

/* A fact about the world, out of JSON inside of JSON: a text or a number. */
static const char *fact(const char *name, char *into, size_t size) {
  char key[64];
  snprintf(key, sizeof key, "\\\"%s\\\":", name);
  const char *at = strstr(facts, key);
  if (at == NULL) _exit(3);
  at += strlen(key);
  int quoted = strncmp(at, "\\\"", 2) == 0;
  const char *end = quoted ? strstr(at += 2, "\\\"") : at + strcspn(at, ",}]");
  snprintf(into, size, "%.*s", (int)(end - at), at);
  return into;
}

static long number(const char *name) {
  char text[32];
  return atol(fact(name, text, sizeof text));
}

/**
 * 76 process-bomb: makes another process by fork, vfork and clone
 * expected: held
 * without seccomp: open: fork, clone, vfork
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
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

/**
 * 77 exec: becomes a shell; becomes Node without its flags, which then reads files and starts a child
 * expected: held
 * without seccomp: open: a child
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
 */
static void attack_77(void) {
  char *shell[] = {"sh", "-c", ":", NULL};
  const char *paths[] = {"/bin/sh", "/usr/bin/env", "/bin/busybox", "/usr/bin/python3", "/proc/self/exe", "/vessel/vessel.mjs"};
  for (size_t at = 0; at < sizeof paths / sizeof *paths; at++) refused(paths[at], execv(paths[at], shell));
  refused("execveat", syscall(SYS_execveat, AT_FDCWD, "/bin/sh", shell, NULL, 0));
  if (broken[0]) return;
  char *node[] = {"node", "--no-node-snapshot", "-e",
    "const { readFileSync, writeFileSync, writeSync } = require('fs'); const { spawnSync } = require('child_process');"
    "const open = []; const may = (name, use) => { try { use(); open.push(name); } catch {} };"
    "may('/etc/passwd', () => readFileSync('/etc/passwd')); may('/proc', () => readFileSync('/proc/self/maps'));"
    "may('a file', () => writeFileSync('/vessel/made', 'x')); may('another', () => writeFileSync('/tmp/made', 'x'));"
    "if (spawnSync('/vessel/node', ['--version']).error === undefined) open.push('a child');"
    "const say = (value) => { const body = Buffer.from(JSON.stringify(value)); const head = Buffer.alloc(4);"
    "  head.writeUInt32BE(body.length); writeSync(3, Buffer.concat([head, body])); };"
    "say({ type: 'log', text: '\\nverdict: ' + (open.length === 0 ? 'held' : 'open: ' + open.join(', ')) + '\\n' });"
    "say({ type: 'ended', ending: { kind: 'exitall', message: 'told', exitCode: 0 } }); process.exit(0);", NULL};
  /* Node has marked them to be closed. */
  for (int fd = 0; fd <= STATUS_FD; fd++) fcntl(fd, F_SETFD, 0);
  execv("/vessel/node", node);
}

/**
 * 78 reach-a-process: traces, reads, signals and opens the node manager, whose number it knows
 * expected: held
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
 */
static void attack_78(void) {
  pid_t manager = number("managerPid");
  char path[64], byte;
  struct iovec here = {&byte, 1}, there = {&byte, 1};
  refused("ptrace", ptrace(PTRACE_SEIZE, manager, 0, 0));
  refused("process_vm_readv", process_vm_readv(manager, &here, 1, &there, 1, 0));
  refused("process_vm_writev", process_vm_writev(manager, &here, 1, &there, 1, 0));
  refused("kill", kill(manager, 0));
  refused("tgkill", syscall(SYS_tgkill, manager, manager, 0));
  refused("pidfd_open", syscall(SYS_pidfd_open, manager, 0));
  refused("prlimit", prlimit(manager, RLIMIT_NOFILE, NULL, &(struct rlimit){0}));
  const char *files[] = {"mem", "maps", "environ", "fd", "root", "cwd", "ns/net"};
  for (size_t at = 0; at < sizeof files / sizeof *files; at++) {
    snprintf(path, sizeof path, "/proc/%d/%s", manager, files[at]);
    refused(path, open(path, O_RDONLY));
  }
  refused("/proc/self/mem", open("/proc/self/mem", O_RDONLY));
}

/**
 * 79 rebuild-the-world: mounts, namespaces, roots, rings, keys, programs for the kernel, memory files
 * expected: held
 * without seccomp: held or open: ...
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
 */
static void attack_79(void) {
  refused("mount", mount("none", "/none", "none", MS_BIND, NULL));
  refused("umount", umount2("/none", MNT_DETACH));
  refused("pivot_root", syscall(SYS_pivot_root, "/none", "/none"));
  refused("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
  refused("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
  refused("unshare", syscall(SYS_unshare, 0x10000000 /* CLONE_NEWUSER */));
  refused("setns", syscall(SYS_setns, -1, 0));
  refused("chroot", chroot("/none"));
  refused("bpf", syscall(SYS_bpf, 0, 0, 0));
  refused("io_uring_setup", syscall(SYS_io_uring_setup, 0, 0));
  refused("userfaultfd", syscall(SYS_userfaultfd, 0));
  refused("keyctl", syscall(SYS_keyctl, 0, -3, 0));
  refused("add_key", syscall(SYS_add_key, "user", "x", "x", 1, -2));
  refused("perf_event_open", syscall(SYS_perf_event_open, 0, 0, -1, -1, 0));
  refused("memfd_create", syscall(SYS_memfd_create, "x", 0));
  refused("memfd_secret", syscall(447, 0));
  refused("init_module", syscall(SYS_init_module, 0, 0, ""));
  refused("swapon", syscall(SYS_swapon, "/none", 0));
  refused("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, 0, 0));
  refused("fanotify_init", syscall(SYS_fanotify_init, 0, 0));
  refused("inotify_init1", syscall(SYS_inotify_init1, 0));
  refused("shmget", syscall(SYS_shmget, 0, 4096, 0));
  refused("msgget", syscall(SYS_msgget, 0, 0));
  refused("personality", syscall(SYS_personality, 0xffffffff));
  refused("modify_ldt", syscall(SYS_modify_ldt, 0, broken, 0));
  refused("settimeofday", syscall(SYS_settimeofday, NULL, NULL));
  refused("sethostname", sethostname("x", 1));
  refused("reboot", syscall(SYS_reboot, 0, 0, 0, 0));
}

/**
 * 80 other-sockets: makes sockets of the machine itself, of raw packets and of protocols other than TCP and UDP
 * expected: held
 * without seccomp: held or open: ...
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
 */
static void attack_80(void) {
  int pair[2];
  refused("AF_UNIX", socket(AF_UNIX, SOCK_STREAM, 0));
  refused("AF_UNIX datagrams", socket(AF_UNIX, SOCK_DGRAM, 0));
  refused("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  refused("AF_NETLINK", socket(AF_NETLINK, SOCK_RAW, 0));
  refused("AF_PACKET", socket(AF_PACKET, SOCK_RAW, 0));
  refused("raw", socket(AF_INET, SOCK_RAW, 1));
  refused("raw of IPv6", socket(AF_INET6, SOCK_RAW, 58));
  refused("AF_VSOCK", socket(40, SOCK_STREAM, 0));
  refused("AF_ALG", socket(38, SOCK_SEQPACKET, 0));
  refused("AF_BLUETOOTH", socket(31, SOCK_RAW, 0));
  refused("SCTP", socket(AF_INET, SOCK_STREAM, 132));
  refused("MPTCP", socket(AF_INET, SOCK_STREAM, 262));
  refused("ping", socket(AF_INET, SOCK_DGRAM, 1));
}

/**
 * 81 files: reads passwords, keys and the files of other vessels; writes, links, renames and removes wherever it can
 * expected: held
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
 */
static void attack_81(void) {
  char directory[512], mark[64], path[1024];
  fact("directory", directory, sizeof directory);
  fact("mark", mark, sizeof mark);
  const char *read_only[] = {"/etc/passwd", "/etc/shadow", "/root", "/home", "/proc/self/maps", "/dev/mem", "/dev/urandom", "/sys/kernel"};
  for (size_t at = 0; at < sizeof read_only / sizeof *read_only; at++) refused(read_only[at], open(read_only[at], O_RDONLY));
  const char *own[] = {"", "/state/node.jwk", "/state/nodemanager.sqlite", "/state/vessels/v1/files/secret.txt", "/outside/secret"};
  for (size_t at = 0; at < sizeof own / sizeof *own; at++) {
    snprintf(path, sizeof path, "%s%s", directory, own[at]);
    refused(path, open(path, O_RDONLY));
  }
  const char *places[] = {"", "/tmp", "/var/tmp", "/dev/shm", "/run", "/vessel", "/usr", "/lib", directory};
  for (size_t at = 0; at < sizeof places / sizeof *places; at++) {
    snprintf(path, sizeof path, "%s/%s", places[at], mark);
    refused(path, open(path, O_WRONLY | O_CREAT, 0600));
    refused("mkdir", mkdir(path, 0700));
    refused("symlink", symlink("/etc/passwd", path));
    refused("link", link("/vessel/vessel.mjs", path));
    refused("mknod", mknod(path, S_IFIFO | 0600, 0));
    refused("O_TMPFILE", open(places[at][0] ? places[at] : "/", O_TMPFILE | O_WRONLY, 0600));
  }
  refused("rename", rename("/vessel/vessel.mjs", "/vessel/other.mjs"));
  refused("unlink", unlink("/vessel/vessel.mjs"));
  refused("truncate", truncate("/vessel/vessel.mjs", 0));
  refused("chmod", chmod("/vessel", 0777));
  refused("utimes", utimensat(AT_FDCWD, "/vessel/vessel.mjs", NULL, 0));
  refused("write the runtime", open("/vessel/vessel.mjs", O_WRONLY));
  refused("write node", open("/vessel/node", O_RDWR));
  for (int fd = 0; fd < 256; fd++) refused("a descriptor left open", openat(fd, mark, O_WRONLY | O_CREAT, 0600));
}

/**
 * 82 privileges: raises limits, takes another user, priority, capabilities, and lays filters of its own
 * expected: held
 * without seccomp: held or open: ...
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
 */
static void attack_82(void) {
  struct rlimit more = {4096, 4096};
  struct sched_param param = {.sched_priority = 1};
  refused("setrlimit", setrlimit(RLIMIT_NOFILE, &more));
  refused("prlimit", prlimit(0, RLIMIT_CORE, &more, NULL));
  refused("sched_setscheduler", sched_setscheduler(0, SCHED_FIFO, &param));
  refused("setpriority", setpriority(PRIO_PROCESS, 0, -20));
  refused("another user", setresuid(60999, 60999, 60999));
  refused("another group", setresgid(60999, 60999, 60999));
  refused("groups", syscall(SYS_setgroups, 1, &(gid_t){0}));
  if (getuid() != 0) refused("setuid", setuid(0));
  refused("capset", syscall(SYS_capset, &(struct { unsigned version; int pid; }){0x20080522, 0}, &(unsigned[6]){~0u, ~0u}));
  refused("a filter of its own", prctl(PR_SET_SECCOMP, 2, NULL));
  refused("seccomp", syscall(SYS_seccomp, 2, 0, &(unsigned){0x7fff0000}));
  refused("a core", prctl(PR_SET_DUMPABLE, 1));
  refused("no death with its parent", prctl(PR_SET_PDEATHSIG, 0));
  refused("setsid", setsid());
  refused("ioperm", syscall(SYS_iopl, 3));
}

static void *wait_for_ever(void *nothing) {
  for (;;) nanosleep(&(struct timespec){1000, 0}, NULL);
  return nothing;
}

/**
 * 83 memory-and-threads: takes 10 GB of memory and writes to each page; starts 5,000 threads
 * expected: held or killed: memory
 * variants: memory, threads
 * resource memory 60000000
 * safe without: permission model, no_new_privs, seccomp
 */
static void attack_83(void) {
  if (strcmp(variant, "memory") == 0) {
    const size_t piece = 64 << 20;
    for (int at = 0; at < 160; at++) {
      char *bytes = mmap(NULL, piece, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (bytes == MAP_FAILED) return;
      for (size_t page = 0; page < piece; page += 4096) bytes[page] = 1;
    }
    open_way("10 GB");
    return;
  }
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 16384);
  for (int at = 0; at < 5000; at++) {
    pthread_t thread;
    if (pthread_create(&thread, &small, wait_for_ever, NULL) != 0) return;
  }
  open_way("5,000 threads");
}

/**
 * 84 other-ports: connects to the node manager, binds a port off its list, sends to the neighbour: ports are checked in the
 * process itself, so behind a broken engine the network of the machine is open
 * expected: open: TCP to the node manager, a port off the list, UDP to a neighbour
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
 */
static void attack_84(void) {
  char ip[64];
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(number("manager"))};
  inet_pton(AF_INET, fact("ip", ip, sizeof ip), &to.sin_addr);
  refused("TCP to the node manager", connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof to));
  to.sin_port = htons(number("neighbour") + 5);
  refused("a port off the list", bind(socket(AF_INET, SOCK_DGRAM, 0), (struct sockaddr *)&to, sizeof to));
  to.sin_port = htons(number("neighbour"));
  refused("UDP to a neighbour", sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, (struct sockaddr *)&to, sizeof to));
}

static void call(const char *id, const char *operation, const char *arguments, const char *more) {
  char text[512];
  snprintf(text, sizeof text, "{\"type\":\"call\",\"id\":%s,\"operation\":\"%s\",\"arguments\":[%s]%s}", id, operation, arguments, more);
  frame(text);
}

/**
 * 85 pipe-garbage: writes what is no frame, what kills a parent through Node's ipc channel, 300 MB, lengths that lie,
 * deep JSON, calls of its node manager for files of others and with attachments that never come, and frames as fast as it can
 * expected: killed: crashed or stopped
 * variants: text, handle, huge, long, short, deep, prototype, ending, call, traversal, room, operation, attached, flood
 * stop: when it runs
 * slow: yes
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
 */
static void attack_85(void) {
  static char many[1 << 20];
  uint32_t length = 0xffffffff;
  memset(many, '[', sizeof many);
  if (strcmp(variant, "text") == 0) must("not json\n", 9);
  else if (strcmp(variant, "handle") == 0) frame("{\"cmd\":\"NODE_HANDLE\",\"type\":\"nope\"}");
  else if (strcmp(variant, "huge") == 0) for (int at = 0; at < 300; at++) must(many, sizeof many);
  else if (strcmp(variant, "long") == 0) must(&length, 4);
  else if (strcmp(variant, "short") == 0) must("\0\0\0\0\0\0\0\1{", 9);
  else if (strcmp(variant, "deep") == 0) {
    many[60000] = 0;
    frame(many);
  } else if (strcmp(variant, "prototype") == 0) frame("{\"type\":\"usage\",\"usage\":{\"__proto__\":{\"x\":1}},\"x\":1}");
  else if (strcmp(variant, "ending") == 0)
    frame("{\"type\":\"ended\",\"ending\":{\"kind\":\"stopped\",\"message\":\"by nobody\",\"exitCode\":0}}");
  else if (strcmp(variant, "call") == 0) call("-1e400", "listfiles", "", "");
  else if (strcmp(variant, "traversal") == 0) call("1", "openfile", "\"../../v1/files/secret.txt\",false,false", "");
  else if (strcmp(variant, "room") == 0) for (int at = 0; at < 4; at++) call("4", "readat", "\"x\",0", ",\"room\":1048576");
  else if (strcmp(variant, "operation") == 0) {
    call("1", "__proto__", "", "");
    call("2", "constructor", "\"x\"", "");
    call("3", "hasOwnProperty", "\"openfile\"", "");
    frame("{\"type\":\"log\",\"text\":\"running \"}");
  } else if (strcmp(variant, "attached") == 0) {
    frame("{\"type\":\"log\",\"text\":\"running \"}");
    call("1", "writeat", "\"x\",0", ",\"attached\":1048576");
  }
  else for (;;) frame("{\"type\":\"log\",\"text\":\"running \"}");
  for (;;) nanosleep(&(struct timespec){1000, 0}, NULL);
}

/**
 * 86 inherited-descriptors: looks at each descriptor that it was born with, for files, directories and sockets not its own
 * expected: held
 * walls: seccomp
 * safe without: permission model, no_new_privs, rlimits, seccomp, own user, governor
 */
static void attack_86(void) {
  struct stat root = {0}, info;
  stat("/", &root);
  for (int fd = 0; fd < 1024; fd++) {
    char name[64];
    if (fstat(fd, &info) < 0) continue;
    const char *kind = S_ISREG(info.st_mode)   ? "file"
                       : S_ISBLK(info.st_mode) ? "disk"
                       : S_ISSOCK(info.st_mode) && fd > 3 ? "socket"
                       : S_ISDIR(info.st_mode) && (info.st_ino != root.st_ino || info.st_dev != root.st_dev) ? "directory"
                                               : NULL;
    if (kind == NULL) continue;
    snprintf(name, sizeof name, "%s %d", kind, fd);
    open_way(name);
  }
}

/**
 * 87 will-not-die: ignores every signal, stops itself, closes its pipes, blocks in a call
 * expected: stopped or killed: crashed
 * variants: ignore, stop, closed, block
 * stop: when it runs
 * safe without: permission model, no_new_privs, rlimits, own user, governor
 */
static void attack_87(void) {
  frame("{\"type\":\"log\",\"text\":\"running\"}");
  if (strcmp(variant, "ignore") == 0) for (int at = 1; at < 65; at++) signal(at, SIG_IGN);
  if (strcmp(variant, "stop") == 0) syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGSTOP);
  if (strcmp(variant, "closed") == 0) for (int fd = 0; fd < 256; fd++) close(fd);
  if (strcmp(variant, "block") == 0) {
    int ends[2];
    char byte;
    if (pipe2(ends, 0) == 0 && read(ends[0], &byte, 1) < 0) _exit(0);
  }
  for (;;) syscall(SYS_sched_yield);
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
    {77, attack_77},
    {78, attack_78},
    {79, attack_79},
    {80, attack_80},
    {81, attack_81},
    {82, attack_82},
    {83, attack_83},
    {84, attack_84},
    {85, attack_85},
    {86, attack_86},
    {87, attack_87},
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
  const char *wanted = "{\"type\":\"start\"";
  char *start = NULL;
  frame("{\"type\":\"ready\"}");
  do {
    uint32_t header;
    read_whole((char *)&header, 4);
    free(start);
    start = calloc(1, ntohl(header) + 1);
    read_whole(start, ntohl(header));
  } while (strncmp(start, wanted, strlen(wanted)) != 0);
  frame("{\"type\":\"started\"}");
  char *args[3];
  if (arguments(start, args) != 3) _exit(1);
  int attack = atoi(args[2]);
  facts = args[0];
  variant = args[1];
  if (attack == 0) serve(args[0], atoi(args[1]));
  for (size_t at = 0; at < sizeof ATTACKS / sizeof *ATTACKS; at++) {
    if (ATTACKS[at].number == attack) {
      ATTACKS[at].run();
      verdict();
    }
  }
  _exit(2);
}
