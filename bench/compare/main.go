// Command compare runs the load tool against Palabre and its peers, each started by a script of bench/peers in the same way and one after
// the other on the same machine, and writes what came out with the ratios between them. bench/run builds everything and calls it.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	c := &comparison{}
	flags := flag.NewFlagSet("compare", flag.ContinueOnError)
	flags.StringVar(&c.root, "root", ".", "the source folder")
	flags.StringVar(&c.bin, "bin", "bench/.cache", "where the built programs are")
	flags.StringVar(&c.out, "out", "bench/RESULTS.md", "where the tables go")
	flags.StringVar(&c.data, "data", "bench/results.json", "where measured values are kept: a run replaces what it measures and leaves the rest")
	flags.StringVar(&c.only, "servers", "", "only these servers, separated by commas: palabre-sqlite, palabre-postgres, ejabberd-archive, ejabberd-plain, prosody-archive")
	flags.IntVar(&c.repeat, "repeat", 3, "repetitions of chat; the median counts")
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: bench/run [flags] [scenario …]")
		flags.PrintDefaults()
		for _, s := range scenarios {
			fmt.Fprintf(flags.Output(), "  %-10s %s\n", s.name, s.title)
		}
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(flags.Args())
	if err != nil {
		return err
	}
	if err := c.load(); err != nil {
		return err
	}
	for _, s := range chosen {
		if err := c.measure(ctx, s); err != nil {
			return err
		}
		if err := c.save(); err != nil {
			return err
		}
	}
	return nil
}

func choose(names []string) ([]scenario, error) {
	if len(names) == 0 {
		return scenarios, nil
	}
	var chosen []scenario
	for _, name := range names {
		i := slices.IndexFunc(scenarios, func(s scenario) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no scenario %q", name)
		}
		chosen = append(chosen, scenarios[i])
	}
	return chosen, nil
}

// comparison is all that was measured so far.
type comparison struct {
	root, bin, out, data, only string
	repeat                     int
	results                    results
}

// results are by scenario, then by server. They are kept in a file, so that one scenario can be measured again alone.
type results map[string]*table

// table is one scenario's.
type table struct {
	When    string            `json:"when"`
	Machine string            `json:"machine"`
	Rows    map[string]row    `json:"rows"`
	Failed  map[string]string `json:"failed,omitempty"`
}

// row is what one server did.
type row struct {
	// When is that of the table at the time it was measured; empty for the table's own.
	When    string             `json:"when,omitempty"`
	Version string             `json:"version"`
	Values  map[string]float64 `json:"values"`
}

func (c *comparison) load() error {
	c.results = results{}
	text, err := os.ReadFile(c.data)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(text, &c.results)
}

func (c *comparison) save() error {
	text, err := json.MarshalIndent(c.results, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.data, append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.WriteFile(c.out, []byte(c.report()), 0o644)
}

// wanted are the servers that a scenario is measured on.
func (c *comparison) wanted(s scenario) []server {
	var list []server
	for _, one := range servers {
		if slices.Contains(s.on, one.name) && (c.only == "" || slices.Contains(strings.Split(c.only, ","), one.script+"-"+one.mode)) {
			list = append(list, one)
		}
	}
	return list
}

func (c *comparison) program(name string) string { return filepath.Join(c.bin, name) }
