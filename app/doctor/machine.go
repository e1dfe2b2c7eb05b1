package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/store"
)

// minFree is the free disk space below which a server soon refuses messages.
const minFree = 1 << 30

// folder looks whether the data folder can be used by whoever asks.
func (d *Doctor) folder(context.Context) []Finding {
	info, err := os.Stat(d.cfg.Data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []Finding{note("palabre serve makes it", "the data folder %s does not exist yet", d.cfg.Data)}
	case err != nil:
		return []Finding{bad("run this as the user that runs the server", "data folder: %v", err)}
	case !info.IsDir():
		return []Finding{bad("set data to a folder", "%s is not a folder", d.cfg.Data)}
	case unix.Access(d.cfg.Data, unix.W_OK) != nil:
		return []Finding{bad("run this as the user that runs the server, or give that user the folder", "the data folder %s cannot be written to", d.cfg.Data)}
	case info.Mode().Perm()&0o007 != 0:
		return []Finding{note("chmod o-rwx "+d.cfg.Data, "everybody on this machine can look into the data folder %s", d.cfg.Data)}
	}
	return []Finding{ok("data folder %s", d.cfg.Data)}
}

func (d *Doctor) disk(context.Context) []Finding {
	var stat unix.Statfs_t
	path := d.cfg.Data
	if _, err := os.Stat(path); err != nil {
		path = "."
	}
	if err := unix.Statfs(path, &stat); err != nil {
		return []Finding{note("", "free disk space is unknown: %v", err)}
	}
	free := int64(stat.Bavail) * int64(stat.Bsize)
	if free < minFree {
		return []Finding{bad("make room, or move data to a larger disk: a full disk refuses new messages", "%d MB of disk space are free", free>>20)}
	}
	return []Finding{ok("%d GB of disk space are free", free>>30)}
}

// server asks the server that runs, or opens the database itself.
func (d *Doctor) server(ctx context.Context) []Finding {
	d.running = app.Running(d.cfg)
	if _, err := os.Stat(d.cfg.Data); err != nil && !d.running {
		return nil // nothing is there yet, and nothing is to be made
	}
	var out bytes.Buffer
	err := app.Operate(ctx, d.cfg, "status", nil, nil, &out)
	switch {
	case errors.Is(err, store.ErrLocked):
		return []Finding{bad("stop the other process, or run this as the user that runs the server", "the database is in use by a server that does not answer here")}
	case err != nil && strings.HasPrefix(d.cfg.Store.URL, "postgres"):
		return []Finding{bad("check store.url, that PostgreSQL runs, and that it lets this user in", "database: %v", err)}
	case err != nil:
		return []Finding{bad("check that the disk works; palabre restore brings a backup back", "database: %v", err)}
	}
	var s app.Status
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		return []Finding{bad("the server that runs may be another version: restart it", "status: %v", err)}
	}
	findings := []Finding{ok("database %s with %d accounts", s.Database, s.Accounts)}
	switch {
	case !d.running:
		findings = append(findings, note("palabre serve starts it", "the server does not run"))
	case s.Version != app.Version():
		findings = append(findings, note("restart the server", "the server that runs is version %s, this is %s", s.Version, app.Version()))
	default:
		findings = append(findings, ok("the server runs, with %d sessions", s.Sessions))
	}
	if s.Accounts == 0 {
		findings = append(findings, note("palabre invite --admin makes a link for the first", "there is no account yet"))
	}
	return findings
}

// clock asks the kernel whether something keeps the clock right: certificates, tokens and the order of messages need it.
func (d *Doctor) clock(context.Context) []Finding {
	if time.Now().Year() < 2026 {
		return []Finding{bad("set the clock; install systemd-timesyncd or chrony", "the clock says %s", time.Now().Format(time.DateTime))}
	}
	state, err := unix.Adjtimex(&unix.Timex{})
	if err != nil {
		return []Finding{note("", "whether the clock is kept right is unknown: %v", err)}
	}
	if state == unix.TIME_ERROR {
		return []Finding{note("install systemd-timesyncd or chrony", "nothing keeps this machine's clock right")}
	}
	return []Finding{ok("the clock is kept right")}
}
