#!/bin/bash
# Projects elsewhere use the libraries. Two small ones take them both ways, by the repository's URL and branch and by
# the path of one package: built from the committed HEAD in a temporary folder, run, and removed. A third one, the
# package beside this script, extends the checkout's packages from outside with a weight format, an eviction, a model
# family and a benchmark of its own, and runs a nano model with each.
set -euo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")" && git rev-parse --show-toplevel)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

git clone -q --bare "$repository" "$work/BitBudget.git"
git -C "$work/BitBudget.git" update-ref refs/heads/main "$(git -C "$repository" rev-parse HEAD)"
git clone -q "$work/BitBudget.git" "$work/checkout"

# consumer NAME DEPENDENCY PRODUCTS: an executable package; its program is read from standard input.
consumer() {
  mkdir -p "$work/$1/Sources/$1"
  cat >"$work/$1/Sources/$1/main.swift"
  cat >"$work/$1/Package.swift" <<END
// swift-tools-version: 6.1
import PackageDescription

let package = Package(
  name: "$1",
  platforms: [.macOS(.v15)],
  dependencies: [$2],
  targets: [.executableTarget(name: "$1", dependencies: [$3])]
)
END
}

# check NAME EXPECTED: builds and runs a consumer. Caches and fingerprints of the user's other projects are left alone.
check() {
  local log="$work/$1.log" printed
  if ! swift build --package-path "$work/$1" --security-path "$work/security" \
    --disable-dependency-cache >"$log" 2>&1; then
    cat "$log" >&2
    echo "consumer: the program that uses the libraries by $1 does not build" >&2
    exit 1
  fi
  printed=$("$work/$1/.build/debug/$1")
  if [[ $printed != "$2" ]]; then
    echo "consumer: by $1: expected '$2', found '$printed'" >&2
    exit 1
  fi
}

# One token's value is what attention over it alone returns.
attention='
let shape = KVShape(layers: 1, kvHeads: 1, headDimension: 2)
var cache = try KVCache(shape: shape, meter: KVMeter())
try cache.append(keys: [1, 2], values: [3, 4], tokens: 1, layer: 0)
var output: [Float] = [0, 0]
cache.attend(
  queries: [5, 6], heads: 1, kvHead: 0, layer: 0, visible: cache.count, scale: 1, output: &output)
print(output)'

consumer url '.package(url: "file://'"$work"'/BitBudget.git", branch: "main")' \
  '.product(name: "KVCaches", package: "BitBudget"), .product(name: "JSON", package: "BitBudget")' <<END
import JSON
import KVCaches
$attention
print(try JSONValue(parsing: "[1, 2]".utf8).array?.count ?? 0)
END

consumer path '.package(path: "'"$work"'/checkout/Packages/KVCaches")' \
  '.product(name: "KVCaches", package: "KVCaches")' <<END
import KVCaches
$attention
END

check url $'[3.0, 4.0]\n2'
check path '[3.0, 4.0]'

# Debug builds are quick to make; the kernels alone have to be fast.
log="$work/extensions.log"
build=(swift build --package-path "$repository/Tests/Consumer" --scratch-path "$repository/.build/consumer" -Xcc -O2)
if ! "${build[@]}" >"$log" 2>&1; then
  cat "$log" >&2
  echo "consumer: the project that extends the libraries does not build" >&2
  exit 1
fi
"$("${build[@]}" --show-bin-path 2>/dev/null)/consumer"
echo "consumer: ok (url), ok (path), ok (extensions)"
