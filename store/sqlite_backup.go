package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// backup copies one snapshot with `vacuum into`, makes it durable, and only then gives it its name.
func (e *lite) backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fs.ErrExist
	}
	c, err := e.connect("pragma cache_size=-8192")
	if err != nil {
		return err
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, c.close())
	}
	if _, err = c.query(ctx, "vacuum into $1", []any{part}); err != nil {
		return errors.Join(classify(err), c.close(), os.Remove(part))
	}
	if err := c.close(); err != nil {
		return err
	}
	return publish(part, path)
}

func publish(part, path string) error {
	f, err := os.OpenFile(part, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("sync: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}
