"""`chat` at a terminal: what a person types, and what comes back."""

import json
import os
import pty
import re
import select
import shutil
import signal
import termios
import time
from contextlib import contextmanager

import pytest

from serving import NANO, program

ASKED = "Start with 8. Then (a) multiply by 3. What is the result?"
UP, CONTROL_A, CONTROL_C, CONTROL_D, CONTROL_K, CONTROL_U = "\x1b[A", "\x01", "\x03", "\x04", "\x0b", "\x15"
# An empty line that is waited for.
PROMPT = r"\r\x1b\[J> \r\x1b\[2C"


class Talk:
    """A terminal in which `chat` runs."""

    def __init__(self, process, terminal):
        self.process, self.terminal = process, terminal
        self.shown = ""

    def type(self, text):
        os.write(self.terminal, text.encode())

    def wait(self, pattern, seconds=60):
        """Waits for a text to be shown, and forgets what was shown up to it; the match."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.shown)):
            assert time.monotonic() < end, f"{pattern} is not shown: {self.shown[-600:]!r}"
            if select.select([self.terminal], [], [], 0.1)[0]:
                self.shown += os.read(self.terminal, 1 << 16).decode(errors="replace")
        self.shown = self.shown[found.end():]
        return found

    def say(self, line, answer):
        """Types a line and waits for what comes of it, and for the next prompt."""
        self.type(line + "\r")
        found = self.wait(answer)
        self.wait(PROMPT)
        return found

    def end(self):
        """The status with which it ends."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            ended, status = os.waitpid(self.process, os.WNOHANG)
            if ended:
                self.process = None
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        raise AssertionError("the chat does not end")


@contextmanager
def talking(folder, model, *flags):
    command = program("chat")
    process, terminal = pty.fork()
    if process == 0:
        environment = {**os.environ, "XDG_STATE_HOME": str(folder / "state"), "TERM": "xterm"}
        os.chdir(folder)
        os.execve(command, [str(command), "--model", str(model), *flags], environment)
    termios.tcsetwinsize(terminal, (24, 200))
    talk = Talk(process, terminal)
    try:
        talk.wait("/help lists")
        talk.wait(PROMPT)
        yield talk
    finally:
        if talk.process:
            os.kill(talk.process, signal.SIGKILL)
            os.waitpid(talk.process, 0)
        os.close(terminal)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "state").mkdir()
    return tmp_path


def test_turns_and_commands(folder):
    with talking(folder, "nano-0.5m", "--seed", "3") as talk:
        # What is kept is kept in pages of some tokens.
        ran, of = map(int, talk.say("Read this with care. " * 8 + ASKED, r"\(ran (\d+) of (\d+) prompt tokens; .*tokens/s").groups())
        assert ran == of
        ran, of = map(int, talk.say("Again, please.", r"\(ran (\d+) of (\d+) prompt tokens").groups())
        assert ran < of
        for line, answer in [
                ("/think 20", "thinking: at most 20 tokens"), ("/kv int4", "KV cache int4"), ("/memory 1GiB", "weights .* peak"),
                ("/system Be brief.", ""), ("/wat", "error: there is no /wat"), ("/kv int5", "error: .*int5"),
                ("/save talk.json", "5 messages in talk.json"), ("/clear", ""), ("/load talk.json", "5 messages\r"),
                ("/load nowhere", "error: .*nowhere"), ("/help", "/save FILE")]:
            talk.say(line, answer)
        assert int(talk.say(ASKED, r"(\d+) of them thought")[1]) <= 20
        talk.type("/quit\r")
        assert talk.end() == 0
    saved = json.loads((folder / "talk.json").read_text())["messages"]
    assert [message["role"] for message in saved] == ["system", "user", "assistant", "user", "assistant"]


def test_control_c_ends_an_answer_and_not_the_program(folder):
    # A model whose replies have no end but that of its context.
    model = folder / "endless"
    shutil.copytree(NANO, model)
    for name, change in (("config.json", {"eos_token_id": 1, "max_position_embeddings": 200_000}),
                         ("generation_config.json", {"eos_token_id": 1})):
        values = json.loads((model / name).read_text()) | change
        (model / name).write_text(json.dumps(values))
    with talking(folder, model, "--seed", "3") as talk:
        talk.type(ASKED + "\r")
        talk.wait(r"\x1b\[\d+C\r\n[^>]")
        talk.type(CONTROL_C)
        talk.wait(r"\(ran .*stopped\)")
        talk.wait(PROMPT)
        # At the prompt it drops the line.
        talk.type("/wat" + CONTROL_C)
        talk.wait(r"\^C\r\n" + PROMPT)
        assert talk.say("/think", "thinking: free")
        talk.type(CONTROL_D)
        assert talk.end() == 0


def test_lines_are_edited_and_kept(folder):
    with talking(folder, "nano-0.5m") as talk:
        talk.say("/thinX 7", "there is no /thinX")
        talk.type(UP + CONTROL_A + CONTROL_K + "/think 30\x7f5")
        talk.say("", "thinking: at most 35 tokens")
        talk.type("rubbish é漢" + CONTROL_U)
        talk.type(CONTROL_D)
        assert talk.end() == 0
    with talking(folder, "nano-0.5m") as talk:
        talk.type(UP)
        talk.say("", "thinking: at most 35 tokens")
