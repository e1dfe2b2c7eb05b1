// Command give puts money into wallets for the end-to-end tests, before the server that they are of runs for the first time.
//
//	give -db DATA/palabre.db UNIT ADDRESS AMOUNT [ADDRESS AMOUNT]…
//
// An amount is in the smallest part of the unit. An operator issues money by two administrators (palabre pay issue), of whom the tests have none.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
)

func main() {
	path := flag.String("db", "", "the database of the server")
	flag.Parse()
	if err := give(context.Background(), *path, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "give:", err)
		os.Exit(1)
	}
}

// give opens the wallets and issues what they shall have.
func give(ctx context.Context, path string, args []string) error {
	if path == "" || len(args) < 3 || len(args)%2 == 0 {
		return errors.New("usage: give -db DATABASE UNIT ADDRESS AMOUNT …")
	}
	operations, err := operations(args[0], args[1:])
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	cfg, log := store.DefaultConfig(), slog.New(slog.DiscardHandler)
	cfg.URL = "sqlite:" + path
	db, err := store.Open(ctx, cfg, log)
	if err != nil {
		return err
	}
	book, err := ledger.New(ctx, ledger.DefaultConfig(), db, log)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	_, err = book.Post(ctx, nil, operations...)
	book.Close()
	return errors.Join(err, db.Close())
}

func operations(unit string, pairs []string) ([]ledger.Operation, error) {
	issue := pay.IssueAccount(unit)
	all := []ledger.Operation{{ID: "open-issue", Kind: ledger.Opening, From: issue, Unit: unit, Floor: ledger.Unbounded}}
	for i := 0; i < len(pairs); i += 2 {
		who, err := xmpp.ParseJID(pairs[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pairs[i], err)
		}
		amount, err := strconv.ParseInt(pairs[i+1], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pairs[i+1], err)
		}
		wallet, n := pay.WalletAccount(unit, who), strconv.Itoa(i)
		all = append(all, ledger.Operation{ID: "open-" + n, Kind: ledger.Opening, From: wallet, Unit: unit},
			ledger.Operation{ID: "give-" + n, Kind: ledger.Transfer, From: issue, To: wallet, Amount: amount, Unit: unit})
	}
	return all, nil
}
