// The signals that ask a command to stop, heard from the first moment of the process on.
#ifndef BB_STOP_SIGNALS_H
#define BB_STOP_SIGNALS_H

#ifdef __cplusplus
extern "C" {
#endif

// Seconds in which a command that was asked to stop has to end by itself.
enum { BB_STOP_SECONDS = 5 };

// Begins to listen for SIGINT, SIGTERM and SIGUSR1 (which batch systems send before their limit). The first is noted; a
// second one, or BB_STOP_SECONDS, end the process with the exit code of the first: whatever it does then, it cannot
// keep it from ending. A reader that goes away ends the process quietly (SIGPIPE), and a file that may not grow is an
// error of the write (SIGXFSZ). Where the C library has no memory left, an abort (SIGABRT, SIGILL) is a message and exit
// code 1. On Linux this is done before any other code of the program runs; so is looking at what the process was started
// with: standard files that were closed, and a limit on the address space that leaves nothing.
void bb_stop_listen(void);

// The signal that came first, or 0.
int bb_stop_signal(void);

// Lets the first signal end the process from now on, and ends it where one was heard before.
void bb_stop_at_once(void);

// Forgets a SIGINT that was noted, and the seconds that go with it: 1, or 0 where another signal was noted.
int bb_stop_forget_interrupt(void);

// What to exit with after that signal: 130 for SIGINT, 143 for the others.
int bb_stop_exit_code(int signal);

// The name of the environment variable by which a command tells one that it starts its own process number: the started
// one is killed when the starting one ends, however that ends (Linux).
#define BB_PARENT_VARIABLE "BITBUDGET_PARENT"

#ifdef __cplusplus
}
#endif
#endif
