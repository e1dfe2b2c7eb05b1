package drill

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// sector is what a disk writes whole or not at all.
const sector = 512

// disk is the folder of a program that runs with testdata/disk.c: at a power cut it loses what was not synced. What libc writes is covered
// as it happens (SQLite, PostgreSQL); what Go writes itself, through the syncs of testdata/fsync.go.
type disk struct {
	t      *testing.T
	root   string // of the program's files
	kept   string // see disk.c
	follow bool   // a file's name becomes durable with its bytes
	lies   string // part of the paths whose syncs do nothing
	uid    int    // who owns the files
}

// tools are the preloaded library and the program built for it.
type tools struct{ library, palabre string }

var buildTools = sync.OnceValues(func() (tools, error) {
	folder, err := makePrograms()
	if err != nil {
		return tools{}, err
	}
	b := tools{library: filepath.Join(folder, "disk.so"), palabre: filepath.Join(folder, "palabre-disk")}
	source, err := filepath.Abs("testdata")
	if err != nil {
		return tools{}, err
	}
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return tools{}, err
	}
	overlay, err := json.Marshal(map[string]any{"Replace": map[string]string{
		filepath.Join(strings.TrimSpace(string(root)), "src/internal/poll/fd_fsync_posix.go"): filepath.Join(source, "fsync.go"),
	}})
	if err != nil {
		return tools{}, err
	}
	plan := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(plan, overlay, 0o644); err != nil {
		return tools{}, err
	}
	for _, command := range [][]string{
		{"cc", "-shared", "-fPIC", "-O2", "-o", b.library, filepath.Join(source, "disk.c"), "-lpthread"},
		{"go", "build", "-overlay", plan, "-o", b.palabre, "palabre.dev/palabre/cmd/palabre"},
	} {
		if output, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return tools{}, fmt.Errorf("%s: %w: %s", command[0], err, output)
		}
	}
	return b, nil
})

// newDisk prepares a disk for the files below root, which need not exist yet.
func newDisk(t *testing.T, root string) *disk {
	t.Helper()
	kept, err := os.MkdirTemp("", "palabre-kept-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(kept) })
	return &disk{t: t, root: root, kept: kept, uid: os.Getuid()}
}

// env is what a program needs in its environment.
func (d *disk) env() []string {
	b, err := buildTools()
	if err != nil {
		d.t.Fatal(err)
	}
	env := []string{"LD_PRELOAD=" + b.library, "PALABRE_DISK_ROOT=" + d.root, "PALABRE_DISK_KEPT=" + d.kept, "PALABRE_DISK_LIES=" + d.lies,
		"PALABRE_DISK_FULL=" + d.mark()}
	if d.follow {
		return append(env, "PALABRE_DISK_NAMES=follow")
	}
	return append(env, "PALABRE_DISK_DOOR=yes")
}

// mark is the file whose existence means that the disk is full.
func (d *disk) mark() string { return d.root + ".full" }

// fill makes the disk full.
func (d *disk) fill() {
	d.t.Helper()
	d.must(os.WriteFile(d.mark(), nil, 0o644))
}

// clear makes room again.
func (d *disk) clear() {
	d.t.Helper()
	d.must(os.Remove(d.mark()))
}

// begin makes all that is there now durable.
func (d *disk) begin() {
	d.t.Helper()
	d.must(os.RemoveAll(d.kept))
	d.must(os.MkdirAll(filepath.Join(d.kept, "inode"), 0o700))
	d.must(filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := filepath.Join(d.kept, "tree", strings.TrimPrefix(path, d.root))
		if e.IsDir() {
			return os.MkdirAll(name, 0o700)
		}
		if !e.Type().IsRegular() {
			return nil
		}
		key, err := keyOf(path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		inode := filepath.Join(d.kept, "inode", key)
		return errors.Join(os.WriteFile(inode, content, 0o600), os.Link(inode, name))
	}))
	d.own(d.kept)
}

// keyOf names a file as disk.c does: numbers of inodes are used again.
func keyOf(path string) (string, error) {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, unix.AT_SYMLINK_NOFOLLOW, unix.STATX_INO|unix.STATX_BTIME, &st); err != nil {
		return "", fmt.Errorf("statx %s: %w", path, err)
	}
	return fmt.Sprintf("%x.%x", st.Ino, uint64(st.Btime.Sec)*1e9+uint64(st.Btime.Nsec)), nil
}

func (d *disk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d *disk) own(folder string) {
	d.t.Helper()
	if d.uid == os.Getuid() {
		return
	}
	d.must(filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, d.uid, -1))
	}))
}

