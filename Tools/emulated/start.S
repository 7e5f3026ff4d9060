// From where a multiboot loader leaves the processor to 64-bit mode with all vector and tile registers switched on; and the entry
// of system calls and faults. See system.c.

// What the header asks of the loader: modules on pages, and the amount of memory.
.section .multiboot, "a"
.align 4
.long 0x1BADB002, 3, -(0x1BADB002 + 3)

.text
.code32
.globl start
start:
  cli
  mov %ebx, information
  // The first GiB lies where it is: 512 pages of 2 MiB.
  movl $(level3 + 3), level4
  movl $(level2 + 3), level3
  mov $level2, %edi
  mov $0x83, %eax  // present, writable, large
  mov $512, %ecx
next_page:
  mov %eax, (%edi)
  add $0x200000, %eax
  add $8, %edi
  loop next_page
  mov %cr4, %eax
  or $0x40620, %eax  // long addresses, SSE, its exceptions, XSAVE
  mov %eax, %cr4
  mov $level4, %eax
  mov %eax, %cr3
  mov $0xC0000080, %ecx
  rdmsr
  or $0x101, %eax  // 64-bit mode, SYSCALL
  wrmsr
  mov %cr0, %eax
  or $0x80000002, %eax
  and $~0xC, %eax  // there is a floating-point unit
  mov %eax, %cr0
  lgdt segments_pointer
  ljmp $8, $long_mode

.code64
long_mode:
  mov $16, %ax
  mov %ax, %ss
  mov %ax, %ds
  mov %ax, %es
  fninit
  // All of AVX, AVX-512 and tiles that the processor has.
  mov $0xD, %eax
  xor %ecx, %ecx
  cpuid
  and $0x600e7, %eax
  xor %ecx, %ecx
  xor %edx, %edx
  xsetbv
  mov $system_stack, %rsp
  mov information, %edi
  call run
  hlt

// run_program(entry, stack)
.globl run_program
run_program:
  mov %rsi, %rsp
  xor %edx, %edx
  jmp *%rdi

// What the program keeps below its stack pointer has to stay: calls get a stack of their own.
.globl system_call_entry
system_call_entry:
  mov %rsp, program_stack
  mov $system_stack, %rsp
  push %rcx
  push %rdi
  push %rsi
  push %rdx
  push %r8
  push %r9
  push %r10
  mov %rdx, %rcx
  mov %rsi, %rdx
  mov %rdi, %rsi
  mov %rax, %rdi
  call system_call  // (number, three arguments)
  pop %r10
  pop %r9
  pop %r8
  pop %rdx
  pop %rsi
  pop %rdi
  pop %rcx
  mov program_stack, %rsp
  jmp *%rcx

.macro fault number, has_code
fault_\number:
  .if !\has_code
  push $0
  .endif
  mov $\number, %edi
  mov 8(%rsp), %rsi
  mov %cr2, %rdx
  jmp fault
.endm
fault 0, 0
fault 6, 0
fault 7, 0
fault 8, 1
fault 12, 1
fault 13, 1
fault 14, 1
fault 19, 0

.data
.globl faults
faults: .quad 0, fault_0, 6, fault_6, 7, fault_7, 8, fault_8, 12, fault_12, 13, fault_13, 14, fault_14, 19, fault_19
.align 8
segments: .quad 0, 0x00AF9A000000FFFF, 0x00CF92000000FFFF
segments_pointer:
  .word 23
  .quad segments
information: .long 0, 0
program_stack: .quad 0

.bss
.align 4096
level4: .skip 4096
level3: .skip 4096
level2: .skip 4096
.skip 65536
system_stack:
