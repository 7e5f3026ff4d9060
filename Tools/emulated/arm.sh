#!/bin/sh
# Builds the kernels for 64-bit Arm and compares NEON with scalar under an emulator.
# Needs: apt-get install gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../Packages/Kernels/Sources/Kernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clang --target=aarch64-linux-gnu -O2 -Wall -Wextra -Werror -I"$kernels/include" \
  "$kernels"/*.c "$here/check.c" -fuse-ld=bfd --ld-path="$(command -v aarch64-linux-gnu-ld)" \
  -lm -lpthread -o "$work/check"
qemu-aarch64 -L /usr/aarch64-linux-gnu "$work/check" neon