// fate decides what of the unsynced bytes of a file and of the unsynced names survives a cut.
type fate struct {
	name  string
	bytes func() func(n, of int) bool // a rule for one file: does the nth changed sector survive
	names func() bool
}

func never() bool  { return false }
func always() bool { return true }
func coin() bool   { return rand.IntN(2) == 0 }

func each(survives func() bool) func() func(int, int) bool {
	return func() func(int, int) bool { return func(int, int) bool { return survives() } }
}

// fates are what disks do: nothing reaches the plate before a sync, everything does, some sectors do in any order, or the first ones.
var fates = []fate{
	{"nothing", each(never), never},
	{"everything", each(always), always},
	{"some sectors", each(coin), never},
	{"the first sectors", func() func(int, int) bool {
		share := rand.Float64()
		return func(n, of int) bool { return float64(n) < share*float64(of) }
	}, never},
	{"some sectors, some names", each(coin), coin},
}

// cut replaces the files by what is left of them after the power went away. No program may be using them.
func (d *disk) cut(f fate) {
	d.t.Helper()
	durable, folders := d.list(filepath.Join(d.kept, "tree"), d.keptKey())
	live, liveFolders := d.list(d.root, keyOf)
	at := map[string]string{} // where a file of a key is now
	for path, key := range live {
		at[key] = path
	}
	remains := d.root + ".remains"
	d.must(os.RemoveAll(remains))
	for _, folder := range folders {
		d.must(os.MkdirAll(filepath.Join(remains, folder), 0o700))
	}
	for _, folder := range liveFolders {
		if f.names() {
			d.must(os.MkdirAll(filepath.Join(remains, folder), 0o700))
		}
	}
	for path, key := range merge(durable, live, f.names) {
		content := d.read(filepath.Join(d.kept, "inode", key))
		if now, ok := at[key]; ok {
			content = mix(content, d.read(filepath.Join(d.root, now)), f.bytes())
		}
		path = filepath.Join(remains, path)
		d.must(os.MkdirAll(filepath.Dir(path), 0o700))
		d.must(os.WriteFile(path, content, 0o600))
	}
	d.must(os.RemoveAll(d.root))
	d.must(os.Rename(remains, d.root))
	d.own(d.root)
	d.begin()
}

// keptKey finds the key of a kept name.
func (d *disk) keptKey() func(path string) (string, error) {
	keys := map[string]string{}
	entries, err := os.ReadDir(filepath.Join(d.kept, "inode"))
	d.must(err)
	for _, e := range entries {
		key, err := keyOf(filepath.Join(d.kept, "inode", e.Name()))
		d.must(err)
		keys[key] = e.Name()
	}
	return func(path string) (string, error) {
		key, err := keyOf(path)
		if err != nil || keys[key] != "" {
			return keys[key], err
		}
		return "", fmt.Errorf("%s has no inode", path)
	}
}

// list finds the regular files below a folder, by name, with their keys, and the folders.
func (d *disk) list(root string, key func(string) (string, error)) (files map[string]string, folders []string) {
	files = map[string]string{}
	d.must(filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(strings.TrimPrefix(path, root), "/")
		if e.IsDir() {
			folders = append(folders, name)
		} else if e.Type().IsRegular() {
			files[name], err = key(path)
		}
		return err
	}))
	return files, folders
}

// merge decides for each name whether it has its durable or its present meaning.
func merge(durable, live map[string]string, survives func() bool) map[string]string {
	result := map[string]string{}
	for name, key := range durable {
		if live[name] == key || !survives() {
			result[name] = key
		} else if live[name] != "" {
			result[name] = live[name]
		}
	}
	for name, key := range live {
		if durable[name] == "" && survives() {
			result[name] = key
		}
	}
	return result
}

// read is empty for a file whose bytes were never synced.
func (d *disk) read(path string) []byte {
	content, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		d.t.Fatal(err)
	}
	return content
}

// mix lets some of the sectors that differ from what is durable reach the disk.
func mix(durable, live []byte, survives func(n, of int) bool) []byte {
	var changed []int
	for at := 0; at < len(live); at += sector {
		end := min(at+sector, len(live))
		if end > len(durable) || !bytes.Equal(durable[at:end], live[at:end]) {
			changed = append(changed, at)
		}
	}
	result := bytes.Clone(durable)
	for n, at := range changed {
		if !survives(n, len(changed)) {
			continue
		}
		end := min(at+sector, len(live))
		if end > len(result) {
			result = append(result, make([]byte, end-len(result))...)
		}
		copy(result[at:end], live[at:end])
	}
	return result
}
