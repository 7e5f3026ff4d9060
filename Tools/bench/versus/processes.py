"""Programs that are run once, and programs that measure whenever they are asked."""

import contextlib
import json
import queue
import subprocess
import threading


class Failed(Exception):
    """A program gave nothing; the message says which, and what it said."""


def output_of(command):
    """The last line a program printed, as JSON."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


class Engine:
    """A process that measures once for each line it is sent."""

    def __init__(self, command, lines=1, patience=None):
        """lines: that it prints each time; patience: seconds that each may take."""
        self.command, self.lines, self.patience = [str(part) for part in command], lines, patience

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.printed = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def listen(self):
        for line in self.process.stdout:
            self.printed.put(line)
        self.printed.put(None)

    def __exit__(self, *_):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()

    def stop(self):
        self.process.kill()
        self.process.wait()

    def line(self):
        try:
            line = self.printed.get(timeout=self.patience)
        except queue.Empty:
            raise Failed(f"{self.command[0]} gave nothing within {self.patience} s") from None
        if line is None:
            raise Failed(f"{self.command[0]} ended before it had measured")
        try:
            return json.loads(line)
        except ValueError:
            raise Failed(f"{self.command[0]} printed no measurement but {line.strip()[:200]}") from None

    def measure(self):
        """What it printed, one object for each of its caches; an engine that fails is stopped."""
        try:
            with contextlib.suppress(BrokenPipeError):  # one that has ended is noticed by what it prints
                self.process.stdin.write("\n")
                self.process.stdin.flush()
            return [self.line() for _ in range(self.lines)]
        except Failed:
            self.stop()
            raise
