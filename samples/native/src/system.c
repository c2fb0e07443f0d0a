/* What the library needs of the kernel and of arithmetic: errors, time, identities, locks, barriers, futexes. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static _Thread_local char error_text[4096];

const char *bywash_error(void) { return error_text; }

uint32_t bywash_abi(void) { return BYWASH_ABI; }

int fail(int code, const char *format, ...) {
  char text[sizeof error_text]; /* the arguments may include the last text */
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  memcpy(error_text, text, sizeof text);
  return code;
}

int64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void sleep_ns(int64_t ns) {
  struct timespec time = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };
  nanosleep(&time, NULL);
}

uint32_t crc32c(const void *bytes, size_t count) {
  uint32_t crc = 0xFFFFFFFFu;
  for (size_t i = 0; i < count; i++) {
    crc ^= ((const uint8_t *)bytes)[i];
    for (int bit = 0; bit < 8; bit++) {
      crc = crc >> 1 ^ (0x82F63B78u & (0u - (crc & 1)));
    }
  }
  return ~crc;
}

int64_t random_id(void) {
  uint64_t id = 0;
  if (getrandom(&id, sizeof id, 0) != (ssize_t)sizeof id) {
    id = (uint64_t)now_ns() << 16 ^ (uint64_t)getpid();
  }
  return (int64_t)(id | 1);
}

/* ---- SHA-256 */

static const uint32_t SHA_K[64] = {
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
  0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
  0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
  0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
  0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
  0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
  0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
  0xc67178f2 };

static uint32_t rotated(uint32_t value, int bits) { return value >> bits | value << (32 - bits); }

static void sha_block(uint32_t state[8], const uint8_t block[64]) {
  uint32_t w[64];
  for (int i = 0; i < 16; i++) {
    w[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8
        | block[4 * i + 3];
  }
  for (int i = 16; i < 64; i++) {
    uint32_t s0 = rotated(w[i - 15], 7) ^ rotated(w[i - 15], 18) ^ w[i - 15] >> 3;
    uint32_t s1 = rotated(w[i - 2], 17) ^ rotated(w[i - 2], 19) ^ w[i - 2] >> 10;
    w[i] = w[i - 16] + s0 + w[i - 7] + s1;
  }
  uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6],
      h = state[7];
  for (int i = 0; i < 64; i++) {
    uint32_t t1 = h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + ((e & f) ^ (~e & g)) + SHA_K[i] + w[i];
    uint32_t t2 = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
    h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
  }
  state[0] += a, state[1] += b, state[2] += c, state[3] += d;
  state[4] += e, state[5] += f, state[6] += g, state[7] += h;
}

int64_t bywash_fingerprint(const char *layout) {
  size_t length = layout == NULL ? 0 : strlen(layout);
  if (length == 0) {
    return 0;
  }
  uint32_t state[8] = { 0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab,
    0x5be0cd19 };
  const uint8_t *bytes = (const uint8_t *)layout;
  size_t left = length;
  for (; left >= 64; left -= 64, bytes += 64) {
    sha_block(state, bytes);
  }
  uint8_t last[128] = { 0 };
  memcpy(last, bytes, left);
  last[left] = 0x80;
  size_t end = left < 56 ? 64 : 128;
  for (int i = 0; i < 8; i++) {
    last[end - 1 - (size_t)i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
  }
  sha_block(state, last);
  if (end == 128) {
    sha_block(state, last + 64);
  }
  uint64_t fingerprint = 0;
  for (int i = 7; i >= 0; i--) { /* the first 8 bytes of the hash, as they stand in memory */
    fingerprint = fingerprint << 8 | (state[i / 4] >> (24 - 8 * (i % 4)) & 0xFF);
  }
  return (int64_t)fingerprint;
}

/* ---- identities */

static bool read_text(const char *path, char *text, size_t bytes) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return false;
  }
  ssize_t count = read(fd, text, bytes - 1);
  close(fd);
  if (count <= 0) {
    return false;
  }
  text[count] = 0;
  return true;
}

/** The start time and state of a process; 0 when unknown. */
static int64_t start_ticks(int64_t pid, char *state) {
  char path[64];
  char text[1024];
  snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
  const char *at = read_text(path, text, sizeof text) ? strrchr(text, ')') : NULL; /* the name may hold anything */
  if (at == NULL || at[1] != ' ') {
    return 0;
  }
  *state = at[2];
  for (int field = 2; at != NULL && field < 22; field++) {
    at = strchr(at + 1, ' ');
  }
  return at == NULL ? 0 : strtoll(at + 1, NULL, 10);
}

