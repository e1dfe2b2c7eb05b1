package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"palabre.dev/palabre/app"
)

// Statuses with which `palabre ledger verify` ends, beside 0 and 1.
const (
	exitFault = 3 // the journal is not what it was
	exitNoted = 4 // it is sound, and the hash that was noted is not in it
)

const ledgerBrief = "It works while the server runs and while it does not; -database reads another one, such as a restored copy."

// ledgerOptions are flags of the subcommands of ledger.
type ledgerOptions struct {
	database, noted, at, since, until string
}

var ledgerVerify = subcommand{
	name: "ledger verify", summary: "reads the whole book of payments and computes it anew, so that tampering shows",
	help: `Each record's hash is computed from the one before, each balance from what was moved; each floor, state, account and unit is looked at, and that there
are no others. At the end it prints the newest record's hash: write it down somewhere that whoever has the database cannot change, and give it
with -noted the next time. Without that, who writes the whole book anew, or takes records off its end, is not found out. Who adds records to its
end as the server would is not found out by hashes: look at who has signed what was taken from wallets, which it tells too (docs/ledger.md).

It ends with 0 if all is sound, 3 if a record is not what it was, 4 if the noted hash is not there, 1 if it could not be read.
` + ledgerBrief,
	flags: func(c *call, set *flag.FlagSet) {
		jsonFlag(c, set)
		databaseFlag(c, set)
		set.StringVar(&c.ledger.noted, "noted", "", "the `hash` that an earlier run has printed")
	},
	run: runVerify,
}

func databaseFlag(c *call, set *flag.FlagSet) {
	set.StringVar(&c.ledger.database, "database", "", "another database than the server's: sqlite:PATH or a postgres `address`")
}

// book reads something of the ledger.
func (c *call) book(ctx context.Context, name string, args any, out io.Writer) error {
	if c.ledger.database == "" {
		return app.Operate(ctx, c.cfg, name, args, nil, out)
	}
	if path, ok := strings.CutPrefix(c.ledger.database, "sqlite:"); ok {
		if _, err := os.Stat(path); err != nil {
			return err
		}
	}
	cfg := c.cfg.Store
	cfg.URL = c.ledger.database
	return app.ReadLedger(ctx, cfg, name, args, out)
}

func runVerify(ctx context.Context, c *call, _ []string) error {
	read, write := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := c.book(ctx, "ledger/verify", app.VerifyArgs{Noted: strings.TrimSpace(c.ledger.noted)}, write)
		write.CloseWithError(err)
		done <- err
	}()
	var last app.VerifyStep
	var broken error
	for lines := json.NewDecoder(read); !last.Done && broken == nil; {
		step := app.VerifyStep{}
		if broken = lines.Decode(&step); broken == nil {
			last = step
			if !c.json && !last.Done {
				fmt.Fprintf(c.err, "\r%d records …", last.Records)
			}
		}
	}
	if !last.Done {
		read.CloseWithError(broken)
	} else {
		_, broken = io.Copy(io.Discard, read)
	}
	if err := <-done; err != nil {
		return err
	}
	if broken != nil {
		return fmt.Errorf("read the answer: %w", broken)
	}
	return c.tellVerified(last)
}

// tellVerified says what was found, and what to do.
func (c *call) tellVerified(v app.VerifyStep) error {
	if v.Records >= 20_000 && !c.json {
		fmt.Fprint(c.err, "\r")
	}
	if c.json {
		if err := json.NewEncoder(c.out).Encode(v); err != nil {
			return err
		}
	}
	if v.What != "" {
		return exit{exitFault, fmt.Errorf(`the book of payments is not what it was.
Record %d, of %s: %s.
Everything before it is sound (%d records). Somebody has changed the database, or the disk has.
What to do: stop the server, and keep a copy of the database as it is; verify your backups with -database, the newest first,
until one is sound; what happened since is in the receipts that people hold, each signed and with its record's hash.
docs/payments.md, "The book is not what it was", says more`, v.Fault, time.UnixMicro(v.Fault).UTC().Format("2006-01-02 15:04:05 UTC"), v.What, v.Records)}
	}
	if !c.json {
		c.tellSound(v)
	}
	if c.ledger.noted != "" && !v.Passed {
		return exit{exitNoted, errors.New(`the hash that was noted is not in this book, though each record follows from the one before.
Either it was noted of another database, or this book was written anew, or records at its end are gone.
What to do: compare with a backup from before (ledger verify -database … -noted …); if the hash is in it, this database is not the one that was noted`)}
	}
	return nil
}

