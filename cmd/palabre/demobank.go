package main

import (
	"context"
	"errors"
	"path/filepath"

	"palabre.dev/palabre/business/bank"
	"palabre.dev/palabre/business/bank/example"
	"palabre.dev/palabre/business/demo"
	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
)

// openBank makes the scene's bank, with a ledger of its own beside the server's database, and what has come and gone on its accounts.
func (d *demonstration) openBank(ctx context.Context) (bot *bank.Bot, end func(), err error) {
	log := d.cfg.Log.Logger()
	cfg := store.DefaultConfig()
	cfg.URL = "sqlite:" + filepath.Join(d.cfg.Data, "bank.db")
	db, err := store.Open(ctx, cfg, log)
	if err != nil {
		return nil, nil, err
	}
	book, err := ledger.New(ctx, ledger.DefaultConfig(), db, log)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	keys, err := omemo.OpenFile(filepath.Join(d.cfg.Data, "bank.keys"))
	if err != nil {
		book.Close()
		return nil, nil, errors.Join(err, db.Close())
	}
	end = func() {
		book.Close()
		if err := errors.Join(keys.Close(), db.Close()); err != nil {
			log.Warn("the bank is not closed in order", "err", err)
		}
	}
	books, err := example.New(ctx, db, book, demoUnit)
	if err == nil {
		err = d.openAccounts(ctx, books)
	}
	if err == nil {
		settings := bank.DefaultConfig()
		settings.Name = "Banque de la Place"
		settings.NewDevice = 0 // whoever tries it opens several browsers
		bot, err = bank.New(ctx, settings, db, keys, books, example.FixedCode(d.notes.Code), log)
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return bot, end, nil
}

// openAccounts opens the accounts of the scene, once, and makes the payments of the last days.
func (d *demonstration) openAccounts(ctx context.Context, books *example.Bank) error {
	numbers := map[string]string{"karim": "SE1001", "nadia": "SE1002", "lucie": "SE1003", "omar": "SE1004", "joao": "SE1005", "amina": "SE1006", demo.Fishmonger: "SE2001",
		demo.TownHall: "SE3001"}
	for _, p := range demo.People {
		if number, ok := numbers[p.Name]; ok {
			if err := books.Add(ctx, example.Customer{Address: p.Name + "@" + d.cfg.Domain, Number: number, Name: p.Title, Begin: 320_000}); err != nil {
				return err
			}
		}
	}
	for _, p := range []struct {
		id, from, to string
		amount       int64
		about        string
	}{
		{"demo-1", "", "SE1001", 850_000, "Salary"}, {"demo-2", "SE1001", "SE2001", 14_000, "Sea bream"}, {"demo-3", "SE1002", "SE1001", 7_000, "Bread and lemons"},
		{"demo-4", "SE1001", "SE1004", 30_000, "Drill"}, {"demo-5", "SE1001", "SE3001", 6_250, "Water"}, {"demo-6", "SE1005", "SE1001", 9_000, "Dinner"},
	} {
		if err := books.Pay(ctx, p.id, p.from, p.to, p.amount, p.about); err != nil {
			return err
		}
	}
	return nil
}
