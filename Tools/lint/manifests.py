"""Holds the root manifest, the packages' own manifests and the real imports against each other."""

import json
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tree import Problem

ROOT = "Package.swift"


class Manifest:
    """A manifest as SwiftPM reads it (`swift package dump-package`)."""

    def __init__(self, file, dump):
        self.file = file
        self.folder = file.removesuffix("Package.swift")
        self.dump = dump
        self.targets = {target["name"]: target for target in dump["targets"]}
        self.libraries = {product["name"]: product["targets"] for product in dump["products"]
                          if "library" in product["type"]}

    def requirements(self):
        """Each package from elsewhere with the version asked for."""
        return {remote["identity"]: remote["requirement"]
                for dependency in self.dump["dependencies"]
                for remote in dependency.get("sourceControl", [])}

    def neighbours(self):
        """The folders of packages that are depended on by path."""
        return {local["path"].rsplit("/", 1)[-1]
                for dependency in self.dump["dependencies"]
                for local in dependency.get("fileSystem", [])}


def load(tree):
    """The root manifest and the packages' own ones by name."""
    files = [file for file in tree.files
             if file.startswith("Packages/") and file.count("/") == 2
             and file.endswith("/Package.swift")]
    with ThreadPoolExecutor(4) as pool:
        root, *own = pool.map(lambda file: read(tree, file), [ROOT, *files])
    return root, {manifest.file.split("/")[1]: manifest for manifest in own}


def read(tree, file):
    folder = (tree.root / file).parent
    # A scratch path of its own: a build that is running elsewhere holds the usual one.
    scratch = tree.root / ".build" / "lint" / (folder.name if file != ROOT else "root")
    command = ["swift", "package", "--package-path", str(folder), "--scratch-path", str(scratch),
               "dump-package"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{file}:1: SwiftPM cannot read it:\n{done.stderr}")
    return Manifest(file, json.loads(done.stdout))


def dependencies(target):
    """The names of the modules that a target declares to depend on."""
    return {(dependency.get("byName") or dependency.get("product")
             or dependency.get("target"))[0] for dependency in target["dependencies"]}


def description(manifest, target):
    """What both manifests must say alike about a target."""
    name = target["name"]
    base = "Tests" if target["type"] == "test" else "Sources"
    return {
        "type": target["type"],
        "dependencies": sorted(dependencies(target)),
        "folder": manifest.folder + (target.get("path") or f"{base}/{name}"),
        "resources": target["resources"],
        "excluded files": sorted(target["exclude"]),
        "settings": target["settings"],
        "system library": [target.get("pkgConfig"), target.get("providers")],
    }


def check(tree, root, own, modules):
    yield from check_root(tree, root, own)
    for package, manifest in own.items():
        yield from check_agreement(tree, root, manifest)
        yield from check_neighbours(manifest, package, set(own))
    for manifest in [root, *own.values()]:
        yield from check_imports(tree, manifest, modules)


def check_root(tree, root, own):
    """What a package must keep to that other projects use by URL."""
    for neighbour in sorted(root.neighbours()):
        yield Problem(root.file, 1, f"depends on {neighbour} by path; use by URL would be refused")
    for name, target in root.targets.items():
        if any("unsafeFlags" in setting["kind"] for setting in target["settings"]):
            yield Problem(root.file, tree.line_with(root.file, "unsafeFlags"),
                          f"{name} has unsafeFlags; use by URL would be refused")
    folders = {file.split("/")[1] for file in tree.files if file.startswith("Packages/")}
    for folder in sorted(folders):
        if folder not in own:
            yield Problem(f"Packages/{folder}/Package.swift", 1, "is missing")
        for manifest in filter(None, [root, own.get(folder)]):
            if folder not in manifest.libraries.get(folder, []):
                yield Problem(manifest.file, 1, f"declares no library product {folder}")


def check_agreement(tree, root, manifest):
    """The package's own manifest against the root manifest."""
    for name, target in manifest.targets.items():
        line = tree.line_with(manifest.file, f'name: "{name}"')
        if name not in root.targets:
            yield Problem(manifest.file, line, f"target {name} is not in {ROOT}")
            continue
        here = description(manifest, target)
        there = description(root, root.targets[name])
        for key in here:
            if here[key] != there[key]:
                yield Problem(manifest.file, line,
                              f"target {name}: {key} {here[key]}; {ROOT} says {there[key]}")
    for name, target in root.targets.items():
        if (target.get("path") or "").startswith(manifest.folder) and name not in manifest.targets:
            yield Problem(manifest.file, 1, f"lacks target {name} of {ROOT}")
    for identity, version in manifest.requirements().items():
        if root.requirements().get(identity) != version:
            yield Problem(manifest.file, tree.line_with(manifest.file, "url:"),
                          f"asks for another version of {identity} than {ROOT}")


def check_neighbours(manifest, package, packages):
    """The path dependencies against the targets that use them."""
    used = set().union(*map(dependencies, manifest.targets.values())) & packages - {package}
    for name in sorted(manifest.neighbours() ^ used):
        state = "unused" if name not in used else "missing"
        yield Problem(manifest.file, 1, f"the path dependency on {name} is {state}")


def check_imports(tree, manifest, modules):
    """The declared dependencies against the real imports."""
    declarable = set(modules) | {
        name for target in manifest.targets.values() for name in dependencies(target)}
    for name, target in manifest.targets.items():
        module = modules.get(name)
        if module is None or not module.has_swift:
            continue
        declared = dependencies(target)
        imported = set(module.imports) & declarable - {name}
        line = tree.line_with(manifest.file, f'"{name}"')
        for missing in sorted(imported - declared):
            file, place = module.imports[missing]
            yield Problem(file, place, f"{name} imports {missing} undeclared in {manifest.file}")
        for unused in sorted(declared - imported):
            # A test of the built commands depends on them without an import.
            if module.is_test and unused in modules and modules[unused].is_command:
                continue
            yield Problem(manifest.file, line, f"{name} declares {unused} but does not import it")

