package main

import (
	"bufio"
	"bytes"
	"strings"
	"testing"

	"palabre.dev/palabre/store/storetest"
)

// A second server waits for the database of the first, and serves what that one kept as soon as it is gone.
func TestStandbyTakesOver(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			db := storetest.Config(t, engine)
			if engine == storetest.SQLite {
				db = storetest.File(t)
			}
			first, second := newPlace(t, db, ""), newPlace(t, db, "")
			serving := first.serve()
			if out, err := second.try("", "serve"); err == nil || !strings.Contains(out, "in use by another process") {
				t.Errorf("two servers: %v %s", err, out)
			}

			standby := second.command("serve", "-standby")
			out, err := standby.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			var log bytes.Buffer
			standby.Stderr = &log
			if err := standby.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewScanner(out)
			await(t, lines, "waiting to take over", &log)
			first.run("wherefore\n", "account", "add", "juliet")
			serving.kill(t)
			await(t, lines, "Palabre serves localhost", &log)
			if all := second.accounts(); len(all) != 1 || all["juliet"].Name != "juliet" {
				t.Errorf("accounts %+v", all)
			}
			(&served{cmd: standby}).stop(t)
		})
	}
}

func TestStandbyEndsWhenToldTo(t *testing.T) {
	db := storetest.File(t)
	newPlace(t, db, "").serve()
	standby := newPlace(t, db, "").command("serve", "-standby")
	out, err := standby.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := standby.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, bufio.NewScanner(out), "waiting to take over", &bytes.Buffer{})
	(&served{cmd: standby}).stop(t)
}

// await reads until a line says what it waits for.
func await(t *testing.T, lines *bufio.Scanner, want string, log *bytes.Buffer) {
	t.Helper()
	for lines.Scan() {
		if strings.Contains(lines.Text(), want) {
			return
		}
	}
	t.Fatalf("ended without saying %q\n%s", want, log.String())
}
