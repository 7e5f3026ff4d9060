#include "stop_signals.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef __linux__
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#endif

static atomic_int first;
static atomic_int ends_at_once;

int bb_stop_signal(void) { return atomic_load_explicit(&first, memory_order_relaxed); }

int bb_stop_forget_interrupt(void) {
  int interrupt = SIGINT;
  if (!atomic_compare_exchange_strong(&first, &interrupt, 0) && interrupt != 0) return 0;
  alarm(0);
  return 1;
}

void bb_stop_at_once(void) {
  atomic_store(&ends_at_once, 1);
  if (bb_stop_signal() != 0) _exit(bb_stop_exit_code(bb_stop_signal()));
}

int bb_stop_exit_code(int signal) { return signal == SIGINT ? 130 : 143; }

static void hear(int signal) {
  int none = 0;
  if (atomic_compare_exchange_strong(&first, &none, signal)) {
    if (atomic_load(&ends_at_once)) _exit(bb_stop_exit_code(signal));
    alarm(BB_STOP_SECONDS);
    return;
  }
  _exit(bb_stop_exit_code(none));
}

static void give_up(int signal) {
  (void)signal;
  static const char message[] = "error: did not end by itself after the signal; ended\n";
  const ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
  (void)ignored;
  _exit(bb_stop_exit_code(bb_stop_signal()));
}

// Swift's collections end the process where the system has no memory for them: with a sentence instead of registers.
static void abandon(int signal) {
  if (errno == ENOMEM) {
    static const char message[] = "error: out of memory: the system gave no more; fewer threads, a smaller batch or a "
                                  "higher limit on memory would help\n";
    const ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
    (void)ignored;
    _exit(1);
  }
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, NULL);
  raise(signal);
}

static void handle(int signal, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, NULL);
}

void bb_stop_listen(void) {
  handle(SIGPIPE, SIG_DFL);
  handle(SIGXFSZ, SIG_IGN);
  handle(SIGALRM, give_up);
  handle(SIGABRT, abandon);
  handle(SIGILL, abandon);
  const int signals[] = {SIGINT, SIGTERM, SIGUSR1};
  // A parent may have blocked them; such a mask is inherited.
  sigset_t mask;
  sigemptyset(&mask);
  sigaddset(&mask, SIGALRM);
  for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
    handle(signals[i], hear);
    sigaddset(&mask, signals[i]);
  }
  sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

#ifdef __linux__
static void follow_parent(char **environment) {
  const size_t length = strlen(BB_PARENT_VARIABLE "=");
  for (char **entry = environment; entry && *entry; entry++)
    if (strncmp(*entry, BB_PARENT_VARIABLE "=", length) == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      // It may have ended before the system was asked.
      if (getppid() != atoi(*entry + length)) _exit(143);
    }
}

// Files that are opened later would take the places of standard input, output and error that were closed, and what is
// printed would be written into them. Reading finds nothing there, and writing fails as it would have.
static void keep_standard_files(void) {
  for (int file = STDIN_FILENO; file <= STDERR_FILENO; file++)
    if (fcntl(file, F_GETFD) == -1 && open("/dev/null", O_RDONLY) == -1) _exit(1);
}

// The bytes of addresses that Swift's runtime needs to begin with; with less it ends by a signal.
enum { LEAST_ADDRESSES = 4 << 20 };

static void check_addresses(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  char text[32] = "";
  const int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  const ssize_t length = file == -1 ? 0 : read(file, text, sizeof text - 1);
  if (file != -1) close(file);
  if (length <= 0) return;
  const unsigned long long mapped = strtoull(text, NULL, 10) * (unsigned long long)sysconf(_SC_PAGESIZE);
  if (limit.rlim_cur >= mapped + LEAST_ADDRESSES) return;
  static const char message[] = "error: the limit on the address space (ulimit -v) leaves nothing to begin with; 48 MiB "
                                "more would do for the smallest models\n";
  const ssize_t ignored = write(STDERR_FILENO, message, sizeof message - 1);
  (void)ignored;
  _exit(1);
}

// Programs that only test the library keep their own signals.
static int is_test(const char *program) {
  const char *end = strrchr(program, '.');
  return end && strcmp(end, ".xctest") == 0;
}

static void begin(int count, char **arguments, char **environment) {
  if (count > 0 && is_test(arguments[0])) return;
  keep_standard_files();
  check_addresses();
  bb_stop_listen();
  follow_parent(environment);
}

// Run by the loader before the initializers of any library.
__attribute__((section(".preinit_array"), used)) static void (*const early)(int, char **, char **) = begin;
#endif