func (c *call) tellSound(v app.VerifyStep) {
	fmt.Fprintf(c.out, "The book is sound: %d records, %d accounts.\n", v.Records, v.Accounts)
	for _, unit := range slices.Sorted(maps.Keys(v.Totals)) {
		fmt.Fprintf(c.out, "In circulation: %s %s\n", v.Totals[unit].Text, unit)
	}
	if v.Signed+v.Mandated+v.Office+v.Unsigned > 0 {
		fmt.Fprintf(c.out, "Taken from wallets: %d times with a signature of their owner, %d times by a mandate, %d times by the operator, %d times with none of these.\n", v.Signed, v.Mandated, v.Office, v.Unsigned)
	}
	if len(v.Strange) > 0 {
		fmt.Fprintf(c.out, "The last begin with the records %v. Networks outside take back money so; anything else is theft.\n", v.Strange[:min(5, len(v.Strange))])
	}
	if v.OldRefusals > 0 {
		fmt.Fprintf(c.out, "%d refusals are from a version that did not bind their ids: whether those were changed cannot be told.\n", v.OldRefusals)
	}
	for _, unit := range v.LooseUnits {
		fmt.Fprintf(c.out, "How many digits %s has is bound by no record yet: the next account that is opened in it does so. Compare them with [ledger] in the configuration.\n", unit)
	}
	if v.Passed && c.ledger.noted != "" {
		fmt.Fprintln(c.out, "The hash that was noted is in it.")
	}
	if v.Records > 0 {
		fmt.Fprintf(c.out, "Newest record: %d, of %s. Note its hash elsewhere, for -noted:\n%s\n", v.Newest, time.UnixMicro(v.Newest).UTC().Format("2006-01-02 15:04:05 UTC"), v.Hash)
	}
}

var ledgerList = subcommand{
	name: "ledger list", summary: "lists the accounts of the book and where they stand, now or at a time",
	help: ledgerBrief,
	flags: func(c *call, set *flag.FlagSet) {
		jsonFlag(c, set)
		databaseFlag(c, set)
		atFlag(c, set)
	},
	run: func(ctx context.Context, c *call, _ []string) error {
		at, err := moment(c.ledger.at)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', tabwriter.AlignRight)
		for after := ""; ; {
			var page []app.LedgerAccount
			if err := c.askBook(ctx, "ledger/accounts", app.LedgerArgs{At: at, After: after}, &page); err != nil {
				return err
			}
			for _, one := range page {
				after = one.Name
				if err := c.row(table, one, one.Balance.Text, one.Unit, one.Held.Text, one.State, " "+one.Name); err != nil {
					return err
				}
			}
			if len(page) < app.LedgerPage {
				return table.Flush()
			}
		}
	},
}

// row writes a line of a table, or the value as JSON.
func (c *call) row(table io.Writer, value any, cells ...string) error {
	if c.json {
		return json.NewEncoder(c.out).Encode(value)
	}
	_, err := fmt.Fprintln(table, strings.Join(cells, "\t"))
	return err
}

// askBook reads something of the ledger that is one value.
func (c *call) askBook(ctx context.Context, name string, args, result any) error {
	var out bytes.Buffer
	if err := c.book(ctx, name, args, &out); err != nil {
		return err
	}
	return json.Unmarshal(out.Bytes(), result)
}

