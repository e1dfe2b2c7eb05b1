package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// partial is where bytes are that are not all there yet. It outlives the process.
func (d *Disk) partial(key string) (string, error) {
	if !keyPattern.MatchString(key) {
		return "", ErrKey
	}
	return filepath.Join(d.root, "partial", key), nil
}

// Append adds at most max bytes of r to what is there of a blob that is not finished, from a place on: what is behind that is dropped. It
// returns how many bytes were added; they are on disk, also when reading has failed. It returns ErrSize when there are fewer bytes than that.
func (d *Disk) Append(ctx context.Context, key string, at int64, r io.Reader, max int64) (added int64, err error) {
	path, err := d.partial(key)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return 0, fmt.Errorf("make blob folder: %w", err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, fmt.Errorf("open blob: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return 0, fmt.Errorf("open blob: %w", err)
	}
	if info.Size() < at {
		return 0, ErrSize
	}
	if err := file.Truncate(at); err != nil {
		return 0, fmt.Errorf("cut blob: %w", err)
	}
	if _, err := file.Seek(at, io.SeekStart); err != nil {
		return 0, fmt.Errorf("append to blob: %w", err)
	}
	added, err = io.Copy(file, io.LimitReader(stopping{ctx, r}, max))
	if err != nil {
		err = fmt.Errorf("append to blob: %w", err)
	}
	if failed := errors.Join(file.Sync(), syncFolder(filepath.Dir(path))); failed != nil {
		return 0, errors.Join(err, failed) // nobody knows what of it is on disk
	}
	return added, err
}

// Finish makes appended bytes a blob when they are size; ErrSize if they are not. It may be called again after it has succeeded.
func (d *Disk) Finish(_ context.Context, key string, size int64) error {
	from, err := d.partial(key)
	if err != nil {
		return err
	}
	path, err := d.path(key)
	if err != nil {
		return err
	}
	info, err := os.Stat(from)
	if errors.Is(err, fs.ErrNotExist) {
		if info, err = os.Stat(path); err == nil && info.Size() == size {
			return nil
		}
		return ErrSize
	}
	if err != nil {
		return fmt.Errorf("finish blob: %w", err)
	}
	if info.Size() != size {
		return ErrSize
	}
	return d.settle(from, path)
}
