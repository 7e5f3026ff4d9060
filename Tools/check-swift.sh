#!/usr/bin/env bash
# Makes sure that a Swift toolchain of version 6.1 or later is on the path: check-swift.sh [swift]
set -euo pipefail
swift=${1:-swift}

if ! command -v "$swift" >/dev/null; then
  echo "error: '$swift' is not on the path." >&2
  echo "Install Swift 6.3 or later from https://www.swift.org/install/linux/ and open a new shell." >&2
  exit 1
fi
version=$("$swift" --version 2>/dev/null | sed -nE 's/.*Swift version ([0-9]+)\.([0-9]+).*/\1 \2/p' | head -n 1)
read -r major minor <<<"${version:-0 0}"
if ((major < 6 || (major == 6 && minor < 1))); then
  echo "error: Swift 6.1 or later is needed; '$swift --version' says ${major}.${minor}." >&2
  echo "Install a newer one from https://www.swift.org/install/linux/." >&2
  exit 1
fi
