"""Mutations of files and requests: bytes, lines, brackets and numbers of any text, and values of JSON."""

import json

NUMBERS = [b"0", b"-1", b"1", b"2147483648", b"4294967296", b"9223372036854775807", b"9223372036854775808",
           b"18446744073709551615", b"1e400", b"0.5", b"-0", b"NaN", b"null", b"true", b'""', b"[]", b"{}"]


def mutate_text(data, chance):
    """One change that a text format may be sensitive to."""
    spans, start = [], None
    for index, byte in enumerate(data[:1 << 16]):
        is_digit = 48 <= byte <= 57
        if is_digit and start is None:
            start = index
        elif not is_digit and start is not None:
            spans.append((start, index))
            start = None
    kind = chance.randrange(6)
    if kind == 0 and spans:
        first, last = chance.choice(spans)
        return data[:first] + chance.choice(NUMBERS) + data[last:]
    if kind == 1:
        at = chance.randrange(len(data) + 1)
        return data[:at] + chance.choice([b"[", b"{", b"(", b"{%", b"{{"]) * chance.choice([1, 50, 100000]) + data[at:]
    if kind == 2:
        lines = data.split(b"\n")
        lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
        return b"\n".join(lines)
    if kind == 3:
        lines = data.split(b"\n")
        del lines[chance.randrange(len(lines))]
        return b"\n".join(lines)
    if kind == 4:
        at = chance.randrange(len(data) + 1)
        return data[:at] + chance.choice([b"\xff", b"\x00", b"\xed\xa0\x80", b"\\ud800", b"\xef\xbb\xbf", b"\r",
                                          "\u202e".encode(), b'"', b"\\", b",", b"!!", b"&a *a"]) + data[at:]
    words = [b"int", b"null", b"_", b"model", b"value", b"0", b"-", b":", b"|"]
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.randrange(1, 12))
    return data[:at] + chance.choice(words) + data[end:]


def mutate_bytes(data, chance):
    """One change of bytes, more often where the headers are."""
    if not data:
        return b"\x00" * chance.randrange(64)
    near = min(len(data), chance.choice([8, 64, 4096, len(data)]))
    at = chance.randrange(near)
    if chance.random() < 0.2:
        at = len(data) - 1 - at
    kind = chance.randrange(7)
    if kind == 0:
        return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1:]
    if kind == 1:
        size = chance.choice([1, 2, 4, 8])
        value = chance.choice([0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), 2 ** (8 * size - 1) - 1, size, len(data)])
        return data[:at] + (value % 2 ** (8 * size)).to_bytes(size, "little") + data[at + size:]
    if kind == 2:
        return data[:at]
    if kind == 3:
        return data + data[at:at + chance.randrange(1, 4096)]
    if kind == 4:
        return data[:at] + data[at + chance.randrange(1, 64):]
    if kind == 5:
        return data[:at] + data[at:at + chance.randrange(1, 64)] + data[at:]
    return data[:at] + chance.randbytes(chance.randrange(1, 16)) + data[at:]


# What a value of JSON is replaced by.
VALUES = [None, True, False, 0, -1, 1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, 2**63, -2**63, 2**64, 10**40, 0.5, -0.0, 1e-320, 1e308,
          float("nan"), float("inf"), "", "0", "\0", "\ud800", "x" * 100_000, "\u202e{{ x }}", "<|im_end|>", [], {}, [[]], [None], [-1],
          list(range(5000)), {"": None}, {"type": "string"}]


def places(value):
    """Every container within a value of JSON, with each of its keys or indices."""
    found, waiting = [], [value]
    while waiting:
        part = waiting.pop()
        keys = list(part) if isinstance(part, dict) else range(len(part)) if isinstance(part, list) else []
        for key in keys:
            found.append((part, key))
            waiting.append(part[key])
    return found