void identify_self(identity *self) {
  struct stat namespace;
  char text[64];
  char state;
  memset(self, 0, sizeof *self);
  self->pid = getpid();
  self->start_ticks = start_ticks(self->pid, &state);
  if (stat("/proc/self/ns/pid", &namespace) == 0) {
    self->pid_namespace = (int64_t)namespace.st_ino;
  }
  if (read_text("/proc/sys/kernel/random/boot_id", text, sizeof text)) {
    uint64_t halves[2] = { 0, 0 };
    int digits = 0;
    for (const char *at = text; *at != 0 && digits < 32; at++) {
      int digit = *at >= '0' && *at <= '9' ? *at - '0' : *at >= 'a' && *at <= 'f' ? *at - 'a' + 10 : -1;
      if (digit >= 0) {
        halves[digits / 16] = halves[digits / 16] << 4 | (uint64_t)digit;
        digits++;
      }
    }
    self->boot_high = (int64_t)halves[0];
    self->boot_low = (int64_t)halves[1];
  }
}

bool certainly_runs(const identity *who) {
  identity self;
  identify_self(&self);
  if (who->start_ticks == 0 || who->pid_namespace == 0 || who->pid_namespace != self.pid_namespace
      || (who->boot_high == 0 && who->boot_low == 0) || who->boot_high != self.boot_high
      || who->boot_low != self.boot_low) {
    return false;
  }
  char state = 0;
  return start_ticks(who->pid, &state) == who->start_ticks && state != 'Z' && state != 'X';
}

/* ---- locks */

static struct flock range(short type, int64_t byte, int64_t count) {
  struct flock lock;
  memset(&lock, 0, sizeof lock);
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = byte;
  lock.l_len = count;
  return lock;
}

int lock_byte(int fd, int64_t byte) {
  struct flock lock = range(F_WRLCK, byte, 1);
  bywash_step();
  if (fcntl(fd, F_OFD_SETLK, &lock) == 0) {
    return 0;
  }
  return errno == EACCES ? EAGAIN : errno;
}

void unlock_byte(int fd, int64_t byte) {
  struct flock lock = range(F_UNLCK, byte, 1);
  bywash_step();
  fcntl(fd, F_OFD_SETLK, &lock);
}

bool is_locked(int fd, int64_t byte, int64_t count) {
  struct flock lock = range(F_RDLCK, byte, count);
  return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

/* ---- barriers and futexes */

bool register_barrier(void) { return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0) == 0; }

bool barrier_on_others(void) { return syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0) == 0; }

void futex_sleep(void *word, int32_t expected, uint32_t bits, int64_t timeout_ns) {
  int64_t end = now_ns() + max64(timeout_ns, 1);
  struct timespec until = { .tv_sec = end / 1000000000, .tv_nsec = end % 1000000000 };
  syscall(SYS_futex, word, FUTEX_WAIT_BITSET, expected, &until, NULL, bits);
}

void futex_wake(void *word, uint32_t bits) { syscall(SYS_futex, word, FUTEX_WAKE_BITSET, INT_MAX, NULL, NULL, bits); }

/* ---- names and labels */

bool is_name(const char *name, size_t max_bytes) {
  size_t length = name == NULL ? 0 : strnlen(name, max_bytes + 1);
  if (length == 0 || length > max_bytes) {
    return false;
  }
  for (size_t i = 0; i < length; i++) {
    char c = name[i];
    bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!letter && (i == 0 || (c != '.' && c != '_' && c != '-'))) {
      return false;
    }
  }
  return true;
}

int check_name(const char *argument, const char *name) {
  return is_name(name, NAME_MAX_BYTES) ? 0
      : fail(BYWASH_EINVAL, "%s=\"%s\" is no name; use 1 to 64 characters of A-Z a-z 0-9 . _ - beginning with a letter"
          " or a digit", argument, name == NULL ? "null" : name);
}

int check_label(const char *label) {
  size_t length = strlen(label);
  bool controls = false;
  for (size_t i = 0; i < length; i++) {
    uint8_t c = (uint8_t)label[i];
    controls |= c < ' ' || c == 127 || (c == 0xC2 && (uint8_t)label[i + 1] < 0xA0);
  }
  return !controls && length <= LABEL_MAX_BYTES ? 0
      : fail(BYWASH_EINVAL, "label=\"%s\" has %zu bytes in UTF-8%s; it may have %d, without any", label, length,
          controls ? " with control characters" : "", LABEL_MAX_BYTES);
}

int read_options(void *own, size_t own_bytes, const void *given, const char *what) {
  memset(own, 0, own_bytes);
  if (given != NULL) {
    uint32_t size;
    memcpy(&size, given, sizeof size);
    if (size < sizeof size || size > 4096) {
      return fail(BYWASH_EINVAL, "size=%u is not the size of %s", size, what);
    }
    for (size_t i = own_bytes; i < size; i++) { /* a newer program asks for something that is not known here */
      if (((const char *)given)[i] != 0) {
        return fail(BYWASH_EINVAL, "size=%u: this library does not know all of %s; use a newer one", size, what);
      }
    }
    memcpy(own, given, size < own_bytes ? size : own_bytes);
  }
  return 0;
}
