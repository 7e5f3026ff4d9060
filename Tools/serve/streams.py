"""Clients that stream texts of a completions endpoint, and when their tokens came."""

import json
import threading
import time
import urllib.request


class Stream(threading.Thread):
    """One client: reads a streamed text and notes when each token came; the line that only ends the text is none."""

    def __init__(self, url, body):
        super().__init__()
        data = json.dumps(body | {"stream": True}).encode()
        self.request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
        self.times = []
        self.is_done = False

    def run(self):
        self.began = time.perf_counter()
        with urllib.request.urlopen(self.request) as reply:
            for line in reply:
                if line.startswith(b"data: {"):
                    now = time.perf_counter()
                    choice = (json.loads(line[6:]).get("choices") or [{}])[0]
                    if choice.get("text") or not choice.get("finish_reason"):
                        self.times.append(now)
                if self.is_done:
                    return

    def leave(self):
        """Goes away before the text has ended."""
        self.is_done = True
        self.join()


def streams(url, bodies):
    """Clients that ask at once, each for one text, when all of them have it."""
    clients = [Stream(url, body) for body in bodies]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return clients
