/* Counts every change that a process makes to files below one folder, and spoils the one it is told to.
 *
 * Loaded by LD_PRELOAD, so that Python, Arrow, DuckDB, Rust and torch are all seen: a seam in our own code would only
 * see our own code. Control is one page of shared memory (drills/shim.py writes it). A change is an open that creates
 * or empties a file, a write, a sync, a truncation, a rename, an unlink, a new folder or a link.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { NOTHING, KILL, ERROR_EIO, ERROR_ENOSPC };

struct control {
    int64_t armed, fault, at, count, fired, n_kept;
    char root[1024], log[1024], kept[1024];
};

static struct control *control(void) {
    static struct control *shared;
    if (!shared) {
        const char *path = getenv("DRILL_CONTROL");
        int fd = path ? (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0) : -1;
        void *page = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        static struct control none;
        shared = page == MAP_FAILED ? &none : page;
        if (fd >= 0) syscall(SYS_close, fd);
    }
    return shared;
}

static int below(const char *path) {
    struct control *c = control();
    size_t length = strlen(c->root);
    return c->armed && strncmp(path, c->root, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static int name_of_fd(int fd, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, out, PATH_MAX - 1);
    if (n < 0) return 0;
    out[n] = 0;
    return 1;
}

static const char *whole(int folder, const char *path, char *out) {
    if (path[0] == '/') return path;
    char base[PATH_MAX];
    if (folder == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) return path;
    } else if (!name_of_fd(folder, base)) {
        return path;
    }
    snprintf(out, PATH_MAX, "%.*s/%.*s", PATH_MAX / 2 - 1, base, PATH_MAX / 2 - 1, path);
    return out;
}

/* Whether a new name can be made there: who tries without (mkdir of a path whose parents are missing) changes nothing. */
static int has_parent(const char *path) {
    char parent[PATH_MAX];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    struct stat found;
    if (!slash || slash == parent) return 1;
    *slash = 0;
    return stat(parent, &found) == 0;
}

/* Returns the error to give instead of the change, 0 to let it happen. Does not return from a kill. */
static int spoil(int can_be_full) {
    struct control *c = control();
    if (__atomic_add_fetch(&c->count, 1, __ATOMIC_SEQ_CST) != c->at) return 0;
    if (c->fault == KILL) {
        c->fired = 1;
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    if (c->fault == ERROR_ENOSPC && !can_be_full) return 0; /* a full disk lets one delete */
    if (c->fault == NOTHING) return 0;
    c->fired = 1;
    return c->fault == ERROR_EIO ? EIO : ENOSPC;
}

static void record(const char *what, const char *path, const char *other, const char *kept) {
    struct control *c = control();
    if (!c->log[0]) return;
    char line[3 * PATH_MAX];
    int n = snprintf(line, sizeof line, "%s\t%s\t%s\t%s\n", what, path, other ? other : "", kept ? kept : "");
    int saved = errno;
    int fd = (int)syscall(SYS_openat, AT_FDCWD, c->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        syscall(SYS_write, fd, line, (size_t)n);
        syscall(SYS_close, fd);
    }
    errno = saved;
}

/* A second name for what is about to be lost, outside the folder: a power cut may bring it back. */
static const char *keep(const char *path, char *out) {
    struct control *c = control();
    struct stat found;
    if (!c->kept[0] || lstat(path, &found) != 0 || S_ISDIR(found.st_mode)) return "";
    snprintf(out, PATH_MAX, "%s/%ld", c->kept, (long)__atomic_add_fetch(&c->n_kept, 1, __ATOMIC_SEQ_CST));
    return syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, out, 0) == 0 ? out : "";
}

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)
#define REFUSE(can_be_full) \
    do { int problem = spoil(can_be_full); if (problem) { errno = problem; return -1; } } while (0)

static int opened(int folder, const char *path, int flags, mode_t mode) {
    char buffer[PATH_MAX];
    const char *name = whole(folder, path, buffer);
    const char *what = NULL;
    if ((flags & (O_CREAT | O_TRUNC)) && below(name)) {
        struct stat found;
        if (stat(name, &found) != 0) what = (flags & O_CREAT) && has_parent(name) ? "create" : NULL;
        else if ((flags & O_TRUNC) && !(flags & O_EXCL) && found.st_size > 0) what = "truncate";
    }
    if (what) REFUSE(1);
    int fd = (int)syscall(SYS_openat, folder, path, flags, mode);
    if (what && fd >= 0) record(what, name, NULL, NULL);
    return fd;
}

#define OPEN(symbol, folder_argument, folder) \
    int symbol folder_argument { \
        mode_t mode = 0; \
        if (flags & (O_CREAT | O_TMPFILE)) { va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); } \
        return opened(folder, path, flags, mode); \
    }
OPEN(open, (const char *path, int flags, ...), AT_FDCWD)
OPEN(open64, (const char *path, int flags, ...), AT_FDCWD)
OPEN(openat, (int folder, const char *path, int flags, ...), folder)
OPEN(openat64, (int folder, const char *path, int flags, ...), folder)
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

