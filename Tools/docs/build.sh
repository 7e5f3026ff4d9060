#!/usr/bin/env bash
# Builds the documentation of packages, all of them unless some are named, as a site: build.sh FOLDER [PACKAGE...]
set -euo pipefail
cd "$(dirname "$0")/../.."
output=$1
shift
packages=("$@")
# The plugin is for this script alone: what other builds have resolved stays as it is.
resolved=$(mktemp)
[ ! -f Package.resolved ] || cp Package.resolved "$resolved"
trap 'if [ -s "$resolved" ]; then cp "$resolved" Package.resolved; else rm -f Package.resolved; fi; rm -f "$resolved"' EXIT
[ ${#packages[@]} -gt 0 ] || mapfile -t packages < <(ls Packages)

for package in "${packages[@]}"; do
  catalog="Packages/$package/Sources/$package/$package.docc"
  options=(--transform-for-static-hosting --hosting-base-path "$package" --fallback-display-name "$package"
    --fallback-bundle-identifier "bitbudget.$package")
  rm -rf "${output:?}/$package"
  if compgen -G "Packages/$package/Sources/$package/*.c" >/dev/null; then
    mkdir -p "$output"
    docc=$(dirname "$(readlink -f "$(command -v "${SWIFT:-swift}")")")/docc
    "$docc" convert "$catalog" --output-path "$output/$package" "${options[@]}"
  else
    BITBUDGET_DOCS=1 "${SWIFT:-swift}" package --scratch-path .build/docs --allow-writing-to-directory "$output" \
      generate-documentation --target "$package" --output-path "$output/$package" "${options[@]}"
  fi
  echo "$output/$package"
done
