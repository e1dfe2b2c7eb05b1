/*
 * A disk that forgets what was not synced, to be preloaded (LD_PRELOAD) into a program under test.
 *
 * For the files below PALABRE_DISK_ROOT it keeps, in the folder PALABRE_DISK_KEPT, what a power cut would leave at least:
 *   inode/<inode>.<birth>  the bytes of a file as of its last fsync or fdatasync;
 *   tree/...               the names as of the last fsync of their folders, as hard links to those.
 * PALABRE_DISK_NAMES=follow makes a file's name durable together with its bytes, as ext4 and xfs do; otherwise only the folder's
 * own fsync does (POSIX). PALABRE_DISK_LIES names a part of a path: syncs of such files are acknowledged and not done.
 *
 * While the file that PALABRE_DISK_FULL names exists, the disk is full: files can be overwritten, and cannot grow.
 *
 * Go programs write their own files without libc. PALABRE_DISK_DOOR=yes opens a door for them: the number of a descriptor that was
 * synced is written to descriptor 901, and a byte comes back when it is kept.
 *
 * Mapped files are not covered: SQLite's -shm is rebuilt after a crash, PostgreSQL maps no data.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define FILES 65536
#define DESCRIPTORS 65536
#define EVERYTHING (((off_t)1) << 62)

/* What was written to a file since its last sync. Shared by all processes that have the library. */
struct file {
	atomic_int held;
	atomic_ulong inode;
	off_t from, to;
};

static struct file *files;
static atomic_int *names; /* lock of the tree */
static unsigned char ours[DESCRIPTORS]; /* opened here, below the root */
static char root[1024], kept[1024], lies[1024], full[1024];
static int follow;

static void fail(const char *what) {
	dprintf(2, "disk: %s: %s\n", what, strerror(errno));
	_exit(99);
}

static void hold(atomic_int *lock) {
	while (atomic_exchange(lock, 1))
		sched_yield();
}

static void release(atomic_int *lock) { atomic_store(lock, 0); }

static struct file *find(unsigned long inode) {
	for (unsigned long i = inode * 0x9E3779B97F4A7C15ul >> 48, n = 0; n < FILES; i = (i + 1) % FILES, n++) {
		unsigned long none = 0;
		if (atomic_load(&files[i].inode) == inode || atomic_compare_exchange_strong(&files[i].inode, &none, inode) || none == inode)
			return &files[i];
	}
	errno = ENOSPC;
	fail("more files than expected");
	return NULL;
}

/* where finds the path of a descriptor, and whether it is below the root. */
static int where(int fd, char *path) {
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, path, PATH_MAX - 1);
	if (n < 0)
		return 0;
	path[n] = 0;
	size_t length = strlen(root);
	return strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == 0);
}

static void touch(int fd, off_t from, off_t to) {
	struct stat st;
	if (!files || fd < 0 || fd >= DESCRIPTORS || !ours[fd] || fstat(fd, &st) != 0)
		return;
	struct file *f = find(st.st_ino);
	hold(&f->held);
	if (f->from >= f->to) {
		f->from = from;
		f->to = to;
	}
	if (from < f->from)
		f->from = from;
	if (to > f->to)
		f->to = to;
	release(&f->held);
}

static void name_of(int at, const char *path, char *out) {
	struct statx st;
	if (statx(at, path, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW, STATX_INO | STATX_BTIME, &st) != 0)
		fail("statx");
	snprintf(out, PATH_MAX, "%s/inode/%llx.%llx", kept, (unsigned long long)st.stx_ino,
		(unsigned long long)st.stx_btime.tv_sec * 1000000000ull + st.stx_btime.tv_nsec);
}

static int open_kept(const char *path, int *fresh) {
	int out = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	*fresh = out >= 0;
	if (out < 0 && errno == EEXIST)
		out = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	if (out < 0)
		fail(path);
	return out;
}

/* copy reads through the descriptor itself: closing another one of the same file would drop SQLite's locks. */
static void copy(int in, int out, off_t from, off_t to) {
	size_t room = 1 << 18;
	char *bytes = malloc(room);
	while (from < to) {
		size_t want = to - from < (off_t)room ? (size_t)(to - from) : room;
		ssize_t n = syscall(SYS_pread64, in, bytes, want, from);
		if (n < 0)
			fail("read for copy");
		if (n == 0)
			break;
		if (syscall(SYS_pwrite64, out, bytes, n, from) != n)
			fail("write copy");
		from += n;
	}
	free(bytes);
}

static void link_name(const char *inode, const char *name) {
	struct stat a, b;
	if (stat(inode, &a) != 0)
		fail(inode);
	if (lstat(name, &b) == 0) {
		if (a.st_ino == b.st_ino)
			return;
		if (unlink(name) != 0)
			fail(name);
	}
	if (link(inode, name) != 0 && errno != ENOENT)
		fail(name);
}

static void make_folders(char *path) {
	for (char *p = path + strlen(kept) + 1; *p; p++)
		if (*p == '/') {
			*p = 0;
			if (mkdir(path, 0700) != 0 && errno != EEXIST)
				fail(path);
			*p = '/';
		}
}

