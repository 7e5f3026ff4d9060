"""Tables are made of what commands print."""

import json
from types import SimpleNamespace

from commands import Commands, percent, print_table


def test_tables_have_a_line_for_each_row(capsys):
    print_table([("a", 1), ("b", 2)], [("x", 10), ("y", 20)], lambda column, row: str(row + column))
    assert capsys.readouterr().out == "| | a | b |\n|---|---|---|\n| x | 11 | 12 |\n| y | 21 | 22 |\n"


def test_shares_are_in_per_cent():
    assert percent(0.875, 0.034) == "87.5 ± 3.4"
    assert percent(0, None) == "0.0 ± 0.0"


def test_several_samples_are_of_half_the_problems(tmp_path):
    program = tmp_path / "evaluate"
    program.write_text('#!/bin/sh\nprintf \'["%s"]\' "$*"\n')
    program.chmod(0o755)
    commands = Commands(SimpleNamespace(bin=tmp_path, work=tmp_path / "kept", limit=20))
    (words,) = commands.evaluate("m", "b", "j", ["--force"], 8)
    assert "--limit 10 --samples 8" in words and words.endswith("--format json --force")
    assert f"{tmp_path}/kept/j-10.jsonl" in words
    assert json.loads(commands.output("evaluate", 1)) == ["1"]
