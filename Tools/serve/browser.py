"""A headless Chromium that tests drive by its own protocol, over pipes."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager

import pytest


class Page:
    """One page: what it shows, what is typed into it, and what its console says."""

    def __init__(self, to, back):
        self.to, self.back = to, back
        self.numbers = itertools.count(1)
        self.pending = b""
        self.faults = []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    def call(self, method, **parameters):
        """The result of a command."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.next()
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.note(answer)

    def next(self):
        while b"\0" not in self.pending:
            part = os.read(self.back, 1 << 16)
            assert part, "the browser ended"
            self.pending += part
        message, self.pending = self.pending.split(b"\0", 1)
        return json.loads(message)

    def note(self, event):
        """Keeps what a person would see in red."""
        told = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.faults.append(told["exceptionDetails"])
        if event.get("method") == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.faults.append(told["entry"])
        if event.get("method") == "Runtime.consoleAPICalled" and told["type"] == "error":
            self.faults.append(told["args"])

    def value(self, expression):
        """What an expression is in the page."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def wait(self, expression, seconds=60):
        """Waits for an expression to hold."""
        end = time.monotonic() + seconds
        while not self.value(expression):
            assert time.monotonic() < end, f"{expression} does not come to hold"
            time.sleep(0.02)

    def open(self, url, width, height, scheme):
        """Opens a page in a window of a size, light or dark."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                  mobile=width < 600)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def type(self, text):
        """Types into what has the focus."""
        self.call("Input.insertText", text=text)

    def press(self, key, code, modifiers=0):
        """Presses a key and lets it go."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, modifiers=modifiers)

    def picture(self, file):
        """Stores what is seen."""
        file.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def browsing():
    """A page of a browser that ends with the block; skips where there is none."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if not program:
        pytest.skip("there is no chromium")
    to_browser, to = os.pipe()
    back, from_browser = os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        # The protocol has the descriptors 3 and 4.
        script = f'exec "$0" "$@" 3<&{to_browser} 4>&{from_browser}'
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                 "--remote-debugging-pipe", f"--user-data-dir={folder}"]
        browser = subprocess.Popen(
            ["bash", "-c", script, program, *flags], pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        try:
            yield Page(to, back)
        finally:
            browser.terminate()
            browser.wait(timeout=30)
            os.close(to)
            os.close(back)
