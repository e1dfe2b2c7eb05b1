package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// memoryFolder holds the databases of `sqlite::memory:`. They are files in a file system that lives in memory, so that
// snapshots, locks and the log behave exactly as on disk (SQLite's own in-memory databases have none of these).
func memoryFolder() string {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		return "/dev/shm"
	}
	return os.TempDir()
}

const memoryPattern = "palabre-memory-*"

// sweepOnce removes, once per process, what processes that were killed have left behind.
var sweepOnce sync.Once

func (e *lite) makeMemory() error {
	sweepOnce.Do(sweepMemory)
	folder, err := os.MkdirTemp(memoryFolder(), memoryPattern)
	if err != nil {
		return fmt.Errorf("make in-memory database: %w", err)
	}
	e.memory = folder
	e.path = filepath.Join(folder, "db")
	return nil
}

// sweepMemory removes folders that nobody holds a lock in. Young ones may be just being made.
func sweepMemory() {
	folders, err := filepath.Glob(filepath.Join(memoryFolder(), memoryPattern))
	if err != nil {
		return // only for a malformed pattern
	}
	for _, folder := range folders {
		info, err := os.Stat(folder)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		f, err := os.Open(filepath.Join(folder, "db.lock"))
		if errors.Is(err, os.ErrNotExist) || err == nil && syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			os.RemoveAll(folder) // best effort: someone else's rubbish
		}
		if err == nil {
			f.Close()
		}
	}
}
