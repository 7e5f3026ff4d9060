// As much of a system as a statically linked program needs that computes and prints: it runs in the processor's first ring, on memory
// that is mapped to itself, and its system calls are answered here. What it prints goes to the serial line.
#include <stddef.h>
#include <stdint.h>

// Memory in use, under 512 MiB: this program from LOADED on (see link.ld), the other where it was linked for, then its heap, what it
// maps, and its stack.
enum { HEAP = 0x17000000, MAPPED = 0x18000000, STACK = 0x1F000000 };

static void write_port(uint16_t port, uint8_t byte) { __asm__ volatile("outb %0, %1" ::"a"(byte), "Nd"(port)); }
static uint8_t read_port(uint16_t port) {
  uint8_t byte;
  __asm__ volatile("inb %1, %0" : "=a"(byte) : "Nd"(port));
  return byte;
}
static void write_register(uint32_t which, uint64_t value) {
  __asm__ volatile("wrmsr" ::"c"(which), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static void print_bytes(const char *bytes, size_t count) {
  for (size_t i = 0; i < count; i++) {
    while (!(read_port(0x3FD) & 0x20)) continue;
    write_port(0x3F8, (uint8_t)bytes[i]);
  }
}
static void print(const char *text) {
  for (; *text; text++) print_bytes(text, 1);
}
static void print_number(const char *label, uint64_t number) {
  print(label);
  for (int shift = 60; shift >= 0; shift -= 4) print_bytes(&"0123456789abcdef"[number >> shift & 15], 1);
}

// Ends the emulator, which listens at this port for this word.
static void power_off(void) {
  for (const char *letter = "Shutdown"; *letter; letter++) write_port(0x8900, (uint8_t)*letter);
  for (;;) __asm__("hlt");
}

void *memset(void *to, int byte, size_t count) {
  for (size_t i = 0; i < count; i++) ((volatile char *)to)[i] = (char)byte;
  return to;
}
void *memcpy(void *to, const void *from, size_t count) {
  for (size_t i = 0; i < count; i++) ((volatile char *)to)[i] = ((const char *)from)[i];
  return to;
}

void fault(uint64_t number, uint64_t place, uint64_t address) {
  print_number("fault ", number), print_number(" at ", place), print_number(" of ", address), print("\n");
  power_off();
}

int64_t system_call(uint64_t number, uint64_t a, uint64_t b, uint64_t c) {
  enum { WRITE = 1, FSTAT = 5, MMAP = 9, MPROTECT = 10, MUNMAP = 11, BRK = 12, WRITEV = 20, EXIT = 60, UNAME = 63, ARCH_PRCTL = 158,
         FUTEX = 202, SET_TID_ADDRESS = 218, EXIT_GROUP = 231, NEWFSTATAT = 262, GETRANDOM = 318 };
  enum { NOT_THERE = -38, SET_FS = 0x1002, TO_FS = 0xC0000100, MODE = 24, CHARACTERS = 0020600, RELEASE = 130 };
  static uint64_t heap = HEAP, mapped = MAPPED;
  switch (number) {
    case WRITE: print_bytes((const char *)b, c); return (int64_t)c;
    case WRITEV: {
      const uint64_t *parts = (const uint64_t *)b;
      int64_t written = 0;
      for (uint64_t i = 0; i < c; i++) print_bytes((const char *)parts[2 * i], parts[2 * i + 1]), written += parts[2 * i + 1];
      return written;
    }
    case BRK:
      if (a >= HEAP && a < MAPPED) heap = a;
      return (int64_t)heap;
    case MMAP: {
      const uint64_t at = mapped;
      mapped += (b + 4095) / 4096 * 4096;
      memset((void *)at, 0, b);
      return (int64_t)at;
    }
    case ARCH_PRCTL:  // the other request is for tiles, which are on
      if (a == SET_FS) write_register(TO_FS, b);
      return 0;
    case FSTAT:
    case NEWFSTATAT: {
      char *state = (char *)(number == FSTAT ? b : c);
      memset(state, 0, 144);
      *(uint32_t *)(state + MODE) = CHARACTERS;
      return 0;
    }
    case UNAME:
      memset((void *)a, 0, 390);
      memcpy((void *)(a + RELEASE), "6.1.0", 6);
      return 0;
    case GETRANDOM: memset((void *)a, 90, b); return (int64_t)b;
    case SET_TID_ADDRESS: return 1;
    case MPROTECT:
    case MUNMAP:
    case FUTEX: return 0;
    case EXIT:
    case EXIT_GROUP: print_number("ended with ", a), print("\n"), power_off();
  }
  return NOT_THERE;
}

// The parts of an ELF file and of a multiboot loader's information that are read.
typedef struct {
  uint8_t identity[16];
  uint16_t type, machine;
  uint32_t version;
  uint64_t entry, segments, sections;
  uint32_t flags;
  uint16_t bytes, segment_bytes, segment_count;
} elf_header;
typedef struct {
  uint32_t type, flags;
  uint64_t offset, address, physical, file_bytes, memory_bytes, alignment;
} elf_segment;
typedef struct { uint32_t flags, lower, upper, device, line, module_count, modules; } multiboot;
typedef struct { uint32_t first, last, line; } module;

// The words of a line, which is copied, in the form of `argv`.
static uint64_t *words_of(const char *line, uint64_t *to) {
  static char words[256];
  uint64_t *const count = to++;
  for (int i = 0; i < 255 && line[i]; i++) {
    words[i] = line[i] == ' ' ? 0 : line[i];
    if (words[i] && (i == 0 || !words[i - 1])) *to++ = (uint64_t)&words[i];
  }
  *count = (uint64_t)(to - count - 1);
  *to++ = 0;
  return to;
}

extern const uint64_t faults[8][2];
void system_call_entry(void);
void run_program(uint64_t entry, uint64_t stack);

static void listen(void) {
  static uint64_t table[64] __attribute__((aligned(16)));
  for (int i = 0; i < 8; i++) {
    const uint64_t number = faults[i][0], at = faults[i][1];
    table[2 * number] = (at & 0xffff) | 8ull << 16 | 0x8e00ull << 32 | (at >> 16 & 0xffff) << 48;
    table[2 * number + 1] = at >> 32;
  }
  const struct __attribute__((packed)) { uint16_t last; uint64_t at; } pointer = {sizeof table - 1, (uint64_t)table};
  __asm__ volatile("lidt %0" ::"m"(pointer));
  write_register(0xC0000081, 8ull << 32);
  write_register(0xC0000082, (uint64_t)system_call_entry);
  write_register(0xC0000084, 0);
}

// Loads the module as a program and runs it with the words of its line.
void run(const multiboot *information) {
  listen();
  const module *file = (const module *)(uint64_t)information->modules;
  const uint64_t base = file->first;
  const elf_header *header = (const elf_header *)base;
  const elf_segment *segments = (const elf_segment *)(base + header->segments);
  uint64_t loaded = 0;
  for (int i = 0; i < header->segment_count; i++) {
    const elf_segment s = segments[i];
    if (s.type != 1) continue;
    memcpy((void *)s.address, (const void *)(base + s.offset), s.file_bytes);
    memset((void *)(s.address + s.file_bytes), 0, s.memory_bytes - s.file_bytes);
    if (s.offset == 0) loaded = s.address + header->segments;
  }
  static char noise[16] = "whatever it is";
  uint64_t *stack = words_of((const char *)(uint64_t)file->line, (uint64_t *)STACK);
  *stack++ = 0;  // no environment
  // Page size, random bytes, the segments (their address, bytes of each, count), and the end.
  const uint64_t auxiliary[] = {6, 4096, 25, (uint64_t)noise, 3, loaded, 4, sizeof(elf_segment), 5, header->segment_count, 0, 0};
  for (size_t i = 0; i < sizeof auxiliary / sizeof *auxiliary; i++) *stack++ = auxiliary[i];
  run_program(header->entry, STACK);
}
