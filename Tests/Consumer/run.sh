#!/bin/bash
# Projects elsewhere use the libraries both ways. One takes them by the repository's URL and branch: built from the
# committed HEAD in a temporary folder, run, and removed. The other, the package beside this script, takes the checkout's
# packages by path: its program `alone` has one of them, its program `consumer` extends them from outside with a weight
# format, an eviction, a model family and a benchmark of its own, and runs a nano model with each.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")" && git rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git clone -q --bare "$repository" "$work/BitBudget.git"
git -C "$work/BitBudget.git" update-ref refs/heads/main "$(git -C "$repository" rev-parse HEAD)"

# What the checkout's own build fetched is not fetched again. Caches and fingerprints of the user's other projects are
# left alone.
fetched=${XDG_CACHE_HOME:-$HOME/.cache}/org.swift.swiftpm/repositories
mkdir -p "$work/cache" "$work/url/Sources"
if [[ -d $fetched ]]; then cp -R "$fetched" "$work/cache/"; fi

# The program that has one package says what one of another project does, and reads a JSON text besides.
{ cat "$repository/Tests/Consumer/Sources/alone/main.swift" && cat <<'END'; } >"$work/url/Sources/main.swift"
import JSON
print(try JSONValue(parsing: "[1, 2]".utf8).array?.count ?? 0)
END
cat >"$work/url/Package.swift" <<END
// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "url",
  platforms: [.macOS(.v15)],
  dependencies: [.package(url: "file://$work/BitBudget.git", branch: "main")],
  targets: [
    .executableTarget(
      name: "url",
      dependencies: [
        .product(name: "KVCaches", package: "BitBudget"), .product(name: "JSON", package: "BitBudget"),
      ],
      path: "Sources")
  ]
)
END

# build LOG FLAGS...: builds a package; what it says is shown where that fails.
build() {
  local log=$work/$1.log
  if ! swift build "${@:2}" >"$log" 2>&1; then
    cat "$log" >&2
    echo "consumer: the project that uses the libraries by $1 does not build" >&2
    exit 1
  fi
}

# expect PROGRAM EXPECTED: runs a program, which has to print this.
expect() {
  local printed
  printed=$("$1")
  if [[ $printed != "$2" ]]; then
    echo "consumer: $1: expected '$2', found '$printed'" >&2
    exit 1
  fi
}

build url --package-path "$work/url" --security-path "$work/security" --cache-path "$work/cache"
expect "$work/url/.build/debug/url" $'[3.0, 4.0]\n2'

# Debug builds are quick to make; the kernels alone have to be fast.
own=(--package-path "$repository/Tests/Consumer" --scratch-path "$repository/.build/consumer" -Xcc -O2)
build path "${own[@]}"
programs=$(swift build "${own[@]}" --show-bin-path 2>/dev/null)
expect "$programs/alone" '[3.0, 4.0]'
"$programs/consumer"
echo "consumer: ok (url), ok (path), ok (extensions)"
