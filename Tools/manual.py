#!/usr/bin/env python3
"""manual.py PROGRAM FOLDER: writes the manual pages of a program and its commands (mdoc), from what it says of itself.

Every page is made of `PROGRAM --experimental-dump-help`, so that the manual and `--help` cannot differ.
"""

import argparse
import json
import subprocess
from pathlib import Path


def escaped(text):
    """Text that roff takes as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line
                     for line in text.split("\n"))


def spelling(name):
    return ("-" if name["kind"] == "short" else "--") + name["name"]


def option(argument):
    """One list entry: all names, the value, and what it does."""
    value = argument.get("valueName", "value")
    if argument["kind"] == "positional":
        names = value.upper()
    else:
        names = ", ".join(spelling(name) for name in argument.get("names", []))
        if argument["kind"] == "option":
            names += " " + value
    lines = [".TP", "\\fB" + escaped(names) + "\\fR"]
    about = " ".join(filter(None, [argument.get("abstract"), argument.get("discussion")]))
    default = argument.get("defaultValue")
    if default and "default" not in about:
        about += f" (default: {default})"
    return lines + [escaped(about) or "\\&"]


def page(command, parents, version):
    name = " ".join(parents + [command["commandName"]])
    title = name.replace(" ", "-")
    lines = [f'.TH "{title.upper()}" 1 "" "bitbudget {version}" "User Commands"',
             ".SH NAME", f"{escaped(title)} \\- {escaped(command.get('abstract', ''))}",
             ".SH SYNOPSIS", f"\\fB{escaped(name)}\\fR"]
    commands = [one for one in command.get("subcommands", []) if one["commandName"] != "help"]
    arguments = [one for one in command.get("arguments", []) if one.get("shouldDisplay", True)]
    lines[-1] += " command" if commands and not arguments else " [options]"
    if command.get("discussion"):
        lines += [".SH DESCRIPTION", escaped(command["discussion"])]
    if commands:
        lines.append(".SH COMMANDS")
        for one in commands:
            lines += [".TP", f"\\fB{escaped(name + ' ' + one['commandName'])}\\fR",
                      escaped(one.get("abstract", ""))]
    section = None
    for argument in arguments:
        if argument.get("sectionTitle") != section or section is None:
            heading = argument.get("sectionTitle") or "OPTIONS"
            if heading != section:
                lines.append(f'.SH "{escaped(heading.upper())}"')
            section = heading
        lines += option(argument)
    lines += [".SH EXIT STATUS",
              "0 done, 1 failed, 2 wrong usage, 130 interrupted (ctrl-C), 143 terminated."]
    return title, "\n".join(lines) + "\n"


def pages(command, parents, version):
    yield page(command, parents, version)
    for one in command.get("subcommands", []):
        if one["commandName"] != "help":
            yield from pages(one, parents + [command["commandName"]], version)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    program, folder = given.program, given.folder

    def asked(flag):
        return subprocess.run([program, flag], check=True, capture_output=True, text=True).stdout

    root = json.loads(asked("--experimental-dump-help"))["command"]
    folder.mkdir(parents=True, exist_ok=True)
    for title, text in pages(root, [], asked("--version").strip()):
        (folder / f"{title}.1").write_text(text)


if __name__ == "__main__":
    main()
