/*
 * The files of a bus directory (SPEC 7), which no forked child gets: paths, the names lock, hidden files of creators,
 * free space.
 */
#include "internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LOCK_TIMEOUT_NS INT64_C(10000000000)

/* ---- own files, and fork */

static pthread_mutex_t files_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t fork_once = PTHREAD_ONCE_INIT;
static own_file *files;

static void before_fork(void) { pthread_mutex_lock(&files_mutex); }
static void after_fork(void) { pthread_mutex_unlock(&files_mutex); }

static void in_child(void) {
  for (own_file *each = files; each != NULL; each = each->next) {
    close(each->fd);
    each->fd = -1;
    if (each->segment != NULL) {
      each->segment->map = NULL; /* MADV_DONTFORK */
      pthread_mutex_init(&each->segment->mutex, NULL); /* another thread of the parent may have had it */
      atomic_store(&each->segment->forked, true);
    }
  }
  files = NULL;
  pthread_mutex_unlock(&files_mutex);
}

static void handle_fork(void) { pthread_atfork(before_fork, after_fork, in_child); }

/** Opens a file in an open directory: 0 or an errno. */
static int open_own(own_file *file, int directory, const char *name, int flags) {
  pthread_once(&fork_once, handle_fork);
  pthread_mutex_lock(&files_mutex); /* no fork comes between the descriptor and its place in the list */
  file->fd = openat(directory, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
  int error = file->fd < 0 ? errno : 0;
  if (error == 0) {
    file->next = files;
    files = file;
  }
  pthread_mutex_unlock(&files_mutex);
  return error;
}

char *map_own(const own_file *file, int64_t size, bool read_only) {
  pthread_mutex_lock(&files_mutex);
  void *map = mmap(NULL, (size_t)size, read_only ? PROT_READ : PROT_READ | PROT_WRITE, MAP_SHARED, file->fd, 0);
  if (map != MAP_FAILED) {
    madvise(map, (size_t)size, MADV_DONTFORK);
  }
  pthread_mutex_unlock(&files_mutex);
  return map == MAP_FAILED ? NULL : map;
}

void close_own(own_file *file) {
  pthread_mutex_lock(&files_mutex);
  if (file->fd >= 0) {
    own_file **at = &files;
    while (*at != file) {
      at = &(*at)->next;
    }
    *at = file->next;
    close(file->fd);
    file->fd = -1;
  }
  pthread_mutex_unlock(&files_mutex);
}

/* ---- where */

static int blank(const char *text) { return text == NULL || text[strspn(text, " \t\n\r\f\v")] == 0; }

static int joined(char *target, const char *directory, const char *name) {
  int length = snprintf(target, PATH_MAX, "%s%s%s", directory, strcmp(directory, "/") == 0 ? "" : "/", name);
  return length < PATH_MAX ? 0 : fail(BYWASH_EINVAL, "name=\"%s\" makes a path that is too long", name);
}

/** The absolute form of a directory's path. */
static int absolute(char *target, const char *directory) {
  char here[PATH_MAX];
  if (directory[0] == '/') {
    return snprintf(target, PATH_MAX, "%s", directory) < PATH_MAX ? 0
        : fail(BYWASH_EINVAL, "path=\"%s\" is too long", directory);
  }
  if (getcwd(here, sizeof here) == NULL) {
    return fail(BYWASH_EACCESS, "The working directory cannot be read: %s.", strerror(errno));
  }
  return joined(target, here, directory);
}

static int make_standard(const place *where) {
  struct stat found;
  if ((lstat(where->directory, &found) == 0 && S_ISDIR(found.st_mode)) || mkdir(where->directory, 0700) == 0
      || errno == EEXIST) { /* if it is no directory, the next step reports that */
    return 0;
  }
  return fail(BYWASH_EACCESS, "The bus directory %s cannot be made: %s. Set BYWASH_DIR to a directory that this user"
      " may write to.", where->directory, strerror(errno));
}

int find_place(const char *name, bool creating, place *where) {
  memset(where, 0, sizeof *where);
  const char *slash = name == NULL ? NULL : strrchr(name, '/');
  const char *last = slash == NULL ? name : slash + 1;
  int result = check_name(slash == NULL ? "name" : "file name", last);
  if (result != 0) {
    return result;
  }
  if (slash != NULL) {
    char directory[PATH_MAX];
    if (slash - name >= PATH_MAX) {
      return fail(BYWASH_EINVAL, "path=\"%s\" is too long", name);
    }
    size_t length = slash == name ? 1 : (size_t)(slash - name);
    memcpy(directory, name, length);
    directory[length] = 0;
    result = absolute(where->directory, directory);
  } else {
    const char *given = getenv("BYWASH_DIR");
    where->standard = blank(given) != 0;
    if (where->standard) {
      snprintf(where->directory, PATH_MAX, "/dev/shm/bywash-%u", (unsigned)geteuid());
    } else {
      result = absolute(where->directory, given);
    }
  }
  if (result == 0) {
    result = joined(where->path, where->directory, last);
  }
  if (result == 0) {
    where->name = strrchr(where->path, '/') + 1;
    result = where->standard && creating ? make_standard(where) : 0;
  }
  return result;
}

/* ---- what the operating system refuses */

int not_found(const place *where, int64_t waited_ns) {
  char waited[64] = "";
  struct stat directory;
  if (waited_ns > 0) {
    snprintf(waited, sizeof waited, " after waiting %lld ms", (long long)(waited_ns / 1000000));
  }
  if (stat(where->directory, &directory) == 0 && S_ISDIR(directory.st_mode)) {
    return fail(BYWASH_ENOTFOUND, "There is no segment %s%s. Start the process that creates it, or check the name.",
        where->path, waited);
  }
  return fail(BYWASH_ENOTFOUND, "There is no segment %s%s: the directory %s does not exist. Create the directory, or"
      " set"
      " BYWASH_DIR to one that exists.", where->path, waited, where->directory);
}

int system_error(const place *where, const char *what, int error) {
  switch (error) {
    case ENOENT:
      return not_found(where, 0);
    case EACCES:
    case EPERM:
    case EROFS:
      return fail(BYWASH_EACCESS, "Process %d of user id %u may not use %s. Run as the user who created the segment, or"
          " have it created with wider permissions. To look only, it is enough that it may be read.", (int)getpid(),
          (unsigned)geteuid(), what);
    case ELOOP:
      return fail(BYWASH_EFORMAT, "Path %s is no file of Bywash: it is not a regular file. Choose another name, or"
          " remove it.", what);
    case ENOTDIR:
      return fail(BYWASH_EACCESS, "The bus directory %s is no directory. Have it removed, or set BYWASH_DIR to another"
          " one.", where->directory);
    case ENOSPC:
      return fail(BYWASH_ENOSPACE, "The file system of %s takes no new file, though this needs hardly any space: it has"
          " no inode left (see df -i). Remove files, or mount it with a larger nr_inodes.", where->directory);
    case ENOMEM:
      return fail(BYWASH_ENOMEM, "There is no memory left for %s.", what);
    default:
      return fail(BYWASH_EACCESS, "The operating system refused an operation on %s: %s", what, strerror(error));
  }
}

int open_directory(const place *where) {
  int fd = open(where->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (where->standard ? O_NOFOLLOW : 0));
  if (fd < 0) {
    return system_error(where, where->directory, errno == ELOOP ? ENOTDIR : errno);
  }
  struct stat found;
  if (where->standard && (fstat(fd, &found) != 0 || found.st_uid != geteuid() || (found.st_mode & 022) != 0)) {
    close(fd);
    return fail(BYWASH_EACCESS, "Path %s is not used, since it is not private: it belongs to user id %u with"
        " permissions"
        " %o. Have it removed, or set BYWASH_DIR to another directory.", where->directory, (unsigned)found.st_uid,
        (unsigned)found.st_mode & 0777);
  }
  return fd;
}

/** Opens a regular file in an open directory: 0 or an errno. */
static int open_in(own_file *file, int directory, const char *name, int flags, const place *where,
    struct stat *found) {
  int error = open_own(file, directory, name, flags | O_NONBLOCK);
  if (error == 0) {
    error = fstat(file->fd, found) != 0 || !S_ISREG(found->st_mode) ? ELOOP
        : where->standard && found->st_uid != geteuid() ? EACCES : 0;
    if (error != 0) {
      close_own(file);
    }
  }
  return error;
}

int open_segment(const place *where, bywash_segment *s) {
  struct stat found;
  int directory = open_directory(where);
  if (directory < 0) {
    return directory;
  }
  int error = open_in(&s->file, directory, where->name, s->read_only ? O_RDONLY : O_RDWR, where, &found);
  close(directory);
  if (error == ENOENT) {
    return BYWASH_ENOTFOUND;
  }
  if (error != 0) { /* a socket or a directory cannot be opened for writing */
    return system_error(where, where->path, error == EISDIR || error == ENXIO ? ELOOP : error);
  }
  s->inode = found.st_ino;
  s->device = found.st_dev;
  s->size = found.st_size;
  return 0;
}

bool is_at(const char *path, dev_t device, ino_t inode) {
  struct stat found;
  return lstat(path, &found) == 0 && found.st_dev == device && found.st_ino == inode;
}

bool exists(const place *where) {
  struct stat found;
  return lstat(where->path, &found) == 0;
}

/* ---- the lock on names */

int lock_names(int directory, const place *where, int64_t byte, int64_t timeout_ns, own_file *lock) {
  struct stat of;
  struct stat found;
  *lock = (own_file){ .fd = -1 };
  if (fstat(directory, &of) != 0) {
    return system_error(where, where->directory, errno);
  }
  mode_t mode = 0600 | ((of.st_mode & 020) != 0 ? 060 : 0) | ((of.st_mode & 02) != 0 ? 06 : 0);
  bywash_step();
  int not_made = open_own(lock, directory, ".lock", O_RDWR | O_CREAT | O_EXCL);
  if (not_made == 0) {
    fchmod(lock->fd, mode);
    close_own(lock);
  }
  int error = open_in(lock, directory, ".lock", O_RDWR, where, &found);
  if (error != 0) {
    char path[PATH_MAX + 8];
    snprintf(path, sizeof path, "%s/.lock", where->directory);
    return system_error(where, path, not_made != 0 && error == ENOENT ? not_made : error);
  }
  if (found.st_uid == geteuid() && found.st_size == 0 && (found.st_mode & mode) != mode) {
    fchmod(lock->fd, found.st_mode | mode); /* its maker died before it could */
  }
  int64_t start = now_ns();
  while ((error = lock_byte(lock->fd, byte)) == EAGAIN && now_ns() - start < timeout_ns) {
    sleep_ns(500000);
  }
  if (error == 0) {
    return 0;
  }
  close_own(lock);
  if (error != EAGAIN) {
    return system_error(where, where->directory, error);
  }
  return fail(BYWASH_EACCESS, "The bus directory %s has been locked for %lld s by a living process that does not go on"
      " (its lock is on %s/.lock). Resume or end that process.", where->directory, (long long)(timeout_ns / 1000000000),
      where->directory);
}

/* ---- hidden files */

/** Whether a name is that of a creator's file: .ANYTHING.16 hex digits.tmp */
static bool is_hidden(const char *name) {
  size_t length = strlen(name);
  if (length < 1 + 1 + 1 + 16 + 4 || name[0] != '.' || strcmp(name + length - 4, ".tmp") != 0
      || name[length - 21] != '.') {
    return false;
  }
  for (size_t i = length - 20; i < length - 4; i++) {
    if (!((name[i] >= '0' && name[i] <= '9') || (name[i] >= 'a' && name[i] <= 'f'))) {
      return false;
    }
  }
  return true;
}

/** Whether a creator made the file: it is empty, or begins with the magic, or with zeros. */
static bool is_creators(int fd, const struct stat *found) {
  int64_t first = 0;
  return found->st_size == 0 || (found->st_size >= 8 && pread(fd, &first, 8, 0) == 8 && (first == 0 || first == MAGIC));
}

int clean_up(int directory, const place *where) {
  int removed = 0;
  int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *names = copy < 0 ? NULL : fdopendir(copy);
  if (names == NULL) {
    if (copy >= 0) {
      close(copy);
    }
    return 0;
  }
  for (struct dirent *entry; (entry = readdir(names)) != NULL;) {
    struct stat found;
    own_file file = { .fd = -1 };
    if (is_hidden(entry->d_name) && open_in(&file, directory, entry->d_name, O_RDONLY, where, &found) == 0) {
      bywash_step();
      if ((found.st_nlink > 1 || !is_locked(file.fd, SLOT_LOCKS, 1)) && is_creators(file.fd, &found)
          && unlinkat(directory, entry->d_name, 0) == 0) {
        removed++;
      }
      close_own(&file);
    }
  }
  closedir(names);
  return removed;
}

int create_hidden(bywash_segment *s, int directory, uint32_t mode, char *hidden, size_t hidden_bytes) {
  own_file lock;
  snprintf(hidden, hidden_bytes, ".%s.%016llx.tmp", s->where.name, (unsigned long long)s->id);
  int result = lock_names(directory, &s->where, 0, LOCK_TIMEOUT_NS, &lock);
  if (result != 0) {
    return result;
  }
  clean_up(directory, &s->where);
  bywash_step();
  int error = open_own(&s->file, directory, hidden, O_RDWR | O_CREAT | O_EXCL);
  if (error == 0) {
    error = fchmod(s->file.fd, mode) != 0 ? errno : lock_byte(s->file.fd, SLOT_LOCKS);
    if (error != 0) {
      unlinkat(directory, hidden, 0);
    }
  }
  close_own(&lock);
  return error == 0 ? 0 : system_error(&s->where, s->where.directory, error);
}

bool is_being_created(const place *where) {
  char prefix[NAME_MAX_BYTES + 4];
  snprintf(prefix, sizeof prefix, ".%s.", where->name);
  bool found = false;
  DIR *names = opendir(where->directory);
  for (struct dirent *entry; names != NULL && !found && (entry = readdir(names)) != NULL;) {
    if (is_hidden(entry->d_name) && strncmp(entry->d_name, prefix, strlen(prefix)) == 0
        && strlen(entry->d_name) == strlen(prefix) + 20) { /* or it is that of a name which only begins so */
      struct stat status;
      own_file file = { .fd = -1 };
      if (open_in(&file, dirfd(names), entry->d_name, O_RDONLY, where, &status) == 0) {
        found = is_locked(file.fd, SLOT_LOCKS, 1);
        close_own(&file);
      }
    }
  }
  if (names != NULL) {
    closedir(names);
  }
  return found || exists(where); /* looked at last, since it is linked before the hidden name goes */
}

int link_name(int directory, const place *where, const char *hidden) {
  own_file lock;
  int result = lock_names(directory, where, 0, LOCK_TIMEOUT_NS, &lock);
  if (result != 0) {
    return result;
  }
  bywash_step();
  int error = linkat(directory, hidden, directory, where->name, 0) == 0 ? 0 : errno;
  close_own(&lock);
  return error == 0 ? 0 : error == EEXIST ? BYWASH_EEXISTS : system_error(where, where->path, error);
}

/* ---- space */

int64_t free_bytes(const place *where) {
  struct statvfs system;
  return statvfs(where->directory, &system) == 0 ? (int64_t)(system.f_bavail * system.f_frsize) : INT64_MAX;
}

int lacking_space(const place *where, int64_t free, int64_t needed) {
  return fail(BYWASH_ENOSPACE, "Segment %s needs %lld bytes, but %s has %lld free. Choose smaller queues, remove"
      " segments"
      " that nobody uses, or enlarge the file system (for /dev/shm: mount -o remount,size=..., or the container's"
      " shm-size).", where->path, (long long)needed, where->directory, (long long)free);
}
