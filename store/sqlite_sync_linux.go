package store

import (
	"os"
	"syscall"
)

// syncFile has a file's contents on disk; its times need not be.
func syncFile(f *os.File) error { return syscall.Fdatasync(int(f.Fd())) }
