package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// server is a script of bench/peers with its argument.
type server struct {
	name, script, mode string
	slow               bool // hundreds of archived messages wait for as many commits before the first is delivered: measure for longer
}

var servers = []server{
	{"Palabre, SQLite", "palabre", "sqlite", false},
	{"Palabre, PostgreSQL", "palabre", "postgres", false},
	{"ejabberd, PostgreSQL", "ejabberd", "archive", false},
	{"ejabberd, no archive", "ejabberd", "plain", false},
	{"Prosody, SQLite", "prosody", "archive", true},
	{"bare relay", "", "", false},
	{ledgerPostgres, "ledger", "postgres", false},
	{ledgerSQLite, "ledger", "sqlite", false},
	{ledgerHTTP, "ledger", "http", false},
	{formanceWhole, "ledger", "formance", false},
	{formanceBare, "ledger", "formance-bare", false},
	{pgledgerName, "ledger", "pgledger", false},
}

// running is a server that has been started.
type running struct {
	process *exec.Cmd
	in      io.WriteCloser
	facts   map[string]string
	errors  *bytes.Buffer
}

// start runs the script until it says that the server is ready.
func (c *comparison) start(ctx context.Context, s server, accounts int, env ...string) (*running, error) {
	r := &running{facts: map[string]string{}, errors: &bytes.Buffer{}}
	if s.script == "" {
		return r, nil
	}
	bin, err := filepath.Abs(c.bin)
	if err != nil {
		return nil, err
	}
	r.process = exec.CommandContext(ctx, filepath.Join(c.root, "bench/peers", s.script), s.mode, strconv.Itoa(accounts))
	r.process.Env = append(append(os.Environ(), "BENCH_BIN="+bin), env...)
	r.process.Stderr = r.errors
	if r.in, err = r.process.StdinPipe(); err != nil {
		return nil, err
	}
	r.process.Cancel = r.in.Close // then the script ends what it started
	r.process.WaitDelay = time.Minute
	out, err := r.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := r.process.Start(); err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if lines.Text() == "ready" {
			return r, nil
		}
		key, value, _ := strings.Cut(lines.Text(), "=")
		r.facts[key] = value
	}
	return nil, fmt.Errorf("%s does not start: %w\n%s", s.name, errors.Join(lines.Err(), r.process.Wait()), r.errors)
}

// stop ends the server and waits for that.
func (r *running) stop() error {
	if r.process == nil {
		return nil
	}
	if err := r.in.Close(); err != nil {
		return err
	}
	if err := r.process.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, r.errors)
	}
	return nil
}

// put runs the load tool once.
func (c *comparison) put(ctx context.Context, r *running, args ...string) (map[string]float64, error) {
	flags := []string{"-server", r.facts["starttls"], "-tls", r.facts["tls"]}
	if r.process == nil {
		flags = nil
	}
	if at := r.facts["ledger"]; at != "" {
		flags, args = nil, append(slices.Clone(args), "-at", at)
		if n := r.facts["in_flight"]; n != "" {
			args = append(args, "-in-flight", n)
		}
	}
	for pid := range strings.SplitSeq(r.facts["pids"], ",") {
		if pid != "" {
			flags = append(flags, "-pid", pid)
		}
	}
	load := exec.CommandContext(ctx, c.program("load"), append(flags, args...)...)
	var complaints bytes.Buffer
	load.Stderr = &complaints
	out, err := load.Output()
	if err != nil {
		return nil, fmt.Errorf("load %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	var values map[string]any
	if err := json.Unmarshal(out, &values); err != nil {
		return nil, fmt.Errorf("load %s: %w", strings.Join(args, " "), err)
	}
	flat := map[string]float64{}
	flatten(flat, "", values)
	return flat, nil
}

// flatten makes one level of names and numbers: a name within another is joined by a dot.
func flatten(to map[string]float64, prefix string, values map[string]any) {
	for name, value := range values {
		switch v := value.(type) {
		case float64:
			to[prefix+name] = v
		case bool:
			to[prefix+name] = 0
			if v {
				to[prefix+name] = 1
			}
		case map[string]any:
			flatten(to, prefix+name+".", v)
		}
	}
}
