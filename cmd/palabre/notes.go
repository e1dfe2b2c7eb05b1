package main

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sync"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/xmpp"
)

// notes are what the terminal client keeps between runs, for one device of one account. One process at a time has them.
type notes struct {
	path string
	keys *omemo.FileStore

	mu sync.Mutex // guards what follows
	saved
}

// saved is the file beside the keys.
type saved struct {
	Agent string // a UUID of this device, for the server
	Token client.Token
	Mark  client.Mark // what was read last
}

// openNotes opens or makes the folder of a device.
func openNotes(account xmpp.JID, device string) (*notes, error) {
	base := os.Getenv("XDG_DATA_HOME")
	if base == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		base = filepath.Join(home, ".local", "share")
	}
	folder := filepath.Join(base, "palabre", "chat", url.PathEscape(account.Bare().String()), url.PathEscape(device))
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	keys, err := omemo.OpenFile(filepath.Join(folder, "keys"))
	if err != nil {
		return nil, fmt.Errorf("%w (is another palabre chat running? -device gives it keys of its own)", err)
	}
	n := &notes{path: filepath.Join(folder, "notes.json"), keys: keys}
	if err := n.load(); err != nil {
		return nil, errors.Join(err, keys.Close())
	}
	return n, nil
}

func (n *notes) load() error {
	text, err := os.ReadFile(n.path)
	if errors.Is(err, fs.ErrNotExist) {
		return n.update(func(s *saved) { s.Agent = newUUID() })
	}
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &n.saved); err != nil {
		return fmt.Errorf("read %s: %w", n.path, err)
	}
	return nil
}

// update changes what is saved; when it returns nil, that is on disk.
func (n *notes) update(change func(*saved)) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	next := n.saved
	change(&next)
	text, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return err
	}
	if err := replace(n.path, text); err != nil {
		return fmt.Errorf("keep notes: %w", err)
	}
	n.saved = next
	return nil
}

// replace writes a file so that after a crash the old or the new one is there.
func replace(path string, text []byte) error {
	file, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// newUUID draws a UUID of version 4 (RFC 9562 §5.4).
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func (n *notes) close() error { return n.keys.Close() }
