// Command palabre-bank is a bank in the conversation, with the example bank's ledger behind it: the template for a program that connects a real bank
// (business/bank/README.md). It runs beside any XMPP server on which the bank has an account; the server needs to know nothing of it.
package main

import (
	"context"
	"encoding/base32"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"palabre.dev/palabre/business/bank"
	"palabre.dev/palabre/business/bank/example"
	"palabre.dev/palabre/client"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

// options are what the command line says.
type options struct {
	account, passwordFile, server, data, customers, unit string
	cfg                                                  bank.Config
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && ctx.Err() == nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "palabre-bank:", err)
		stop()
		os.Exit(1)
	}
}

func read(args []string) (o options, err error) {
	o.cfg = bank.DefaultConfig()
	set := flag.NewFlagSet("palabre-bank", flag.ContinueOnError)
	set.StringVar(&o.account, "account", "", "the bank's `address`, such as bank@example.org")
	set.StringVar(&o.passwordFile, "password-file", "", "the `file` whose first line is its password")
	set.StringVar(&o.server, "server", "", "`host:port` of the server; looked up otherwise")
	set.StringVar(&o.data, "data", "bank-data", "the `folder` for the ledger and the keys")
	set.StringVar(&o.customers, "customers", "", "a CSV `file`: address, number, name, what is on the account at first (minor units), authenticator secret (base32)")
	set.StringVar(&o.unit, "unit", "EUR", "the `unit` of all accounts")
	set.StringVar(&o.cfg.Name, "name", o.cfg.Name, "what the bank calls itself")
	set.Int64Var(&o.cfg.StepUp, "step-up", o.cfg.StepUp, "above this `amount` (minor units) a code is asked for")
	set.Int64Var(&o.cfg.MaxTransfer, "max-transfer", o.cfg.MaxTransfer, "the largest `amount` of one order")
	set.Int64Var(&o.cfg.MaxDay, "max-day", o.cfg.MaxDay, "the largest `amount` of 24 hours")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	if o.account == "" || o.passwordFile == "" {
		return o, errors.New("-account and -password-file are needed")
	}
	return o, o.cfg.Validate()
}

func run(ctx context.Context, args []string) (err error) {
	o, err := read(args)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	account, err := login(o)
	if err != nil {
		return err
	}
	account.Log = log
	if err := os.MkdirAll(o.data, 0o700); err != nil {
		return err
	}
	cfg := store.DefaultConfig()
	cfg.URL = "sqlite:" + filepath.Join(o.data, "bank.db")
	db, err := store.Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	keys, err := omemo.OpenFile(filepath.Join(o.data, "keys"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, keys.Close()) }()
	book, err := ledger.New(ctx, ledger.DefaultConfig(), db, log)
	if err != nil {
		return err
	}
	defer book.Close()
	books, err := example.New(ctx, db, book, o.unit)
	if err != nil {
		return err
	}
	if err := addCustomers(ctx, books, o.customers); err != nil {
		return err
	}
	bot, err := bank.New(ctx, o.cfg, db, keys, books, bank.TOTP{Secret: books.Secret}, log)
	if err != nil {
		return err
	}
	return bot.Run(ctx, account)
}

func login(o options) (client.Config, error) {
	jid, err := xmpp.ParseJID(o.account)
	if err != nil {
		return client.Config{}, fmt.Errorf("-account: %w", err)
	}
	text, err := os.ReadFile(o.passwordFile)
	if err != nil {
		return client.Config{}, err
	}
	password, _, _ := strings.Cut(string(text), "\n")
	return client.Config{JID: jid, Password: strings.TrimRight(password, "\r"), Server: o.server, Software: "palabre-bank"}, nil
}

// addCustomers reads a file of customers; those who are there are left alone.
func addCustomers(ctx context.Context, books *example.Bank, path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	rows := csv.NewReader(file)
	rows.FieldsPerRecord = 5
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read customers: %w", err)
		}
		jid, err := xmpp.ParseJID(row[0])
		if err != nil {
			return fmt.Errorf("customer %q: %w", row[0], err)
		}
		begin, err := strconv.ParseInt(row[3], 10, 64)
		if err != nil || begin < 0 {
			return fmt.Errorf("customer %s: %q is no amount in minor units", jid, row[3])
		}
		secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(strings.TrimRight(row[4], "=")))
		if err != nil {
			return fmt.Errorf("customer %s: the secret is not base32", jid)
		}
		if err := books.Add(ctx, example.Customer{Address: jid.Bare().String(), Number: row[1], Name: row[2], Begin: begin, Secret: secret}); err != nil {
			return err
		}
	}
}
