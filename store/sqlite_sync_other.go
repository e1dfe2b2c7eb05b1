//go:build !linux

package store

import "os"

// syncFile has a file's contents on disk.
func syncFile(f *os.File) error { return f.Sync() }
