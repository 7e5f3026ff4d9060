"""Which modules there are, where they live, and what their Swift files really import."""

import re
from dataclasses import dataclass, field

from floors import COMMAND_FLOOR, FLOORS
from tree import Problem

IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|private|fileprivate)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)")


# Projects with a manifest of their own, which their `run.sh` builds.
OWN_PROJECTS = ("Tests/Consumer/",)


@dataclass
class Module:
    """A target and its folder; `package` is None for what lies outside of Packages."""

    name: str
    kind: str
    folder: str
    package: str | None
    # What is imported -> the first place, (file, line).
    imports: dict = field(default_factory=dict)
    has_swift: bool = False

    @property
    def is_test(self):
        return self.kind == "test"

    @property
    def is_command(self):
        return self.kind == "executable"

    @property
    def floor(self):
        """The floor the module stands on; None for a package missing from the table."""
        if self.package:
            return FLOORS.get(self.package)
        return FLOORS.get(self.name, COMMAND_FLOOR)


def find(tree, targets):
    """The modules of the root manifest by name, with what their files import.

    `targets` are the manifest's: each has a name, a type, a path and what it excludes of that.
    """
    modules = {}
    for target in targets:
        folder = target.get("path") or f"Sources/{target['name']}"
        package = folder.split("/")[1] if folder.startswith("Packages/") else None
        module = Module(target["name"], target["type"], folder, package)
        modules[module.name] = module
        excluded = tuple(f"{folder}/{name}/" for name in target.get("exclude", []))
        for file in tree.files:
            if (file.startswith(folder + "/") and file.endswith(".swift")
                    and not file.startswith(excluded)):
                read_imports(tree, file, module)
    return modules


def read_imports(tree, file, module):
    module.has_swift = True
    for number, line in tree.lines(file):
        found = IMPORT.match(line)
        if found:
            module.imports.setdefault(found.group(1), (file, number))


def check_homes(tree, modules):
    """Every source and test belongs to a target: what is not built is not checked."""
    folders = tuple(module.folder + "/" for module in modules.values()) + OWN_PROJECTS
    for file in tree.files:
        is_code = file.endswith((".swift", ".c")) and not file.endswith("/Package.swift")
        is_here = file.startswith(("Packages/", "Apps/", "Tests/"))
        if is_code and is_here and not file.startswith(folders):
            yield Problem(file, 1, "belongs to no target of Package.swift")


def check_floors(modules):
    """Holds the imports of sources against the floors; tests may import what they like."""
    for module in modules.values():
        if module.is_test:
            continue
        if module.floor is None:
            message = f"package {module.package} has no floor in Tools/lint/floors.py"
            yield Problem(f"Packages/{module.package}/Package.swift", 1, message)
            continue
        for name, (file, line) in module.imports.items():
            other = modules.get(name)
            if other is None or other is module:
                continue
            if other.package and other.package == module.package:
                continue
            if other.package and other.name != other.package:
                yield Problem(file, line, f"{name} is private to package {other.package}")
            elif other.floor is not None and other.floor >= module.floor:
                yield Problem(
                    file, line, f"{module.name} (floor {module.floor}) imports {name} "
                    f"(floor {other.floor}); only lower floors may be imported")
