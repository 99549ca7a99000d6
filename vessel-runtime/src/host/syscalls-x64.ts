/** Numbers of the system calls of x86_64 that a vessel process may make without a look at their arguments. */
export const ALLOWED_X64: Readonly<Record<string, number>> = {
  // Reading, writing, waiting.
  ...{ read: 0, write: 1, close: 3, poll: 7, lseek: 8, pread64: 17, readv: 19, writev: 20, select: 23, dup: 32 },
  ...{ fcntl: 72, pselect6: 270, ppoll: 271, eventfd2: 290, dup3: 292, pipe2: 293, close_range: 436 },
  ...{ epoll_wait: 232, epoll_ctl: 233, epoll_pwait: 281, epoll_create1: 291, epoll_pwait2: 441 },
  // Files, of which there are few and none to write.
  ...{ stat: 4, fstat: 5, lstat: 6, access: 21, getcwd: 79, readlink: 89, statfs: 137, fstatfs: 138 },
  ...{ getdents64: 217, fadvise64: 221, newfstatat: 262, readlinkat: 267, faccessat: 269 },
  ...{ statx: 332, faccessat2: 439 },
  // Memory.
  ...{ mprotect: 10, munmap: 11, brk: 12, mremap: 25, mincore: 27, madvise: 28, membarrier: 324 },
  // Sockets; which ones there can be is decided at `socket`.
  ...{ connect: 42, accept: 43, sendto: 44, recvfrom: 45, sendmsg: 46, recvmsg: 47, shutdown: 48, bind: 49 },
  ...{ listen: 50, getsockname: 51, getpeername: 52, setsockopt: 54, getsockopt: 55, accept4: 288 },
  ...{ recvmmsg: 299, sendmmsg: 307 },
  // Threads and signals; in its own process id namespace there is nobody else to signal.
  ...{ rt_sigaction: 13, rt_sigprocmask: 14, rt_sigreturn: 15, sigaltstack: 131, arch_prctl: 158, gettid: 186 },
  ...{ futex: 202, set_tid_address: 218, restart_syscall: 219, tgkill: 234, set_robust_list: 273, rseq: 334 },
  ...{ sched_yield: 24, sched_getparam: 143, sched_getscheduler: 145, sched_getaffinity: 204 },
  // Time, chance, and what it is.
  ...{ nanosleep: 35, gettimeofday: 96, times: 100, time: 201, clock_gettime: 228, clock_getres: 229 },
  ...{ clock_nanosleep: 230, getcpu: 309, getrandom: 318, getpid: 39, uname: 63, getrlimit: 97, getrusage: 98 },
  ...{ sysinfo: 99, getuid: 102, getgid: 104, geteuid: 107, getegid: 108, getppid: 110, capget: 125 },
  // The launcher still has to become Node. Afterwards there is nothing to execute but Node, behind the same filter.
  ...{ execve: 59, exit: 60, exit_group: 231 },
};

/** System calls whose arguments decide. */
export const JUDGED_X64 = {
  open: 2,
  openat: 257,
  mmap: 9,
  socket: 41,
  clone: 56,
  ioctl: 16,
  prctl: 157,
  prlimit64: 302,
  clone3: 435,
} as const;
