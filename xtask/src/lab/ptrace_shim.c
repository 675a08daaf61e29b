/* Preloaded into user-mode Linux 6.1. That kernel hands ptrace a fixed 832-byte XSAVE area; a host with AVX-512 or
 * AMX insists on the whole of its own. This keeps, for each register buffer, the part that the guest has no room for. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>

#define X86_XSTATE 0x202 /* NT_X86_XSTATE */
#define AREA 16384
#define SLOTS 4096 /* a power of two, see the shift below */
#define XSTATE_BV 512 /* offset of the "components in use" word in the XSAVE header */

static long (*real_ptrace)(int, pid_t, void *, void *);
static size_t full_size;
static struct { void *key; char *state; } slots[SLOTS];

static char *state_of(void *key) {
  unsigned long h = ((unsigned long)key >> 4) * 0x9E3779B97F4A7C15ul >> 52;
  for (int i = 0; i < SLOTS; i++, h = (h + 1) % SLOTS) {
    if (slots[h].key == key) return slots[h].state;
    if (!slots[h].key) {
      slots[h].key = key;
      return slots[h].state = calloc(1, AREA);
    }
  }
  return slots[0].state;
}

long ptrace(enum __ptrace_request request, ...) {
  va_list ap;
  va_start(ap, request);
  pid_t pid = va_arg(ap, pid_t);
  void *addr = va_arg(ap, void *), *data = va_arg(ap, void *);
  va_end(ap);
  if (!real_ptrace) real_ptrace = dlsym(RTLD_NEXT, "ptrace");
  if (((int)request != PTRACE_GETREGSET && (int)request != PTRACE_SETREGSET) || (long)addr != X86_XSTATE)
    return real_ptrace(request, pid, addr, data);

  struct iovec *guest = data, io;
  char *state = state_of(guest->iov_base);
  if ((int)request == PTRACE_GETREGSET) {
    io.iov_base = state;
    io.iov_len = AREA;
    if (real_ptrace(request, pid, addr, &io) < 0) return -1;
    full_size = io.iov_len;
    if (guest->iov_len > full_size) guest->iov_len = full_size;
    memcpy(guest->iov_base, state, guest->iov_len);
    return 0;
  }
  if (!full_size) {
    static char scratch[AREA];
    io.iov_base = scratch;
    io.iov_len = sizeof scratch;
    if (real_ptrace(PTRACE_GETREGSET, pid, addr, &io) < 0) return -1;
    full_size = io.iov_len;
  }
  if (guest->iov_len >= full_size) return real_ptrace(request, pid, addr, data);
  /* x87, SSE and AVX are the guest's (the low three bits); everything above stays as it was read. */
  unsigned long in_use, before;
  memcpy(&before, state + XSTATE_BV, 8);
  memcpy(state, guest->iov_base, guest->iov_len);
  memcpy(&in_use, state + XSTATE_BV, 8);
  in_use = (in_use & 7) | (before & ~7ul);
  memcpy(state + XSTATE_BV, &in_use, 8);
  io.iov_base = state;
  io.iov_len = full_size;
  return real_ptrace(request, pid, addr, &io);
}