static void keep_file(int fd, const char *path, int whole) {
	struct stat st;
	char inode[PATH_MAX], tree[PATH_MAX * 2];
	int fresh, in = fd;
	if (fstat(fd, &st) != 0)
		fail("fstat");
	struct file *f = find(st.st_ino);
	name_of(fd, "", inode);
	hold(&f->held);
	off_t from = f->from, to = f->to;
	f->from = f->to = 0;
	if (fstat(fd, &st) != 0)
		fail("fstat");
	int out = open_kept(inode, &fresh);
	if (fresh || whole)
		from = 0, to = st.st_size;
	if (ftruncate(out, st.st_size) != 0)
		fail("truncate copy");
	if (to > st.st_size)
		to = st.st_size;
	if (!ours[fd] && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_WRONLY) {
		char self[64];
		snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
		in = syscall(SYS_openat, AT_FDCWD, self, O_RDONLY | O_CLOEXEC, 0);
	}
	copy(in, out, from, to);
	if (in != fd)
		syscall(SYS_close, in);
	syscall(SYS_close, out);
	release(&f->held);
	if (follow && !strstr(path, " (deleted)")) {
		snprintf(tree, sizeof tree, "%s/tree%s", kept, path + strlen(root));
		hold(names);
		make_folders(tree);
		link_name(inode, tree);
		release(names);
	}
}

/* keep_folder makes the kept names of a folder those that it has now. */
static void keep_folder(const char *path) {
	char tree[PATH_MAX * 2], live[PATH_MAX * 2], name[PATH_MAX * 3], inode[PATH_MAX];
	struct stat st;
	struct dirent *e;
	int fresh;
	snprintf(tree, sizeof tree, "%s/tree%s/", kept, path + strlen(root));
	if (follow)
		make_folders(tree);
	if (stat(tree, &st) != 0)
		return; /* the folder's own name is not durable yet */
	DIR *d = opendir(path);
	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		snprintf(live, sizeof live, "%s/%s", path, e->d_name);
		snprintf(name, sizeof name, "%s%s", tree, e->d_name);
		if (lstat(live, &st) != 0)
			continue;
		if (S_ISREG(st.st_mode)) {
			name_of(AT_FDCWD, live, inode);
			syscall(SYS_close, open_kept(inode, &fresh));
			link_name(inode, name);
		} else if (S_ISDIR(st.st_mode) && mkdir(name, 0700) == 0) {
			keep_folder(live);
		}
	}
	closedir(d);
	if (!(d = opendir(tree)))
		fail(tree);
	while ((e = readdir(d))) {
		snprintf(live, sizeof live, "%s/%s", path, e->d_name);
		snprintf(name, sizeof name, "%s%s", tree, e->d_name);
		if (lstat(live, &st) != 0 && unlink(name) != 0)
			rmdir(name);
	}
	closedir(d);
}

/* keep is called after a sync has succeeded. */
static void keep(int fd) {
	char path[PATH_MAX];
	struct stat st;
	int before = errno;
	if (!files || fd < 0 || fd >= DESCRIPTORS || fstat(fd, &st) != 0 || !where(fd, path))
		return;
	if (lies[0] && strstr(path, lies))
		return;
	if (S_ISREG(st.st_mode)) {
		keep_file(fd, path, !ours[fd]);
	} else if (S_ISDIR(st.st_mode)) {
		hold(names);
		keep_folder(path);
		release(names);
	}
	errno = before;
}

static void *serve_door(void *arg) {
	int fd;
	sigset_t all;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	while (read(900, &fd, sizeof fd) == sizeof fd) {
		keep(fd);
		if (syscall(SYS_write, 900, "k", 1) != 1)
			fail("door");
	}
	return arg;
}

static void open_door(void) {
	int ends[2];
	pthread_t thread;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) != 0 || dup3(ends[0], 900, O_CLOEXEC) != 900 || dup3(ends[1], 901, O_CLOEXEC) != 901)
		fail("door");
	syscall(SYS_close, ends[0]);
	syscall(SYS_close, ends[1]);
	if (pthread_create(&thread, NULL, serve_door, NULL) != 0)
		fail("door");
}

static void set(char *to, const char *name) {
	const char *value = getenv(name);
	if (value && strlen(value) < sizeof root)
		strcpy(to, value);
}

__attribute__((constructor)) static void begin(void) {
	char path[PATH_MAX + 16];
	set(root, "PALABRE_DISK_ROOT");
	set(kept, "PALABRE_DISK_KEPT");
	set(lies, "PALABRE_DISK_LIES");
	set(full, "PALABRE_DISK_FULL");
	if (!root[0] || !kept[0])
		return;
	follow = getenv("PALABRE_DISK_NAMES") != NULL;
	snprintf(path, sizeof path, "%s/written", kept);
	size_t size = sizeof(struct file) * FILES + 4096;
	int fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, size) != 0)
		fail(path);
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		fail(path);
	syscall(SYS_close, fd);
	names = memory;
	files = (struct file *)((char *)memory + 4096);
	if (getenv("PALABRE_DISK_DOOR"))
		open_door();
}

