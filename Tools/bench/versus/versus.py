"""Our engine beside llama.cpp, and beside OpenVINO where asked for, in turns, on the same shapes with random weights.

    python3 Tools/bench/versus/versus.py            # from the root of the checkout
    ... versus.py --shape 1.7b --threads 1 --cases "16 sequences" --turns 3
    ... versus.py --openvino                                               # dense shapes alone
    ... versus.py --shape 30b-a3b --layers 4 --python VENV/bin/python      # one that has llama-cpp-python already
    ... versus.py --shape qwen3.5-4b --layers 8 --prepare                  # writes the files of models and measures nothing
    ... versus.py --schemes                                                # 8- and 4-bit activations

The first start makes a virtual environment in --work, lets pip build llama-cpp-python natively (some minutes), and writes the
GGUF files; OpenVINO has an environment of its own there. For each setting all engines load their weights and fill their caches;
then they take turns, a second or two each, beside readings of what arithmetic and memory of this machine would allow. So a busy
neighbour meets all of them. Where a program has many ways to do it, each is tried alone before, and the best takes part. One that
gives nothing within --patience is left out, with a word. Medians are printed as a Markdown table, those of the ratio and of the
share from figures of one turn.
"""

import argparse
import contextlib
import datetime
import functools
import os
import pathlib
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import performance  # noqa: E402
from limits import limit  # noqa: E402
from peers import LlamaCpp, OpenVINO  # noqa: E402
from processes import Engine, Failed, output_of  # noqa: E402
from settings import SCHEMES, SETTINGS  # noqa: E402
from shapes import SHAPES  # noqa: E402

MANY = 2  # ways that take part without being tried before


def columns(peers):
    """Headings of the table, and the text of their cells."""
    found = {"case": "{case}", "ours, tokens/s": "{ours:.1f}"}
    for peer in peers:
        found[f"{peer.name}, its best"] = f"{{{peer.prefix}peer:.1f}} ({{{peer.prefix}format}})"
        found[f"times {peer.name}"] = f"{{{peer.prefix}ratio:.2f}} ({{{peer.prefix}low:.2f}} to {{{peer.prefix}high:.2f}})"
    return found | {"limit": "{limit:.0f}", "share of the limit": "{share} %"}


def flags(setting, options):
    """What every measuring program is told."""
    return ["--threads", options.threads, "--depth", setting.depth, "--batch", setting.batch, "--prompt", setting.prompt,
            "--tokens", setting.tokens]


def skip(name, error):
    print(f"\nskipped: {name}: {error}", file=sys.stderr)


@functools.cache
def alone(name, command, patience):
    """The better of two measurements while nothing else runs; None where it fails."""
    with Engine(command, patience=patience) as engine:
        try:
            readings = [engine.measure()[0] for _ in range(2)]
            return {field: max(reading[field] for reading in readings) for field in readings[0]}
        except Failed as error:
            skip(name, error)
            return None


def ways(peer, setting, options):
    """Name and command of what takes part: all ways of a peer, or where they are many the best of each field."""
    found = {way: (*command, *flags(setting, options)) for way, command in peer.ways(setting).items()}
    if len(found) <= MANY:
        return found
    figures = {way: alone(f"{peer.name} ({way})", command, options.patience) for way, command in found.items()}
    figures = {way: figure for way, figure in figures.items() if figure}
    best = {max(figures, key=lambda way: figures[way][field]) for _, field in setting.fields if figures}
    return {way: command for way, command in found.items() if way in best}


def turns(setting, peers, options, ceilings_program):
    """Of each turn: what every way of every peer measured, by peer and name; what ours did; ceilings."""
    cut = ["--layers", options.layers] if options.layers else []
    ours = [options.engine, "--shape", options.shape, *cut, "--formats", setting.ours, *flags(setting, options),
            "--kv", ",".join(setting.caches), "--on-request", *options.ours.split()]
    found = []
    with contextlib.ExitStack() as running:
        others = {}
        for peer in peers:
            try:
                for way, command in ways(peer, setting, options).items():
                    others[peer, way] = running.enter_context(Engine(command, patience=options.patience))
            except Failed as error:
                skip(peer.name, error)
        engine = running.enter_context(Engine(ours, len(setting.caches)))
        for turn in range(options.turns + 1):
            theirs = {}
            for key, other in list(others.items()):
                try:
                    theirs[key] = other.measure()[0]
                except Failed as error:
                    skip(f"{key[0].name} ({key[1]})", error)
                    del others[key]
            measured = theirs, engine.measure(), output_of([ceilings_program, options.threads])
            if turn:  # the first one waited for who loaded longest
                found.append(measured)
            print(".", end="", file=sys.stderr, flush=True)
    return [({key: theirs[key] for key in others}, mine, ceilings) for theirs, mine, ceilings in found]


