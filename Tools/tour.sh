#!/usr/bin/env bash
# The whole chain on a small reasoning model: shrink it, let it think aloud, shrink its memory of what it thought, and
# measure what the bits cost.
set -euo pipefail
cd "$(dirname "$0")/.."
model=${MODEL:-nano}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

width=$(stty size 2>/dev/null | cut -d' ' -f2 || true)
[ "${width:-0}" -gt 0 ] || width=80

# Prints text without wrapping words.
say() { printf '%s\n' "$1" | fold -s -w "$width"; }
step() { printf '\n'; say "== $1"; printf '\n'; }

# Runs a command and keeps what it says, which is shown where it fails.
quietly() {
  "$@" >"$work/output" 2>"$work/messages" || { cat "$work/messages" >&2; exit 1; }
}

step "1. Make the model smaller: $model in 8 and 4 bits (GPTQ, groups of 128)"
for bits in 8 4; do
  quietly bin/quantize --model "$model" --bits "$bits" --output "$work/$model-${bits}bit"
  printf '%s bits:  %s\n' "$bits" "$(sed -n 's/^tensors  *//p' "$work/messages")"
done

step "2. Let the 4-bit model solve a problem"
say "$PROMPT"
echo
bin/generate --model "$work/$model-4bit" --prompt "$PROMPT" 2>"$work/messages"
sed -n 's/^generation  */\n/p' "$work/messages"

step "3. The same thought, 200 tokens of it, with its KV cache in 16 and in 4 bits"
for kv in bf16 int4; do
  flags=(--kv "$kv")
  [ "$kv" = bf16 ] || flags+=(--kv-residual 0)
  quietly bin/generate --model "$work/$model-4bit" --think-budget 200 --force "${flags[@]}" --prompt "$PROMPT"
  printf '%-5s  KV cache %s, answer %s\n' "$kv" \
    "$(sed -n 's/^KV cache  *\([^,]*\).*/\1/p' "$work/messages")" \
    "$(sed -n 's/.*boxed{\([^}]*\)}.*/\1/p' "$work/output" | tail -1)"
done

step "4. Measure what the bits cost: 400 problems of nano-math"
for bits in 16 8 4; do
  source=$model
  [ "$bits" = 16 ] || source=$work/$model-${bits}bit
  bin/evaluate --model "$source" --bench nano-math --journal "$work/$bits-bit.jsonl" >"$work/output" \
    2> >(grep --line-buffered -v -e '^model:' -e '^journal:' >&2)
done
echo
bin/evaluate table "$work"/16-bit.result.json "$work"/8-bit.result.json "$work"/4-bit.result.json

step "What to do next"
cat <<'END'
What to run on a machine with 8 GiB:
  bin/plan --memory 8GiB --task math
Make a real model smaller (the first line fetches it):
  bin/bitbudget pull 0.6b
  bin/quantize --model 0.6b --bits 8
Ask a model something (--help says how far it may think):
  bin/generate -m nano \
    -p "Start with 17. Then (a) add 3. What is the result?"
The benchmarks there are:
  bin/evaluate list
Put the program bitbudget into your PATH:
  make install PREFIX=~/.local

README.md explains each in a few lines.
END
