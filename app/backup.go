package app

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"palabre.dev/palabre/core"
)

// Manifest is the last file of a backup: without it, the backup is not complete.
type Manifest struct {
	Version  string    `json:"version"`
	Domain   string    `json:"domain"`
	Database string    `json:"database"` // sqlite: it is in the backup; postgres: it is not
	Made     time.Time `json:"made"`
}

// Names within a backup.
const (
	manifestName = "manifest.json"
	databaseName = "palabre.db"
)

// saved are the folders of the data folder that a backup holds beside the database.
var saved = []string{"certificates", "uploads"}

// export writes accounts as XEP-0227: the one that is named, or all.
func export(ctx context.Context, a *App, encoded []byte, _ io.Reader, out io.Writer) error {
	var args AccountArgs
	if err := json.Unmarshal(encoded, &args); err != nil {
		return fmt.Errorf("read arguments: %w", err)
	}
	var only *core.Account
	if args.Name != "" {
		var err error
		if only, err = a.lookup(ctx, args.Name); err != nil {
			return err
		}
	}
	return a.accounts.Export(ctx, out, only)
}

// importFile makes accounts of a file of XEP-0227.
func importFile(ctx context.Context, a *App, _ []byte, in io.Reader, out io.Writer) error {
	done, err := a.accounts.Import(ctx, in)
	return errors.Join(err, json.NewEncoder(out).Encode(done))
}

// backup writes a tar file with the database, the certificates and the uploads, while serving goes on. The database is a snapshot; uploads
// are copied after it, so that all that it names are there unless they have expired meanwhile.
func backup(ctx context.Context, a *App, _ []byte, _ io.Reader, out io.Writer) error {
	w := tar.NewWriter(out)
	m := Manifest{Version(), a.cfg.Domain, a.db.Engine(), time.Now().UTC()}
	if m.Database == "sqlite" {
		if err := a.saveDatabase(ctx, w); err != nil {
			return err
		}
	}
	for _, folder := range saved {
		if err := saveFolder(ctx, w, a.cfg.Data, folder); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := w.WriteHeader(&tar.Header{Name: manifestName, Mode: 0o600, Size: int64(len(text)), ModTime: m.Made}); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if _, err := w.Write(text); err != nil {
		return fmt.Errorf("write manifest: %w", err)
	}
	if err := w.Close(); err != nil {
		return err
	}
	return a.health.BackedUp(ctx, m.Made)
}

func (a *App) saveDatabase(ctx context.Context, w *tar.Writer) (err error) {
	folder, err := os.MkdirTemp(a.cfg.Data, "backup-")
	if err != nil {
		return fmt.Errorf("make room for the snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path := filepath.Join(folder, databaseName)
	if err := a.db.Backup(ctx, path); err != nil {
		return err
	}
	return saveFile(w, path, databaseName)
}

func saveFolder(ctx context.Context, w *tar.Writer, root, folder string) error {
	return filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !entry.Type().IsRegular() || strings.Contains(path, string(filepath.Separator)+"unfinished"+string(filepath.Separator)) {
			return nil
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return saveFile(w, path, filepath.ToSlash(name))
	})
}

// saveFile copies one file; one that has gone meanwhile is left out.
func saveFile(w *tar.Writer, path, name string) error {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("back up %s: %w", name, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("back up %s: %w", name, err)
	}
	if err := w.WriteHeader(&tar.Header{Name: name, Mode: int64(info.Mode().Perm()), Size: info.Size(), ModTime: info.ModTime()}); err != nil {
		return fmt.Errorf("back up %s: %w", name, err)
	}
	if _, err := io.CopyN(w, file, info.Size()); err != nil {
		return fmt.Errorf("back up %s: %w", name, err)
	}
	return nil
}

// Restore puts a backup in place of nothing: the server must not run, and neither the database nor the folders of the backup may exist.
// All is written beside their places first, so that a failure leaves nothing half restored.
func Restore(cfg Config, in io.Reader) (Manifest, error) {
	var m Manifest
	if Running(cfg) {
		return m, errors.New("the server runs: stop it first")
	}
	database, isFile := strings.CutPrefix(cfg.Store.URL, "sqlite:")
	places := map[string]string{}
	for _, folder := range saved {
		places[folder] = filepath.Join(cfg.Data, folder)
	}
	if isFile {
		places[databaseName] = database
	}
	for _, place := range places {
		if _, err := os.Lstat(place); !errors.Is(err, fs.ErrNotExist) {
			return m, fmt.Errorf("%s exists: move it away first", place)
		}
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return m, fmt.Errorf("make data folder: %w", err)
	}
	beside, err := os.MkdirTemp(cfg.Data, "restore-")
	if err != nil {
		return m, fmt.Errorf("make room for the restore: %w", err)
	}
	m, err = unpack(in, beside)
	if err == nil && m.Database == "sqlite" && !isFile {
		err = errors.New("the backup holds a SQLite database, but another is configured")
	}
	if err == nil {
		err = settle(beside, places)
	}
	return m, errors.Join(err, os.RemoveAll(beside))
}

func settle(beside string, places map[string]string) error {
	for name, place := range places {
		err := os.Rename(filepath.Join(beside, name), place)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("put %s in place: %w", place, err)
		}
		if err := syncFolder(filepath.Dir(place)); err != nil {
			return err
		}
	}
	return nil
}

// unpack writes the files of a backup under folder and returns its manifest.
func unpack(in io.Reader, folder string) (m Manifest, err error) {
	r := tar.NewReader(in)
	for {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return m, errors.New("the backup is not complete")
		}
		if err != nil {
			return m, fmt.Errorf("read backup: %w", err)
		}
		name := filepath.FromSlash(header.Name)
		if !filepath.IsLocal(name) || header.Typeflag != tar.TypeReg {
			return m, fmt.Errorf("read backup: %q has no business there", header.Name)
		}
		if name == manifestName {
			if err := json.NewDecoder(io.LimitReader(r, 1<<16)).Decode(&m); err != nil {
				return m, fmt.Errorf("read manifest: %w", err)
			}
			return m, nil
		}
		if err := unpackFile(r, filepath.Join(folder, name), fs.FileMode(header.Mode).Perm()); err != nil {
			return m, fmt.Errorf("restore %s: %w", name, err)
		}
	}
}

func unpackFile(r io.Reader, path string, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, r)
	return errors.Join(err, file.Sync(), file.Close())
}

func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
