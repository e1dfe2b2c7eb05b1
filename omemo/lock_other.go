//go:build !unix

package omemo

import (
	"errors"
	"os"
)

// lockFile refuses: without a lock two programs could fork the ratchets.
func lockFile(string) (*os.File, error) { return nil, errors.ErrUnsupported }
