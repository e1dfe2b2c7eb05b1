//go:build linux

// This file takes the place of internal/poll/fd_fsync_posix.go in the program under test (go build -overlay): the program's own code
// stays as it is, but what it syncs is told to the disk that forgets (disk.c), as libc's callers do without knowing.
package poll

import (
	"sync"
	"syscall"
)

// diskDoor is the descriptor where disk.c listens.
const diskDoor = 901

var disk sync.Mutex // one question at a time

// Fsync wraps syscall.Fsync.
func (fd *FD) Fsync() error {
	if err := fd.incref(); err != nil {
		return err
	}
	defer fd.decref()
	if err := ignoringEINTR(func() error { return syscall.Fsync(fd.Sysfd) }); err != nil {
		return err
	}
	disk.Lock()
	defer disk.Unlock()
	n := uint32(fd.Sysfd)
	question := []byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)}
	answer := make([]byte, 1)
	for _, step := range []func() (int, error){
		func() (int, error) { return syscall.Write(diskDoor, question) },
		func() (int, error) { return syscall.Read(diskDoor, answer) },
	} {
		if _, err := ignoringEINTRIO2(step); err != nil {
			return err
		}
	}
	return nil
}

func ignoringEINTRIO2(fn func() (int, error)) (int, error) {
	for {
		n, err := fn()
		if err != syscall.EINTR {
			return n, err
		}
	}
}