#define CHANGE(type, symbol, arguments, types, call, what, can_be_full) \
    type symbol arguments { \
        char name[PATH_MAX]; \
        REAL(type, #symbol, types); \
        int counts = control()->armed && name_of_fd(fd, name) && below(name); \
        if (counts) REFUSE(can_be_full); \
        type result = real call; \
        if (counts && result >= 0) record(what, name, NULL, NULL); \
        return result; \
    }
#define T(...) __VA_ARGS__
CHANGE(ssize_t, write, (int fd, const void *data, size_t n), T(int, const void *, size_t), (fd, data, n), "write", 1)
CHANGE(ssize_t, pwrite, (int fd, const void *data, size_t n, off_t at), T(int, const void *, size_t, off_t), (fd, data, n, at), "write", 1)
CHANGE(ssize_t, pwrite64, (int fd, const void *data, size_t n, off64_t at), T(int, const void *, size_t, off64_t), (fd, data, n, at), "write", 1)
CHANGE(ssize_t, writev, (int fd, const struct iovec *parts, int n), T(int, const struct iovec *, int), (fd, parts, n), "write", 1)
CHANGE(ssize_t, sendfile, (int fd, int from, off_t *at, size_t n), T(int, int, off_t *, size_t), (fd, from, at, n), "write", 1)
CHANGE(ssize_t, sendfile64, (int fd, int from, off64_t *at, size_t n), T(int, int, off64_t *, size_t), (fd, from, at, n), "write", 1)
CHANGE(int, ftruncate, (int fd, off_t n), T(int, off_t), (fd, n), "write", 1)
CHANGE(int, ftruncate64, (int fd, off64_t n), T(int, off64_t), (fd, n), "write", 1)
CHANGE(int, fsync, (int fd), T(int), (fd), "sync", 1)
CHANGE(int, fdatasync, (int fd), T(int), (fd), "sync", 1)

static int renamed(int a, const char *from, int b, const char *to, unsigned flags) {
    char one[PATH_MAX], two[PATH_MAX], held[PATH_MAX];
    const char *old = whole(a, from, one), *new = whole(b, to, two), *kept = "";
    struct stat found;
    int counts = (below(old) || below(new)) && lstat(old, &found) == 0;
    if (counts) {
        REFUSE(1);
        kept = keep(new, held);
    }
    int result = (int)syscall(SYS_renameat2, a, from, b, to, flags);
    if (counts && result == 0) record("rename", old, new, kept);
    return result;
}
int rename(const char *from, const char *to) { return renamed(AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return renamed(a, from, b, to, 0); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { return renamed(a, from, b, to, flags); }

static int removed(int folder, const char *path, int flags) {
    char buffer[PATH_MAX], held[PATH_MAX];
    const char *name = whole(folder, path, buffer), *kept = "";
    struct stat found;
    int counts = below(name) && lstat(name, &found) == 0;
    if (counts) {
        REFUSE(0);
        kept = keep(name, held);
    }
    int result = (int)syscall(SYS_unlinkat, folder, path, flags);
    if (counts && result == 0) record(flags & AT_REMOVEDIR ? "rmdir" : "unlink", name, NULL, kept);
    return result;
}
int unlink(const char *path) { return removed(AT_FDCWD, path, 0); }
int unlinkat(int folder, const char *path, int flags) { return removed(folder, path, flags); }
int rmdir(const char *path) { return removed(AT_FDCWD, path, AT_REMOVEDIR); }
int remove(const char *path) {
    int result = removed(AT_FDCWD, path, 0);
    return result != 0 && errno == EISDIR ? removed(AT_FDCWD, path, AT_REMOVEDIR) : result;
}

static int made(int folder, const char *path, mode_t mode) {
    char buffer[PATH_MAX];
    const char *name = whole(folder, path, buffer);
    struct stat found;
    int counts = below(name) && stat(name, &found) != 0 && has_parent(name);
    if (counts) REFUSE(1);
    int result = (int)syscall(SYS_mkdirat, folder, path, mode);
    if (counts && result == 0) record("mkdir", name, NULL, NULL);
    return result;
}
int mkdir(const char *path, mode_t mode) { return made(AT_FDCWD, path, mode); }
int mkdirat(int folder, const char *path, mode_t mode) { return made(folder, path, mode); }

static int linked(const char *target, int folder, const char *path) {
    char buffer[PATH_MAX];
    const char *name = whole(folder, path, buffer);
    struct stat found;
    int counts = below(name) && lstat(name, &found) != 0;
    if (counts) REFUSE(1);
    int result = (int)syscall(SYS_symlinkat, target, folder, path);
    if (counts && result == 0) record("symlink", name, NULL, NULL);
    return result;
}
int symlink(const char *target, const char *path) { return linked(target, AT_FDCWD, path); }
int symlinkat(const char *target, int folder, const char *path) { return linked(target, folder, path); }
