// Package blob keeps media bytes under keys. Disk keeps them as files on this machine; what an object store (S3) must do to take its
// place is what its three methods say. Blobs are opaque here: who may read them, how long they stay and what they are is their owner's
// business.
package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
)

// ErrNotFound is returned for a key that holds nothing.
var ErrNotFound = errors.New("no such blob")

// ErrSize is returned by Put when there are fewer or more bytes than were announced.
var ErrSize = errors.New("blob has another size than announced")

// ErrKey is returned for a key that is not 8 to 128 letters, digits, - or _.
var ErrKey = errors.New("malformed blob key")

var keyPattern = regexp.MustCompile(`^[A-Za-z0-9_-]{8,128}$`)

// Disk keeps each blob as a file below one folder.
type Disk struct{ root string }

// OpenDisk uses a folder, making it if need be, and clears away what an earlier process left unfinished.
func OpenDisk(root string) (*Disk, error) {
	d := &Disk{root: root}
	if err := os.RemoveAll(d.unfinished()); err != nil {
		return nil, fmt.Errorf("clear unfinished blobs: %w", err)
	}
	if err := os.MkdirAll(d.unfinished(), 0o700); err != nil {
		return nil, fmt.Errorf("make blob folder: %w", err)
	}
	return d, nil
}

func (d *Disk) unfinished() string { return filepath.Join(d.root, "unfinished") }

// path spreads the files over 4096 folders.
func (d *Disk) path(key string) (string, error) {
	if !keyPattern.MatchString(key) {
		return "", ErrKey
	}
	return filepath.Join(d.root, key[:1], key[1:2], key), nil
}

// Put reads exactly size bytes and keeps them under key, in place of what was there. When it returns nil they are on disk, and so is their
// name; on any error nothing has changed. It returns ErrSize when r holds another number of bytes.
func (d *Disk) Put(ctx context.Context, key string, r io.Reader, size int64) error {
	path, err := d.path(key)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(d.unfinished(), "put-*")
	if err != nil {
		return fmt.Errorf("begin blob: %w", err)
	}
	err = errors.Join(fill(ctx, file, r, size), file.Close())
	if err == nil {
		err = d.settle(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(os.Remove(file.Name())))
	}
	return nil
}

func fill(ctx context.Context, file *os.File, r io.Reader, size int64) error {
	n, err := io.Copy(file, io.LimitReader(stopping{ctx, r}, size+1))
	if err != nil {
		return fmt.Errorf("write blob: %w", err)
	}
	if n != size {
		return ErrSize
	}
	return file.Sync()
}

// stopping reads until ctx ends.
type stopping struct {
	ctx context.Context
	r   io.Reader
}

func (s stopping) Read(p []byte) (int, error) {
	if err := s.ctx.Err(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// settle gives finished bytes their name, durably.
func (d *Disk) settle(from, path string) error {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return fmt.Errorf("make blob folder: %w", err)
	}
	if err := os.Rename(from, path); err != nil {
		return fmt.Errorf("name blob: %w", err)
	}
	for _, dir := range []string{folder, filepath.Dir(folder), d.root} {
		if err := syncFolder(dir); err != nil {
			return err
		}
	}
	return nil
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Blob is an open blob.
type Blob struct {
	io.ReadSeekCloser
	Size int64
}

// Open opens a blob for reading; ErrNotFound if there is none.
func (d *Disk) Open(_ context.Context, key string) (Blob, error) {
	path, err := d.path(key)
	if err != nil {
		return Blob{}, err
	}
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Blob{}, ErrNotFound
	}
	if err != nil {
		return Blob{}, fmt.Errorf("open blob: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return Blob{}, errors.Join(fmt.Errorf("open blob: %w", err), file.Close())
	}
	return Blob{ReadSeekCloser: file, Size: info.Size()}, nil
}

// Remove deletes a blob; a key that holds nothing is no error.
func (d *Disk) Remove(_ context.Context, key string) error {
	path, err := d.path(key)
	if err != nil {
		return err
	}
	part, err := d.partial(key)
	if err != nil {
		return err
	}
	return errors.Join(ignoreMissing(os.Remove(path)), ignoreMissing(os.Remove(part)))
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