var ledgerStatement = subcommand{
	name: "ledger statement", usage: "ACCOUNT", summary: "prints what was moved on an account, the newest first",
	help:  ledgerBrief,
	flags: func(c *call, set *flag.FlagSet) { jsonFlag(c, set); databaseFlag(c, set) },
	run: func(ctx context.Context, c *call, args []string) error {
		name, err := one(args)
		if err != nil {
			return errors.New("the name of an account is needed; ledger list tells them")
		}
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', tabwriter.AlignRight)
		for before := int64(0); ; {
			var page []app.LedgerLine
			if err := c.askBook(ctx, "ledger/statement", app.LedgerArgs{Account: name, Before: before}, &page); err != nil {
				return err
			}
			for _, l := range page {
				before = l.Number
				err := c.row(table, l, l.Time.Format(time.DateTime), l.Kind, l.Change.Text, l.Balance.Text, l.Held.Text, " "+l.Other, " "+l.ID, " "+quoted(l.About))
				if err != nil {
					return err
				}
			}
			if len(page) < app.LedgerPage {
				return table.Flush()
			}
		}
	},
}

// quoted shows what a stranger has written so that it steers no terminal.
func quoted(text string) string {
	if text == "" {
		return ""
	}
	return fmt.Sprintf("%q", text)
}

var ledgerBalance = subcommand{
	name: "ledger balance", summary: "prints the trial balance: what accounts of each class have, by unit, now or at a time",
	help: "The balances of a unit together are zero: what people have is what the accounts of the world outside owe.\n" + ledgerBrief,
	flags: func(c *call, set *flag.FlagSet) {
		jsonFlag(c, set)
		databaseFlag(c, set)
		atFlag(c, set)
	},
	run: func(ctx context.Context, c *call, _ []string) error {
		at, err := moment(c.ledger.at)
		if err != nil {
			return err
		}
		var totals []app.LedgerTotal
		if err := c.askBook(ctx, "ledger/totals", app.LedgerArgs{At: at}, &totals); err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', tabwriter.AlignRight)
		for _, t := range totals {
			if err := c.row(table, t, t.Unit, t.Class, fmt.Sprint(t.Accounts), t.Balance.Text, t.Held.Text+" "); err != nil {
				return err
			}
		}
		return table.Flush()
	},
}

var ledgerExport = subcommand{
	name: "ledger export", usage: "[FILE]", summary: "writes all records of a time as CSV, for an accountant",
	help: `Without FILE it writes to the standard output. -since is in it, -until is not: -since 2026-11-01 -until 2026-12-01 is November (UTC). What was refused is among the
records, with the reason. It is in the audit log (pay audit), but of another database. ` + ledgerBrief,
	flags: func(c *call, set *flag.FlagSet) {
		databaseFlag(c, set)
		asFlag(c, set)
		set.StringVar(&c.ledger.since, "since", "", "from this `time` on: a day, or 2026-11-22T12:00:00Z")
		set.StringVar(&c.ledger.until, "until", "", "before this `time`")
	},
	run: func(ctx context.Context, c *call, args []string) error {
		since, err := moment(c.ledger.since)
		if err != nil {
			return err
		}
		until, err := moment(c.ledger.until)
		if err != nil {
			return err
		}
		write := func(w io.Writer) error {
			return c.book(ctx, "ledger/export", app.LedgerArgs{Since: since, Until: until, As: c.as}, w)
		}
		if len(args) == 0 {
			return write(c.out)
		}
		return c.toFile(args[0], write)
	},
}

func atFlag(c *call, set *flag.FlagSet) {
	set.StringVar(&c.ledger.at, "at", "", "as of this `time`: a day, or 2026-11-22T12:00:00Z (UTC); without it, now")
}

// moment reads a day or a time; empty is the zero time.
func moment(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time: write 2026-11-22 or 2026-11-22T12:00:00Z", text)
}
