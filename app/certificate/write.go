package certificate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// makeFolder makes a folder and its parent, and returns when their names are on disk.
func makeFolder(folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	parent := filepath.Dir(folder)
	return errors.Join(syncFolder(parent), syncFolder(filepath.Dir(parent)))
}

// writeFile replaces a file in one step, and returns when it is on disk: a device may trust what it holds from then on.
func writeFile(path string, content []byte, mode os.FileMode) error {
	if err := fill(path+".new", content, mode); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write certificate: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

func fill(path string, content []byte, mode os.FileMode) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
