#!/usr/bin/env bash
# completions.sh PROGRAM SHARE: writes the completions of bash, zsh and fish where those shells look below SHARE.
set -euo pipefail
program=$1 share=$2
write() {
  mkdir -p "$(dirname "$share/$2")"
  "$program" --generate-completion-script "$1" >"$share/$2"
}
write bash bash-completion/completions/bitbudget
write zsh zsh/site-functions/_bitbudget
write fish fish/vendor_completions.d/bitbudget.fish
