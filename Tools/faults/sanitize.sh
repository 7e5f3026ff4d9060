#!/bin/bash
# The unit tests under AddressSanitizer, with undefined behaviour of C looked for in the same run, and under
# ThreadSanitizer, each with a build of its own below .build/sanitize. Sanitizers and names of test targets may be
# given, else all are taken. Folders of packages are tested by themselves, which builds only what they need (minutes
# instead of an hour):
#
#     bash Tools/faults/sanitize.sh address KernelsTests ModelLoaderTests
#     bash Tools/faults/sanitize.sh thread Packages/TextGeneration Packages/DecoderModels
#
# With `commands` the program is built so, and the tests of the commands, which are built as usual, run it: what they do
# with a server, with several threads and with damaged files.
#
#     bash Tools/faults/sanitize.sh thread commands CommandTests.Serve CommandTests.Endpoint
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

sanitizers=() packages=() targets=() commands=
for word in "$@"; do
  case "$word" in
    address | thread) sanitizers+=("$word") ;;
    commands) commands=yes ;;
    Packages/*) packages+=("$word") ;;
    *) targets+=(--filter "$word") ;;
  esac
done
((${#sanitizers[@]})) || sanitizers=(address thread)
((${#packages[@]})) || packages=(.)
if [[ $commands ]]; then
  # A limit on the address space leaves a sanitizer no room.
  ((${#targets[@]})) || targets=(--filter CommandTests --skip CommandTests.MemoryTests)
else
  ((${#targets[@]})) || targets=(--skip CommandTests --skip ExampleTests)
fi

export ASAN_OPTIONS=detect_leaks=0 TSAN_OPTIONS="halt_on_error=1 suppressions=$PWD/Tools/faults/thread.supp"
for sanitizer in "${sanitizers[@]}"; do
  echo "== $sanitizer"
  flags=(--sanitize "$sanitizer" -Xcc -O1)
  # Swift has no undefined-behaviour sanitizer on Linux; that of C needs no library when it traps.
  [[ $sanitizer == thread ]] || flags+=(-Xcc -fsanitize=undefined -Xcc -fsanitize-trap=undefined)
  if [[ $commands ]]; then
    build=("${SWIFT:-swift}" build "${flags[@]}" --scratch-path "$PWD/.build/sanitize/$sanitizer-commands" --product bitbudget)
    "${build[@]}"
    program=$("${build[@]}" --show-bin-path)/bitbudget
    bin=$PWD/.build/sanitize/$sanitizer-bin
    mkdir -p "$bin"
    for command in bitbudget quantize generate chat serve evaluate plan study tune load; do
      ln -sfn "$program" "$bin/$command"
    done
    BITBUDGET_BIN=$bin "${SWIFT:-swift}" test -Xcc -O2 "${targets[@]}"
    continue
  fi
  for package in "${packages[@]}"; do
    # A folder for each: what is built for one package would be taken for the next.
    folder=$sanitizer
    [[ $package == . ]] || folder+=-$(basename "$package")
    "${SWIFT:-swift}" test --package-path "$package" "${flags[@]}" --scratch-path "$PWD/.build/sanitize/$folder" "${targets[@]}"
  done
done