/* What follows stands in for libc. */

static int opened(int fd, int flags) {
	char path[PATH_MAX];
	int before = errno;
	if (files && fd >= 0 && fd < DESCRIPTORS) {
		ours[fd] = where(fd, path);
		if (flags & O_TRUNC)
			touch(fd, 0, EVERYTHING);
	}
	errno = before;
	return fd;
}

#define MODE(flags) \
	mode_t mode = 0; \
	if ((flags) & (O_CREAT | O_TMPFILE)) { \
		va_list more; \
		va_start(more, flags); \
		mode = va_arg(more, mode_t); \
		va_end(more); \
	}

int open(const char *path, int flags, ...) {
	MODE(flags)
	return opened(syscall(SYS_openat, AT_FDCWD, path, flags, mode), flags);
}
int open64(const char *path, int flags, ...) {
	MODE(flags)
	return opened(syscall(SYS_openat, AT_FDCWD, path, flags, mode), flags);
}
int openat(int at, const char *path, int flags, ...) {
	MODE(flags)
	return opened(syscall(SYS_openat, at, path, flags, mode), flags);
}
int openat64(int at, const char *path, int flags, ...) {
	MODE(flags)
	return opened(syscall(SYS_openat, at, path, flags, mode), flags);
}

int close(int fd) {
	if (fd >= 0 && fd < DESCRIPTORS)
		ours[fd] = 0;
	return syscall(SYS_close, fd);
}

/* no_room says whether the disk is too full for a file to reach this size. */
static int no_room(int fd, off_t size) {
	struct stat st;
	int before = errno;
	if (!files || !full[0] || fd < 0 || fd >= DESCRIPTORS || !ours[fd])
		return 0;
	int refuse = access(full, F_OK) == 0 && fstat(fd, &st) == 0 && st.st_size < size;
	errno = refuse ? ENOSPC : before;
	return refuse;
}

static off_t length(const struct iovec *parts, int n) {
	off_t sum = 0;
	while (n-- > 0)
		sum += parts[n].iov_len;
	return sum;
}

/* A write is noted when it has been done: a sync that comes between the two did not have to cover it. */
static ssize_t written(int fd, off_t at, ssize_t n) {
	int before = errno;
	if (n > 0)
		touch(fd, at, at + n);
	errno = before;
	return n;
}

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at) {
	return no_room(fd, at + n) ? -1 : written(fd, at, syscall(SYS_pwrite64, fd, bytes, n, at));
}
ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at) { return pwrite(fd, bytes, n, at); }
ssize_t pwritev(int fd, const struct iovec *parts, int n, off_t at) {
	return no_room(fd, at + length(parts, n)) ? -1 : written(fd, at, syscall(SYS_pwritev, fd, parts, n, (long)at, 0L));
}
ssize_t pwritev64(int fd, const struct iovec *parts, int n, off_t at) { return pwritev(fd, parts, n, at); }

ssize_t write(int fd, const void *bytes, size_t n) {
	if (full[0] && fd >= 0 && fd < DESCRIPTORS && ours[fd] && no_room(fd, lseek(fd, 0, SEEK_CUR) + n))
		return -1;
	ssize_t done = syscall(SYS_write, fd, bytes, n);
	if (done > 0 && files && fd < DESCRIPTORS && ours[fd])
		written(fd, lseek(fd, 0, SEEK_CUR) - done, done);
	return done;
}
ssize_t writev(int fd, const struct iovec *parts, int n) {
	if (full[0] && fd >= 0 && fd < DESCRIPTORS && ours[fd] && no_room(fd, lseek(fd, 0, SEEK_CUR) + length(parts, n)))
		return -1;
	ssize_t done = syscall(SYS_writev, fd, parts, n);
	if (done > 0 && files && fd < DESCRIPTORS && ours[fd])
		written(fd, lseek(fd, 0, SEEK_CUR) - done, done);
	return done;
}

int ftruncate(int fd, off_t size) {
	if (no_room(fd, size))
		return -1;
	int result = syscall(SYS_ftruncate, fd, size);
	int before = errno;
	touch(fd, size, EVERYTHING);
	errno = before;
	return result;
}
int ftruncate64(int fd, off_t size) { return ftruncate(fd, size); }

int fallocate(int fd, int mode, off_t at, off_t size) {
	if (no_room(fd, at + size))
		return -1;
	int result = syscall(SYS_fallocate, fd, mode, at, size);
	written(fd, at, result == 0 ? size : 0);
	return result;
}
int fallocate64(int fd, int mode, off_t at, off_t size) { return fallocate(fd, mode, at, size); }
int posix_fallocate(int fd, off_t at, off_t size) { return fallocate(fd, 0, at, size) == 0 ? 0 : errno; }
int posix_fallocate64(int fd, off_t at, off_t size) { return posix_fallocate(fd, at, size); }

int fsync(int fd) {
	int result = syscall(SYS_fsync, fd);
	if (result == 0)
		keep(fd);
	return result;
}
int fdatasync(int fd) {
	int result = syscall(SYS_fdatasync, fd);
	if (result == 0)
		keep(fd);
	return result;
}
