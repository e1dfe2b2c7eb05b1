package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/feature/account"
)

var backup = subcommand{
	name: "backup", usage: "[FILE]", summary: "saves the database, certificates and uploads in one file",
	help: "The server may run meanwhile. Without FILE, the name is made of the domain and the time. PostgreSQL is not in it: save that with\npg_dump at the same time. The file lets whoever has it be your server: keep it safe.",
	run: func(ctx context.Context, c *call, args []string) error {
		path := c.cfg.Domain + "-" + time.Now().Format("20060102-150405") + ".palabre.tar"
		if len(args) > 0 {
			path = args[0]
		}
		if err := c.toFile(path, func(w io.Writer) error { return app.Operate(ctx, c.cfg, "backup", nil, nil, w) }); err != nil {
			return err
		}
		fmt.Fprintln(c.out, "saved in", path)
		if !strings.HasPrefix(c.cfg.Store.URL, "sqlite:") {
			fmt.Fprintln(c.out, "The database is not in it: save it with pg_dump.")
		}
		return nil
	},
}

var restore = subcommand{
	name: "restore", usage: "FILE", summary: "puts a backup in place on a machine that has none",
	help: "The server must not run. Nothing is overwritten: move an old database and its folders away first.",
	run: func(_ context.Context, c *call, args []string) error {
		path, err := one(args)
		if err != nil {
			return errors.New("the file of the backup is needed")
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		m, err := app.Restore(c.cfg, file)
		if err != nil {
			return err
		}
		fmt.Fprintf(c.out, "restored %s as of %s\n", m.Domain, m.Made.Local().Format(time.DateTime))
		if m.Database != "sqlite" {
			fmt.Fprintln(c.out, "The database is not in the backup: restore it with psql.")
		}
		if m.Domain != c.cfg.Domain {
			fmt.Fprintf(c.out, "The backup is of %s, but %s is configured: set domain first.\n", m.Domain, c.cfg.Domain)
		}
		return nil
	},
}

var exportAccounts = subcommand{
	name: "export", usage: "[NAME] [FILE]", summary: "writes one account or all, with all their data, for this or another server (XEP-0227)",
	help: "NAME alone writes to the standard output; - stands for all accounts. The file holds salted passwords: keep it safe.",
	run: func(ctx context.Context, c *call, args []string) error {
		var name string
		if len(args) > 0 && args[0] != "-" {
			name = args[0]
		}
		write := func(w io.Writer) error {
			return app.Operate(ctx, c.cfg, "export", app.AccountArgs{Name: name}, nil, w)
		}
		if len(args) < 2 {
			return write(c.out)
		}
		return c.toFile(args[1], write)
	},
}

var importAccounts = subcommand{
	name: "import", usage: "FILE", summary: "makes accounts of a file of this or another server (XEP-0227)",
	help: "Accounts that exist are left as they are.",
	run: func(ctx context.Context, c *call, args []string) error {
		path, err := one(args)
		if err != nil {
			return errors.New("the file is needed")
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		var out bytes.Buffer
		failed := app.Operate(ctx, c.cfg, "import", nil, file, &out)
		var done account.Imported
		if err := json.Unmarshal(out.Bytes(), &done); err == nil {
			fmt.Fprintln(c.out, "made", len(done.Names), "accounts")
			for _, why := range done.Skipped {
				fmt.Fprintln(c.out, "left out", why)
			}
		}
		return failed
	},
}

// toFile lets write fill a new file that appears when it is complete and on disk.
func (c *call) toFile(path string, write func(io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	err = errors.Join(write(file), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}