def mutate_json(data, chance):
    """One value becomes another, goes, comes twice, or changes its place."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return mutate_text(data, chance)
    found = places(value)
    if not found:
        return mutate_text(data, chance)
    part, key = chance.choice(found)
    kind = chance.randrange(6)
    if kind == 0:
        del part[key]
    elif kind == 1:
        other, other_key = chance.choice(found)
        part[key] = json.loads(json.dumps(other.get(other_key) if isinstance(other, dict)
                                          else other[other_key] if other_key < len(other) else None))
    elif kind == 2 and isinstance(part, dict):
        part[chance.choice(["", "x", str(key) + " ", str(key).upper(), "__proto__"])] = part[key]
    elif kind == 3 and isinstance(part, list):
        part[key:key] = [part[key]] * chance.choice([1, 3, 1000])
    elif kind == 4 and isinstance(part[key], (int, float)) and not isinstance(part[key], bool):
        part[key] = part[key] * chance.choice([-1, 2, 1000]) + chance.choice([-1, 0, 1])
    else:
        part[key] = chance.choice(VALUES)
    text = json.dumps(value)
    if kind == 5 and isinstance(part, dict) and text.startswith("{") and len(text) > 2:
        # A key that comes twice.
        text = "{" + json.dumps(chance.choice(list(value) if isinstance(value, dict) else ["x"])) + ": 1, " + text[1:]
    return text.encode(errors="surrogatepass")


def mutate_line(data, chance):
    """One line of JSON lines is mutated as JSON."""
    lines = data.split(b"\n")
    place = chance.randrange(len(lines))
    lines[place] = mutate_json(lines[place], chance)
    return b"\n".join(lines)


def mutate_header(data, chance):
    """The header of a safetensors file is mutated as JSON, and its length stays true."""
    size = int.from_bytes(data[:8], "little")
    if size > len(data) - 8:
        return mutate_bytes(data, chance)
    header = mutate_json(data[8:8 + size], chance)
    return len(header).to_bytes(8, "little") + header + data[8 + size:]


def gguf_fields(data):
    """Where the numbers of a GGUF file's header lie, with their sizes: counts, lengths, types, shapes, offsets and values."""
    found, at = [], 8
    sizes = [1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8]

    def number(size):
        nonlocal at
        found.append((at, size))
        at += size
        if at > len(data):
            raise IndexError
        return int.from_bytes(data[at - size:at], "little")

    def value(kind, is_first=True):
        nonlocal at
        if kind == 8:
            at += number(8)
        elif kind == 9:
            inner, count = number(4), number(8)
            for index in range(count):
                if at > len(data):
                    raise IndexError
                value(inner, index < 3)
        elif is_first:
            number(sizes[kind])
        else:
            at += sizes[kind]

    tensors, keys = number(8), number(8)
    for _ in range(keys):
        value(8)
        value(number(4))
    for _ in range(tensors):
        value(8)
        for _ in range(number(4)):
            number(8)
        number(4), number(8)
    return found


def mutate_gguf(data, chance):
    """One number of the header becomes another."""
    try:
        at, size = chance.choice(gguf_fields(data))
    except (IndexError, OverflowError):  # mutated before
        return mutate_bytes(data, chance)
    old, most = int.from_bytes(data[at:at + size], "little"), 256 ** size
    new = chance.choice([0, 1, old + 1, old - 1, 2 * old, most - 1, most // 2, most // 2 - 1, old ^ 1 << chance.randrange(8 * size),
                         len(data), 9, 1 << 20])
    return data[:at] + (new % most).to_bytes(size, "little") + data[at + size:]


DEEPER = {".json": mutate_json, ".jsonl": mutate_line, ".safetensors": mutate_header, ".gguf": mutate_gguf}


def mutated(name, data, chance):
    """One to four changes of a file's bytes, of which its name says what they are."""
    ending = name[name.rfind("."):]
    is_text = ending in (".json", ".jsonl", ".yaml", ".jinja", ".csv", ".txt")
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        ways = [mutate_bytes]
        if is_text and data:
            ways += [mutate_text] * 2
        if ending in DEEPER and data:
            ways += [DEEPER[ending]] * 2
        data = chance.choice(ways)(data, chance)
    return data
