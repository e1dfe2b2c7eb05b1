package omemo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// FileStore is a Store in one file, for programs without a database. The file is a log: a Save appends one record and syncs it, so its
// cost follows what changed (a message to one of 300 devices writes one session, not 300), and a record that a crash
// tore is recognised by its checksum and dropped. When most of the log is out of date it is rewritten beside and renamed
// over, which also drops the old ratchet keys in it.
//
// One process at a time: the file is locked, and OpenFile fails while another holds it.
type FileStore struct {
	path string
	lock *os.File

	// mu is held while writing: the log has one writer, as the Device above has.
	mu     sync.Mutex
	file   *os.File
	size   int64 // of the log, all of it good
	live   int64 // of the newest records of every name
	values map[string][]byte
	broken error // set when the log is in an unknown state: everything fails from then on
}

const (
	logMagic    = "palabre-omemo-1\n"
	recordHead  = 12       // length of the body, CRC-32C of the body, CRC-32C of these two, little endian
	framing     = 20       // about what a record of one value takes besides name and value
	maxRecord   = 64 << 20 // body of one Save, in bytes
	rewriteOver = 1 << 20  // bytes below which a log is never rewritten
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// OpenFile opens the store in a file, which it creates, readable by its owner alone, if there is none. It returns ErrState if the
// file is damaged elsewhere than at its end.
func OpenFile(path string) (*FileStore, error) {
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	s := &FileStore{path: path, lock: lock, values: map[string][]byte{}}
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", path, err), lock.Close())
	}
	return s, nil
}

func (s *FileStore) open() error {
	file, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	s.file = file
	if err := s.replay(); err != nil {
		return errors.Join(err, file.Close())
	}
	return nil
}

// replay reads the whole log and cuts a torn end off.
func (s *FileStore) replay() error {
	in, err := io.ReadAll(s.file)
	if err != nil {
		return err
	}
	if len(in) < len(logMagic) && bytes.HasPrefix([]byte(logMagic), in) {
		return s.rewrite() // new, or torn while it was made: nothing was ever kept here
	}
	if !bytes.HasPrefix(in, []byte(logMagic)) {
		return fmt.Errorf("not a store: %w", ErrState)
	}
	good := len(logMagic)
	for good < len(in) {
		values, size, err := readRecord(in[good:])
		if err != nil {
			return fmt.Errorf("at byte %d: %w", good, err)
		}
		if size == 0 {
			break
		}
		s.apply(values)
		good += size
	}
	s.size = int64(good)
	return s.cut()
}

// readRecord reads one record. Its size is 0 if a crash tore it, which only the last one can be: it is cut short, or parts of it never
// reached the disk. Anything else that does not hold is damage.
func readRecord(in []byte) (values map[string][]byte, size int, err error) {
	if !isHead(in) {
		for at := 1; at < len(in); at++ {
			if isHead(in[at:]) {
				return nil, 0, fmt.Errorf("checksum of a head: %w", ErrState)
			}
		}
		return nil, 0, nil
	}
	n := int64(binary.LittleEndian.Uint32(in))
	if n > int64(len(in)-recordHead) {
		return nil, 0, nil
	}
	size = recordHead + int(n)
	body := in[recordHead:size]
	if checksum(body) != binary.LittleEndian.Uint32(in[4:]) {
		if size == len(in) {
			return nil, 0, nil
		}
		return nil, 0, fmt.Errorf("checksum: %w", ErrState)
	}
	values, err = readValues(body)
	return values, size, err
}

// isHead reports whether a whole record head with a good checksum begins in.
func isHead(in []byte) bool {
	return len(in) >= recordHead && checksum(in[:8]) == binary.LittleEndian.Uint32(in[8:])
}

func checksum(in []byte) uint32 { return crc32.Checksum(in, castagnoli) }

