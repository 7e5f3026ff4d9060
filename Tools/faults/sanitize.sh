#!/bin/bash
# The unit tests under AddressSanitizer, ThreadSanitizer and UndefinedBehaviorSanitizer, package by package, each
# with a build of its own below .build/sanitize. Names of packages and sanitizers may be given, else all are taken:
#
#     bash Tools/faults/sanitize.sh address Kernels ModelLoader
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

sanitizers=() packages=()
for word in "$@"; do
  case "$word" in address | thread | undefined) sanitizers+=("$word") ;; *) packages+=("$word") ;; esac
done
((${#sanitizers[@]})) || sanitizers=(address thread undefined)
((${#packages[@]})) || packages=(SystemCalls Kernels Tensors KVCaches Quantizers ModelLoader Tokenizer Evaluation)

export ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/Tools/faults/thread.supp"
for sanitizer in "${sanitizers[@]}"; do
  for package in "${packages[@]}"; do
    # Undefined behaviour is looked for in C alone.
    [[ $sanitizer != undefined || $package =~ ^(Kernels|Tensors|KVCaches)$ ]] || continue
    echo "== $package under $sanitizer"
    # Swift has no undefined-behaviour sanitizer on Linux; the C compiler's needs no library when it traps.
    flags=(--sanitize "$sanitizer")
    [[ $sanitizer != undefined ]] || flags=(-Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined)
    "${SWIFT:-swift}" test --package-path "Packages/$package" "${flags[@]}" \
      --scratch-path ".build/sanitize/$sanitizer-$package"
  done
done
