"""Tests of the lint on small made-up trees: `python3 Tools/lint/test_lint.py`."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

import documents
import files
import manifests
import modules
from manifests import Manifest
from tree import Tree


def target(name, *needs, kind="regular", path=None):
    """A target as `swift package dump-package` prints it."""
    return {"name": name, "type": kind, "path": path,
            "dependencies": [{"byName": [need, None]} for need in needs],
            "resources": [], "exclude": [], "settings": []}


def manifest(file, *targets, neighbours=(), remote=None, libraries=()):
    dependencies = [{"fileSystem": [{"path": f"/anywhere/{name}"}]} for name in neighbours]
    if remote:
        dependencies.append({"sourceControl": [{"identity": "yams", "requirement": remote}]})
    return Manifest(file, {
        "targets": list(targets), "dependencies": dependencies,
        "products": [{"name": name, "targets": [name], "type": {"library": ["automatic"]}}
                     for name in libraries]})


class LintTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = Tree(folder.name)
        subprocess.run(["git", "init", "-q"], cwd=folder.name, check=True)

    def write(self, file, text):
        path = self.tree.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def assertProblems(self, found, *expected):
        self.assertEqual(sorted(map(str, found)), sorted(expected))


class FileTests(LintTest):
    def test_length(self):
        self.write("a/Good.swift", "\n" * 400)
        self.write("a/long.py", "\n" * 401)
        self.write("a/long.md", "\n" * 401)
        self.assertProblems(
            files.check(self.tree), "a/long.py:401: 401 lines; a file has 400 at most")

    def test_marks_count_in_sources_alone(self):
        self.write("P/Sources/A.swift", "let a = 1\nlet b = try! f()\n// TO" + "DO: c\n")
        self.write("P/Tests/A.swift", "let b = try! f()\n")
        self.assertProblems(
            files.check(self.tree), "P/Sources/A.swift:2: try! is forbidden in sources",
            "P/Sources/A.swift:3: TODO is forbidden in sources")

    def test_machine_paths(self):
        for directory in ("work", "root"):
            self.write(f"{directory}.md", f"\nsee /{directory}/models\nsee ../{directory}/models\n")
        self.assertProblems(
            files.check(self.tree), "root.md:2: /" + "root/... is a path of one machine",
            "work.md:2: /" + "work/... is a path of one machine")

    def test_ignored_and_binary_files_are_left_alone(self):
        self.write(".gitignore", "out/\n")
        self.write("out/A.swift", "\n" * 401)
        (self.tree.root / "weights.bin").write_bytes(b"\xff\xfe /" + b"work/ \xff")
        self.assertProblems(files.check(self.tree))


class DocumentTests(LintTest):
    def test_links(self):
        self.write("docs/a.md", "see [b](b.md), [top](../README.md#x), [c](c.md)\n```\n[d](d.md)\n```\n")
        self.write("docs/b.md", "[site](https://example.org/x.md)\n")
        self.write("README.md", "")
        self.assertProblems(
            documents.check(self.tree), "docs/a.md:1: links to c.md, which does not exist")

    def test_performance_is_made_of_its_results(self):
        result = """{"title": "T", "about": "A.", "columns": {"case": "{case}", "speed": "{speed:.1f}"},
            "rows": [{"case": "one", "speed": 1.25}, {"case": "two"}]}"""
        self.write("Tools/bench/results/1.json", result)
        page = documents.performance.page("PERFORMANCE.md", self.tree.root)
        self.assertTrue(page.endswith("| case | speed |\n|---|---|\n| one | 1.2 |\n| two |  |\n"), page)
        for linked in ("docs/kernels.md", "docs/measurements.md", "docs/numerics.md", "Tools/bench/log.tsv"):
            self.write(linked, documents.performance.page(linked, self.tree.root) if "measurements" in linked else "")
        self.write("PERFORMANCE.md", page)
        self.assertProblems(documents.check(self.tree))
        self.write("Tools/bench/results/1.json", result.replace("1.25", "1.35"))
        self.assertProblems(
            documents.check(self.tree),
            "PERFORMANCE.md:1: differs from its results; run Tools/bench/performance.py")


    def test_measured_rows_take_the_place_of_their_cases(self):
        self.write("1.json", """{"title": "T", "about": "A.", "columns": {"case": "{case}"},
            "rows": [{"case": "one", "speed": 1, "asked": 2}, {"case": "two", "speed": 3}]}""")
        documents.performance.store(
            self.tree.root / "1.json", [{"case": "three", "speed": 5}, {"case": "one", "speed": 4}], commit="abc")
        self.assertEqual(json.loads(self.tree.text("1.json")), {
            "title": "T", "about": "A.", "columns": {"case": "{case}"}, "commit": "abc", "rows": [
                {"case": "one", "speed": 4, "asked": 2}, {"case": "two", "speed": 3}, {"case": "three", "speed": 5}]})

    def test_examples_are_those_of_the_pages(self):
        page = "Packages/Attic/Sources/Attic/Attic.docc/Attic.md"
        self.write(page, "# Attic\n\n```swift\nimport Attic\n\nprint(one(folder))  // a \"1\"\n```\n")
        [(file, text)] = documents.examples.tests(self.tree.root).items()
        self.assertEqual(file, "Tests/ExampleTests/AtticExample.swift")
        self.assertIn('  #expect("\\(one(folder))" == "a \\"1\\"")\n', text)
        self.write(file, text)
        self.assertProblems(documents.check(self.tree))
        self.write(file, text + "\n")
        self.write("Tests/ExampleTests/OtherExample.swift", "")
        self.write("Packages/Cellar/Package.swift", "")
        self.assertProblems(documents.check(Tree(self.tree.root)), *(
            f"Tests/ExampleTests/{name}Example.swift:1: differs from the package's page; run Tools/docs/examples.py"
            for name in ("Attic", "Other")), "Packages/Cellar/Package.swift:1: Cellar has no page with an example "
            "(Sources/Cellar/Cellar.docc)")


class ModuleTests(LintTest):
    def modules(self, *targets):
        return modules.find(self.tree, targets)

    def test_floors(self):
        sources = "Packages/{0}/Sources/{0}"
        names = ("Kernels", "Tensors", "KVCaches", "ModelLoader")
        found = [target(name, path=sources.format(name)) for name in names]
        self.write("Packages/Tensors/Sources/Tensors/A.swift", "import Kernels\nimport Testing\n")
        self.write("Packages/Kernels/Sources/Kernels/A.swift", "@testable import Tensors\n")
        self.write("Packages/KVCaches/Sources/KVCaches/A.swift", "\npublic import ModelLoader\n")
        self.assertProblems(
            modules.check_floors(self.modules(*found)),
            "Packages/Kernels/Sources/Kernels/A.swift:1: Kernels (floor 0) imports Tensors "
            "(floor 1); only lower floors may be imported",
            "Packages/KVCaches/Sources/KVCaches/A.swift:2: KVCaches (floor 3) imports ModelLoader "
            "(floor 3); only lower floors may be imported")

    def test_commands_stand_above_and_not_on_each_other(self):
        self.write("Apps/Sources/AppSupport/A.swift", "import struct Tensors.Shape\n")
        self.write("Apps/Sources/plan/A.swift", "import AppSupport\nimport evaluate\n")
        found = self.modules(
            target("Tensors", path="Packages/Tensors/Sources/Tensors"),
            target("AppSupport", path="Apps/Sources/AppSupport"),
            target("plan", path="Apps/Sources/plan", kind="executable"),
            target("evaluate", path="Apps/Sources/evaluate", kind="executable"))
        self.assertProblems(
            modules.check_floors(found),
            "Apps/Sources/plan/A.swift:2: plan (floor 8) imports evaluate (floor 8); only lower "
            "floors may be imported")

    def test_inner_modules_are_private(self):
        self.write("Packages/ModelLoader/Sources/ModelLoader/A.swift", "import CZstd\n")
        self.write("Packages/DecoderModels/Sources/DecoderModels/A.swift", "import CZstd\n")
        self.write("Packages/DecoderModels/Tests/DecoderModelsTests/A.swift", "import CZstd\n")
        found = self.modules(
            target("CZstd", path="Packages/ModelLoader/Sources/CZstd", kind="system"),
            target("ModelLoader", path="Packages/ModelLoader/Sources/ModelLoader"),
            target("DecoderModels", path="Packages/DecoderModels/Sources/DecoderModels"),
            target("DecoderModelsTests", path="Packages/DecoderModels/Tests/DecoderModelsTests", kind="test"))
        self.assertProblems(
            modules.check_floors(found),
            "Packages/DecoderModels/Sources/DecoderModels/A.swift:1: CZstd is private to package ModelLoader")

    def test_every_package_has_a_floor_and_every_file_a_target(self):
        self.write("Packages/Attic/Sources/Attic/A.swift", "")
        self.write("Packages/Attic/Sources/Cellar/A.swift", "")
        found = self.modules(target("Attic", path="Packages/Attic/Sources/Attic"))
        self.assertProblems(
            modules.check_floors(found),
            "Packages/Attic/Package.swift:1: package Attic has no floor in Tools/lint/floors.py")
        self.assertProblems(
            modules.check_homes(self.tree, found),
            "Packages/Attic/Sources/Cellar/A.swift:1: belongs to no target of Package.swift")


class ManifestTests(LintTest):
    OWN = "Packages/Tensors/Package.swift"
    SOURCES = "Packages/Tensors/Sources/Tensors"

    def setUp(self):
        super().setUp()
        self.write("Package.swift", "\n")
        self.write(self.OWN, "\n")
        self.write("Packages/Kernels/Package.swift", "\n")
        self.write("Packages/Kernels/Sources/Kernels/a.c", "\n")
        self.write(f"{self.SOURCES}/A.swift", "import Kernels\n")

    def check(self, root_targets, own_targets, *, neighbours=("Kernels",), remotes=(None, None),
              libraries=("Kernels", "Tensors"), root_neighbours=()):
        kernels = target("Kernels", path="Packages/Kernels/Sources/Kernels")
        root = manifest("Package.swift", kernels, *root_targets, remote=remotes[0],
                        libraries=libraries, neighbours=root_neighbours)
        own = {
            "Kernels": manifest("Packages/Kernels/Package.swift", target("Kernels"),
                                libraries=("Kernels",)),
            "Tensors": manifest(self.OWN, *own_targets, remote=remotes[1],
                                libraries=("Tensors",), neighbours=neighbours)}
        found = modules.find(self.tree, root.targets.values())
        return manifests.check(self.tree, root, own, found)

    def test_agreement(self):
        in_root = target("Tensors", "Kernels", path=self.SOURCES)
        self.assertProblems(self.check([in_root], [target("Tensors", "Kernels")]))

    def test_other_resources(self):
        data = [{"path": "Data", "rule": {"copy": {}}}]
        in_root = target("Tensors", "Kernels", path=self.SOURCES)
        own = target("Tensors", "Kernels") | {"resources": data}
        self.assertProblems(
            self.check([in_root], [own]),
            f"{self.OWN}:1: target Tensors: resources {data}; Package.swift says []")

    def test_targets_in_one_manifest_alone(self):
        in_root = target("Tensors", "Kernels", path=self.SOURCES)
        extra = target("TensorsTests", kind="test", path="Packages/Tensors/Tests/TensorsTests")
        self.assertProblems(
            self.check([in_root, extra], [target("Tensors", "Kernels"), target("Benchmarks")]),
            f"{self.OWN}:1: target Benchmarks is not in Package.swift",
            f"{self.OWN}:1: lacks target TensorsTests of Package.swift")

    def test_imports_against_declarations(self):
        self.assertProblems(
            self.check([target("Tensors", path=self.SOURCES)], [target("Tensors", "Kernels")]),
            f"{self.OWN}:1: target Tensors: dependencies ['Kernels']; Package.swift says []",
            f"{self.SOURCES}/A.swift:1: Tensors imports Kernels undeclared in Package.swift")
        self.write(f"{self.SOURCES}/A.swift", "// import Kernels\n")
        self.assertProblems(
            self.check([target("Tensors", "Kernels", path=self.SOURCES)],
                       [target("Tensors", "Kernels")]),
            f"{self.OWN}:1: Tensors declares Kernels but does not import it",
            "Package.swift:1: Tensors declares Kernels but does not import it")

    def test_tests_may_depend_on_commands_without_import(self):
        self.write("Tests/CommandTests/A.swift", "import Testing\n")
        self.write("Apps/Sources/plan/main.swift", "\n")
        in_root = target("Tensors", "Kernels", path=self.SOURCES)
        plan = target("plan", kind="executable", path="Apps/Sources/plan")
        tests = target("CommandTests", "plan", kind="test", path="Tests/CommandTests")
        self.assertProblems(self.check([in_root, plan, tests], [target("Tensors", "Kernels")]))

    def test_what_use_by_url_forbids(self):
        unsafe = [{"kind": {"unsafeFlags": {"_0": ["-O3"]}}, "tool": "c"}]
        in_root = target("Tensors", "Kernels", path=self.SOURCES) | {"settings": unsafe}
        own = target("Tensors", "Kernels") | {"settings": unsafe}
        self.assertProblems(
            self.check([in_root], [own], libraries=("Tensors",), root_neighbours=("Attic",)),
            "Package.swift:1: Tensors has unsafeFlags; use by URL would be refused",
            "Package.swift:1: declares no library product Kernels",
            "Package.swift:1: depends on Attic by path; use by URL would be refused")

    def test_neighbours_and_versions(self):
        in_root = target("Tensors", "Kernels", path=self.SOURCES)
        versions = ({"exact": ["6.2.2"]}, {"exact": ["6.2.1"]})
        self.assertProblems(
            self.check([in_root], [target("Tensors", "Kernels")], neighbours=("Attic",),
                       remotes=versions),
            f"{self.OWN}:1: asks for another version of yams than Package.swift",
            f"{self.OWN}:1: the path dependency on Attic is unused",
            f"{self.OWN}:1: the path dependency on Kernels is missing")


class RealManifestTest(LintTest):
    def test_swiftpm_reads_manifests(self):
        own = "Packages/Kernels/Package.swift"
        text = """// swift-tools-version: 6.1
            import PackageDescription
            let package = Package(
              name: "Kernels", products: [.library(name: "Kernels", targets: ["Kernels"])],
              targets: [
                .target(name: "Kernels", dependencies: [.target(name: "C")]), .target(name: "C"),
              ])
            """
        self.write(own, text)
        self.write("Package.swift", text)
        root, packages = manifests.load(self.tree)
        self.assertEqual(root.libraries, {"Kernels": ["Kernels"]})
        self.assertEqual(list(packages), ["Kernels"])
        self.assertEqual(manifests.dependencies(packages["Kernels"].targets["Kernels"]), {"C"})
        self.write("Package.swift", "broken")
        with self.assertRaisesRegex(SystemExit, "^Package.swift:1: SwiftPM cannot read it"):
            manifests.load(self.tree)


if __name__ == "__main__":
    unittest.main()
