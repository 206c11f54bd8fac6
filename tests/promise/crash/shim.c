/* Stands between the service and the files of its store (LD_PRELOAD). Two uses:
 *
 * - SCOREWATCH_SHIM_LOG: records every change of these files with its data, and every sync, in the order in which they happen.
 *   One lock is held over the call and its record, so the order in the log is the order on the disk's queue.
 * - SCOREWATCH_SHIM_TROUBLE: while the file TROUBLE.full exists, writes fail with ENOSPC; while TROUBLE.broken exists, syncs
 *   fail with EIO.
 *
 * SCOREWATCH_SHIM_FOLDER names the folder of the store. Its lock file and the shared memory of SQLite are none of its concern:
 * both are made anew after a power cut.
 *
 * A record is, in the byte order of the machine: mark, kind, length of the name (u32 each), offset, length of the data (u64
 * each), the name within the folder, the data. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, SYNC, UNLINK, RENAME };
enum { MARK = 0x53687721, FILES_MAX = 4096 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *names[FILES_MAX]; /* by descriptor; NULL: not ours */
static const char *folder, *trouble;
static size_t folder_length;
static int log_file = -1;

static int (*real_open)(const char *, int, ...);
static int (*real_close)(int);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_ftruncate)(int, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_unlink)(const char *);
static int (*real_rename)(const char *, const char *);

__attribute__((constructor)) static void start(void) {
    real_open = dlsym(RTLD_NEXT, "open64");
    real_close = dlsym(RTLD_NEXT, "close");
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
    real_rename = dlsym(RTLD_NEXT, "rename");
    folder = getenv("SCOREWATCH_SHIM_FOLDER");
    folder_length = folder ? strlen(folder) : 0;
    trouble = getenv("SCOREWATCH_SHIM_TROUBLE");
    const char *log = getenv("SCOREWATCH_SHIM_LOG");
    if (log) log_file = real_open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

/* The name within the folder, "" for the folder itself; NULL: not ours. */
static const char *ours(const char *path) {
    if (!folder || !path || strncmp(path, folder, folder_length) != 0) return NULL;
    const char *name = path + folder_length;
    if (*name == '/') name++;
    else if (*name != 0) return NULL;
    size_t length = strlen(name);
    if (length > 4 && strcmp(name + length - 4, "-shm") == 0) return NULL;
    if (length > 5 && strcmp(name + length - 5, ".lock") == 0) return NULL;
    return name;
}

static const char *name_of(int file) { return file >= 0 && file < FILES_MAX ? names[file] : NULL; }

static int in_trouble(const char *kind) {
    char path[4096];
    if (!trouble) return 0;
    snprintf(path, sizeof path, "%s.%s", trouble, kind);
    return access(path, F_OK) == 0;
}

static void record(uint32_t kind, const char *name, uint64_t offset, const void *data, uint64_t length) {
    if (log_file < 0) return;
    struct { uint32_t mark, kind, name_length, unused; uint64_t offset, length; } head =
        {MARK, kind, (uint32_t)strlen(name), 0, offset, length};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)name, head.name_length}, {(void *)data, length}};
    ssize_t whole = (ssize_t)(sizeof head + head.name_length + length);
    if (writev(log_file, parts, 3) != whole) abort(); /* a log with a hole would prove nothing */
}

static int open_any(const char *path, int flags, mode_t mode) {
    const char *name = ours(path);
    if (!name) return real_open(path, flags, mode);
    pthread_mutex_lock(&lock);
    int existed = access(path, F_OK) == 0;
    int file = real_open(path, flags, mode);
    int error = errno;
    if (file >= 0 && file < FILES_MAX) {
        free(names[file]);
        names[file] = strdup(name);
        if (!existed) record(CREATE, name, 0, NULL, 0);
        if (existed && (flags & O_TRUNC)) record(TRUNCATE, name, 0, NULL, 0);
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return file;
}

#define MODE(flags) \
    mode_t mode = 0; \
    if ((flags) & (O_CREAT | O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) return open_any(path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return open_any(path, flags, mode); }

int close(int file) {
    if (name_of(file)) {
        pthread_mutex_lock(&lock);
        free(names[file]);
        names[file] = NULL;
        pthread_mutex_unlock(&lock);
    }
    return real_close(file);
}

static ssize_t write_any(int file, const void *data, size_t length, off_t offset, int in_place) {
    if (in_trouble("full")) { errno = ENOSPC; return -1; }
    pthread_mutex_lock(&lock);
    if (!in_place) offset = lseek(file, 0, SEEK_CUR);
    ssize_t written = in_place ? real_pwrite(file, data, length, offset) : real_write(file, data, length);
    int error = errno;
    if (written > 0) record(WRITE, names[file], (uint64_t)offset, data, (uint64_t)written);
    pthread_mutex_unlock(&lock);
    errno = error;
    return written;
}

ssize_t write(int file, const void *data, size_t length) {
    return name_of(file) ? write_any(file, data, length, 0, 0) : real_write(file, data, length);
}
ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) {
    return name_of(file) ? write_any(file, data, length, offset, 1) : real_pwrite(file, data, length, offset);
}
ssize_t pwrite(int file, const void *data, size_t length, off_t offset) { return pwrite64(file, data, length, offset); }

int ftruncate64(int file, off64_t length) {
    if (!name_of(file)) return real_ftruncate(file, length);
    pthread_mutex_lock(&lock);
    int result = real_ftruncate(file, length);
    int error = errno;
    if (result == 0) record(TRUNCATE, names[file], (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int ftruncate(int file, off_t length) { return ftruncate64(file, length); }

static int sync_any(int file, int (*sync)(int)) {
    if (!name_of(file)) return sync(file);
    if (in_trouble("broken")) { errno = EIO; return -1; }
    pthread_mutex_lock(&lock);
    int result = sync(file);
    int error = errno;
    if (result == 0) record(SYNC, names[file], 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
int fsync(int file) { return sync_any(file, real_fsync); }
int fdatasync(int file) { return sync_any(file, real_fdatasync); }

int unlink(const char *path) {
    const char *name = ours(path);
    if (!name) return real_unlink(path);
    pthread_mutex_lock(&lock);
    int result = real_unlink(path);
    int error = errno;
    if (result == 0) record(UNLINK, name, 0, NULL, 0);
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}

int rename(const char *from, const char *to) {
    const char *old = ours(from), *fresh = ours(to);
    if (!old || !fresh) return real_rename(from, to);
    pthread_mutex_lock(&lock);
    int result = real_rename(from, to);
    int error = errno;
    if (result == 0) {
        record(RENAME, old, 0, fresh, strlen(fresh));
        /* Whoever has it open goes on writing to it under its new name. */
        for (int file = 0; file < FILES_MAX; file++) {
            if (!names[file] || strcmp(names[file], old) != 0) continue;
            free(names[file]);
            names[file] = strdup(fresh);
        }
    }
    pthread_mutex_unlock(&lock);
    errno = error;
    return result;
}
