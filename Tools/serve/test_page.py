"""The page of a server in a headless Chromium. Skipped where there is none; PAGE_PICTURES=FOLDER keeps what was seen."""

import json
import os
import re
import urllib.request
from pathlib import Path

import pytest

from browser import browsing
from serving import serving

ASKED = "Start with 8. Then (a) multiply by 3. What is the result?"
SHIFT_AND_CONTROL = 10
NAME_IS_SEEN = """(() => {
  const text = document.getElementById('model').firstChild;
  const range = document.createRange();
  range.setStart(text, 0);
  range.setEnd(text, text.data.indexOf(' '));
  return range.getBoundingClientRect().right <= document.querySelector('h1').getBoundingClientRect().right;
})()"""


@pytest.fixture(scope="module")
def url():
    with serving("nano-0.5m") as url:
        yield url


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = Path(os.environ.get("PAGE_PICTURES") or tmp_path_factory.mktemp("pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def set_field(page, name, value):
    page.value(f"{{ const field = document.getElementById('{name}'); field.value = '{value}';"
               "field.dispatchEvent(new Event('input')); }")


def ask(page):
    """Sends the question by the keyboard and waits for the end of the answer."""
    answers = page.value("document.querySelectorAll('article.assistant').length")
    page.value("document.getElementById('words').focus()")
    page.type(ASKED)
    page.press("Enter", 13)
    page.wait(f"document.querySelectorAll('article.assistant').length === {answers + 1}"
              " && document.getElementById('send').textContent === 'Send'")


def last(page, part):
    return page.value(f"[...document.querySelectorAll('article.assistant {part}')].pop().textContent")


@pytest.mark.parametrize(("width", "height", "scheme"), [(1280, 800, "light"), (1280, 800, "dark"), (390, 800, "light")])
def test_a_conversation(url, pictures, width, height, scheme):
    with browsing() as page:
        page.open(url, width, height, scheme)
        page.wait("document.getElementById('memory-text').textContent.includes('free')")
        # The model's name and what the field for words says are seen whole.
        assert page.value(NAME_IS_SEEN)
        assert page.value("document.getElementById('words').scrollHeight <= document.getElementById('words').clientHeight")
        for name, value in (("budget", 2), ("seed", 7)):
            set_field(page, name, value)
        ask(page)
        body = {"messages": [{"role": "user", "content": ASKED}], "seed": 7, "temperature": 0.6,
                "thinking_token_budget": 64}
        request = urllib.request.Request(url + "/v1/chat/completions", json.dumps(body).encode())
        with urllib.request.urlopen(request) as reply:
            whole = json.load(reply)
        # The page shows the text of the endpoint, and counts its thought against the budget.
        assert last(page, "> .text") == whole["choices"][0]["message"]["content"]
        thought = whole["usage"]["completion_tokens_details"]["reasoning_tokens"]
        assert last(page, "summary") == f"Thinking: {thought} of 64 tokens"
        assert last(page, "details .text") == whole["choices"][0]["message"]["reasoning_content"]
        assert re.search(rf"{whole['usage']['completion_tokens']} tokens · [\d.]+ tokens/s", last(page, ".figures"))
        # A vote is shown as a tally.
        set_field(page, "samples", 4)
        ask(page)
        assert page.value("[...document.querySelectorAll('.tally meter')].reduce((sum, meter) => sum + meter.value, 0)") == 4
        # The bar is that of the memory's formula, and nothing sticks out of the window.
        bars = page.value("['weights', 'held', 'end'].map((name) => document.getElementById('bar-' + name).offsetWidth)")
        assert bars[0] > 0
        assert page.value("document.querySelectorAll('#policies input').length") > 2
        assert page.value("document.documentElement.scrollWidth") <= width
        dark = page.value("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every((part) => part < 128)")
        assert dark == (scheme == "dark")
        page.picture(pictures / f"{width}-{scheme}.png")
        # Conversations stay in the browser.
        page.press("O", 79, SHIFT_AND_CONTROL)
        assert page.value("document.querySelectorAll('article').length") == 0
        page.open(url, width, height, scheme)
        page.wait("document.querySelectorAll('nav .row').length === 2")
        page.value("[...document.querySelectorAll('nav .row button')].find((button) => button.textContent.startsWith('Start')).click()")
        assert page.value("document.querySelectorAll('article').length") == 4
        assert not page.faults, page.faults


def test_what_goes_wrong_is_told(url):
    with browsing() as page:
        page.open(url, 1280, 800, "light")
        page.wait("document.getElementById('memory-text').textContent.includes('free')")
        page.value("document.getElementById('words').value = 'word '.repeat(5000); submit()")
        page.wait("!document.getElementById('notice').hidden")
        assert "1024" in page.value("document.getElementById('notice').textContent")
        # The browser itself says that an answer was 400; nothing else is amiss.
        assert all("400" in str(fault) for fault in page.faults), page.faults


def test_the_kv_cache_is_chosen_for_a_conversation(url, pictures):
    with browsing() as page:
        page.open(url, 390, 800, "light")
        page.wait("document.querySelectorAll('#policies input').length > 2")
        for name, value in (("budget", 2), ("seed", 7)):
            set_field(page, name, value)
        page.value("document.getElementById('settings-toggle').click()")
        # By the keyboard: the arrow goes on to the next policy.
        page.value("document.querySelector('#policies input:checked').focus()")
        page.press("ArrowDown", 40)
        chosen = page.value("document.querySelector('#policies input:checked').value")
        assert chosen == page.value("document.querySelectorAll('#policies input')[1].value") and chosen != "bf16"
        page.wait(f"memory.kv === '{chosen}'")
        offered = page.value("memory.policies")
        assert page.value("memory.kv_at_end") == next(one["bytes"] for one in offered if one["kv"] == chosen)
        assert page.value("document.activeElement.value") == chosen
        page.picture(pictures / "policies.png")
        assert page.value("document.documentElement.scrollWidth") <= 390
        page.value("document.getElementById('settings-toggle').click()")
        ask(page)
        body = {"messages": [{"role": "user", "content": ASKED}], "seed": 7, "temperature": 0.6,
                "thinking_token_budget": 64, "kv": chosen}
        request = urllib.request.Request(url + "/v1/chat/completions", json.dumps(body).encode())
        with urllib.request.urlopen(request) as reply:
            whole = json.load(reply)
        assert whole["kv_cache"] == chosen
        assert last(page, "> .text") == whole["choices"][0]["message"]["content"]
        assert last(page, "details .text") == whole["choices"][0]["message"]["reasoning_content"]
        assert f"KV cache {chosen}" in last(page, ".figures")
        # Another conversation has the server's own, and this one keeps what was chosen for it.
        page.press("O", 79, SHIFT_AND_CONTROL)
        page.wait("document.querySelector('#policies input:checked')?.value === 'bf16'")
        page.open(url, 390, 800, "light")
        page.wait("document.querySelectorAll('nav .row').length === 2")
        page.value("[...document.querySelectorAll('nav .row button')].find((button) => button.textContent.startsWith('Start')).click()")
        page.wait(f"document.querySelector('#policies input:checked')?.value === '{chosen}' && memory.kv === '{chosen}'")
        assert not page.faults, page.faults


def test_what_does_not_fit_cannot_be_chosen():
    with serving("nano-0.5m", "--memory", "48MiB") as url, browsing() as page:
        page.open(url, 1280, 800, "light")
        page.wait("document.querySelectorAll('#policies input').length > 2")
        set_field(page, "samples", 16)
        page.wait("[...document.querySelectorAll('#policies input')].some((choice) => choice.disabled)")
        offered = page.value("memory.policies")
        disabled = page.value("[...document.querySelectorAll('#policies input')].map((choice) => choice.disabled)")
        assert disabled == [not one["fits"] for one in offered]
        assert not page.faults, page.faults