func readValues(body []byte) (map[string][]byte, error) {
	values := map[string][]byte{}
	name := ""
	err := eachField(body, func(f entry) (err error) {
		data, err := f.bytes()
		switch {
		case err != nil:
			return err
		case f.number == 1:
			name = string(data)
		case f.number == 2:
			values[name] = bytes.Clone(data)
		case f.number == 3:
			values[string(data)] = nil
		default:
			return unknownField(f)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("record: %w: %w", ErrState, err)
	}
	return values, nil
}

func appendRecord(out []byte, values map[string][]byte) []byte {
	var body fields
	for name, value := range values {
		if value == nil {
			body.bytes(3, []byte(name))
			continue
		}
		body.bytes(1, []byte(name))
		body.bytes(2, value)
	}
	var head []byte
	head = binary.LittleEndian.AppendUint32(head, uint32(len(body)))
	head = binary.LittleEndian.AppendUint32(head, checksum(body))
	head = binary.LittleEndian.AppendUint32(head, checksum(head))
	return append(append(out, head...), body...)
}

// apply makes values the newest.
func (s *FileStore) apply(values map[string][]byte) {
	for name, value := range values {
		if old, ok := s.values[name]; ok {
			s.live -= int64(len(name) + len(old) + framing)
			delete(s.values, name)
		}
		if value != nil {
			s.values[name] = value
			s.live += int64(len(name) + len(value) + framing)
		}
	}
}

// cut makes the file end after what is good.
func (s *FileStore) cut() error {
	if err := s.file.Truncate(s.size); err != nil {
		return err
	}
	_, err := s.file.Seek(s.size, io.SeekStart)
	return err
}

// Load implements Store.
func (s *FileStore) Load(_ context.Context, names []string) (map[string][]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return nil, s.broken
	}
	return pickValues(s.values, names), nil
}

// Save implements Store. A write that fails is cut off again, so a full disk loses nothing; a sync that fails, or a cut, leaves the file in an
// unknown state, and the store refuses all work from then on: open it again.
func (s *FileStore) Save(_ context.Context, values map[string][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return s.broken
	}
	record := appendRecord(nil, values)
	if len(record) > maxRecord {
		return fmt.Errorf("save %d bytes: %w", len(record), ErrTooLarge)
	}
	if _, err := s.file.Write(record); err != nil {
		if cutErr := s.cut(); cutErr != nil {
			s.broken = fmt.Errorf("store %s is unusable: %w", s.path, cutErr)
		}
		return fmt.Errorf("append to %s: %w", s.path, err)
	}
	if err := s.file.Sync(); err != nil {
		s.broken = fmt.Errorf("store %s is unusable: sync: %w", s.path, err)
		return s.broken
	}
	s.size += int64(len(record))
	s.apply(values)
	if s.size < rewriteOver || s.size < 2*s.live {
		return nil
	}
	if err := s.rewrite(); err != nil {
		s.broken = fmt.Errorf("store %s is unusable: rewrite: %w", s.path, err)
	}
	return nil // what was to be saved is on disk, whatever became of the rewriting
}

// rewrite replaces the log by one that holds only the newest values: written beside, synced, renamed over, and the folder synced.
func (s *FileStore) rewrite() error {
	fresh, err := os.OpenFile(s.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	size, err := writeLog(fresh, s.values)
	if err == nil {
		err = os.Rename(s.path+".new", s.path)
	}
	if err == nil {
		err = syncFolder(filepath.Dir(s.path))
	}
	if err != nil {
		return errors.Join(err, fresh.Close())
	}
	old := s.file
	s.file, s.size = fresh, size
	return old.Close()
}

// writeLog writes one record per value, since all of them may exceed the limit of one.
func writeLog(file *os.File, values map[string][]byte) (int64, error) {
	out := []byte(logMagic)
	for name, value := range values {
		out = appendRecord(out, map[string][]byte{name: value})
	}
	if _, err := file.Write(out); err != nil {
		return 0, err
	}
	return int64(len(out)), file.Sync()
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// Close releases the file. Everything saved is on disk already.
func (s *FileStore) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	err := errors.Join(s.file.Close(), s.lock.Close())
	s.file, s.broken = nil, fmt.Errorf("store %s: %w", s.path, os.ErrClosed)
	return err
}
