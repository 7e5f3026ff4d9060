#!/bin/sh
# Builds the kernels and compares those of x86 with scalar on emulated processors, whatever this machine has: AVX-VNNI on an Arrow
# Lake; AVX-512 and its BF16 on a Sapphire Rapids. Ten minutes or so. Not tiles: Bochs 3.0 multiplies signed bytes as if they had no
# sign; with that mended (cpu/avx/amx.cc), `amx` passes too.
# Needs: Bochs 3.0 or newer (BOCHS=path), built with --enable-evex --enable-amx --with-nogui; its BIOS files, mboot.c32 and xorriso:
# apt-get install bochsbios vgabios isolinux syslinux-common xorriso
set -eu
here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../../Packages/Kernels/Sources/Kernels
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/disc"

# Bochs 3.0 lacks a form of gathers.
clang -O2 -Wall -Wextra -Werror -mno-gather -static -Wl,-Ttext-segment=0x14000000 -I"$kernels/include" \
  "$kernels"/*.c "$here/check.c" -lm -lpthread -o "$work/disc/check"
clang -c "$here/start.S" -o "$work/start.o"
clang -O1 -Wall -Wextra -Werror -mno-sse -mno-red-zone -fno-pic -fno-stack-protector -ffreestanding -c "$here/system.c" \
  -o "$work/system.o"
ld -m elf_x86_64 -T "$here/link.ld" -z noexecstack --no-warn-rwx-segments "$work/start.o" "$work/system.o" -o "$work/system"
objcopy -O elf32-i386 "$work/system" "$work/disc/system" # as the loader wants it
cp /usr/lib/ISOLINUX/isolinux.bin /usr/lib/syslinux/modules/bios/ldlinux.c32 /usr/lib/syslinux/modules/bios/libcom32.c32 \
  /usr/lib/syslinux/modules/bios/mboot.c32 "$work/disc/"

# check_on MODEL SET...
check_on() {
  model=$1
  shift
  printf 'DEFAULT check\nLABEL check\n KERNEL mboot.c32\n APPEND /system --- /check %s\n' "$*" > "$work/disc/isolinux.cfg"
  xorriso -as mkisofs -quiet -o "$work/disc.iso" -b isolinux.bin -c boot.cat -no-emul-boot -boot-load-size 4 -boot-info-table \
    "$work/disc" 2> "$work/log"
  cat > "$work/machine" <<END
display_library: nogui
memory: guest=512, host=512
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
cpu: model=$model, ips=100000000
clock: sync=none
ata0-master: type=cdrom, path=$work/disc.iso, status=inserted
boot: cdrom
com1: enabled=1, mode=file, dev=$work/printed
log: $work/log
panic: action=fatal
END
  "${BOCHS:-bochs}" -q -f "$work/machine" > "$work/said" 2>&1 < /dev/null || true
  grep -aE 'comparisons|differs|not there|fault|ended' "$work/printed" || cat "$work/said"
  grep -aq 'ended with 0000000000000000' "$work/printed"
}
check_on arrow_lake avx2 avxvnni
check_on sapphire_rapids avx512 avx512bf16