def comparison(peer, found, field, mine):
    """The figures of a peer beside ours; none where nothing of it was measured to the end."""
    names = [key for key in found[0][0] if key[0] is peer]
    if not names:
        return {}
    medians = {key: statistics.median(theirs[key][field] for theirs, _, _ in found) for key in names}
    best = max(medians, key=medians.get)
    ratios = sorted(ours / theirs[best][field] for ours, (theirs, _, _) in zip(mine, found))
    values = {"peer": medians[best], "format": best[1], "ratio": statistics.median(ratios), "low": ratios[0], "high": ratios[-1]}
    return {peer.prefix + key: value for key, value in values.items()}


def rows(setting, peers, options, ceilings_program):
    """Lines of the table."""
    shape = SHAPES[options.shape].cut(options.layers)
    found = turns(setting, peers, options, ceilings_program)
    for name, index, field in setting.rows():
        mine = [mine[index][field] for _, mine, _ in found]
        limits = [limit(setting, field, shape, ours[index], ceilings) for _, ours, ceilings in found]
        row = {"case": name, "ours": statistics.median(mine)}
        for peer in peers:
            row |= comparison(peer, found, field, mine)
        share = statistics.median(ours / most for ours, most in zip(mine, limits))
        yield row | {"limit": statistics.median(limits), "share": round(100 * share)}


def prepare(options):
    """The peers, and the program that measures ceilings."""
    peers = [LlamaCpp.installed(options)]
    if options.openvino:
        try:
            peers.append(OpenVINO.installed(options))
        except Failed as error:
            skip(OpenVINO.name, error)
    ceilings = options.work / "ceilings"
    subprocess.run(["clang", "-O2", HERE / "ceilings.c", "-o", ceilings, "-lpthread"], check=True)
    return peers, ceilings


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="0.6b")
    parser.add_argument("--layers", type=int, help="where fewer than the shape has")
    parser.add_argument("--openvino", action="store_true", help="beside OpenVINO too")
    parser.add_argument("--python", type=pathlib.Path, help="a Python that has llama-cpp-python, gguf and numpy already")
    parser.add_argument("--schemes", action="store_true", help="formats with rounded activations instead of the defaults")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--patience", type=int, default=600, help="seconds after which a peer's measurement is given up")
    parser.add_argument("--prepare", action="store_true", help="only make the files that measuring needs, which takes long")
    parser.add_argument("--cases", default="", help="only settings with a line of the table whose name contains this")
    parser.add_argument("--engine", default="bin/bench-engine", help="our measuring program")
    parser.add_argument("--ours", default="", help="further flags for it")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("runs/versus"))
    parser.add_argument("--results", type=pathlib.Path, help="a table of Tools/bench/results to put the figures into")
    return parser.parse_args()


def main():
    options = parsed()
    settings = [setting for setting in (SCHEMES if options.schemes else SETTINGS)
                if any(options.cases in name for name, _, _ in setting.rows())]
    options.work.mkdir(parents=True, exist_ok=True)
    peers, ceilings_program = prepare(options)
    if options.prepare:
        for peer in peers:
            for kind in sorted({kind for setting in settings for kind in peer.kinds(setting)}):
                print(peer.file(kind), flush=True)
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    layers = f" with {options.layers} layers" if options.layers else ""
    print(f"{options.shape} shapes{layers}, random weights, {options.threads} threads, commit {commit}; ours with "
          f"{options.ours or 'its defaults'}; medians of {options.turns} turns\n")
    patterns = columns(peers)
    print("| " + " | ".join(patterns) + " |\n|" + "---|" * len(patterns), flush=True)
    for setting in settings:
        measured = []
        for row in rows(setting, peers, options, ceilings_program):
            print("| " + " | ".join(performance.cell(pattern, row) for pattern in patterns.values()) + " |", flush=True)
            measured.append({key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()})
        if options.results:  # at once: the next setting may not be reached
            performance.store(options.results, measured, commit=commit, date=datetime.date.today().isoformat())


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        raise SystemExit(str(error))
