#!/usr/bin/env bash
# The whole chain on a small reasoning model: shrink it, let it think aloud, and measure what the bits cost.
set -euo pipefail
cd "$(dirname "$0")/.."
model=${MODEL:-nano}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

step() { printf '\n== %s\n' "$1"; }

step "Quantize $model to 8 and 4 bits (GPTQ, group 128)"
for bits in 8 4; do bin/quantize --model "$model" --bits "$bits" --output "$work/$model-${bits}bit"; done

step "Solve one problem with the 4-bit model"
echo "$PROMPT"
echo
bin/generate --model "$work/$model-4bit" --prompt "$PROMPT"

step "Evaluate 16, 8 and 4 bits on nano-math"
bin/evaluate --model "$model" --bench nano-math --journal "$work/16-bit.jsonl" >"$work/log"
for bits in 8 4; do
  bin/evaluate --model "$work/$model-${bits}bit" --bench nano-math --journal "$work/$bits-bit.jsonl" >"$work/log"
done
echo
bin/evaluate table "$work"/16-bit.result.json "$work"/8-bit.result.json "$work"/4-bit.result.json
