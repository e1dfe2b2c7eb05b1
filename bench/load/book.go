package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"palabre.dev/palabre/payments/ledger"
	"palabre.dev/palabre/store"
)

// perAccount is what each account begins with, in minor units.
const perAccount = 1_000_000

func accountName(n int) string { return "wallet/EUR/u" + strconv.Itoa(n) + "@localhost" }

// openBook opens the ledger of an address. It refuses whatever is not on this machine.
func openBook(ctx context.Context, at string, inFlight int) (book, error) {
	if strings.HasPrefix(at, "sqlite:") {
		return openEngine(ctx, at)
	}
	u, err := url.Parse(at)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(u.Hostname()); ip == nil || !ip.IsLoopback() {
		return nil, fmt.Errorf("-at: %s is not a loopback address", u.Hostname())
	}
	kind, rest, _ := strings.Cut(at, "+")
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: inFlight, MaxIdleConnsPerHost: inFlight}, Timeout: 10 * time.Minute}
	switch {
	case strings.HasPrefix(at, "postgres://"):
		return openEngine(ctx, at)
	case kind == "palabre":
		return &servedBook{rest, client}, nil
	case kind == "formance":
		return &formance{rest, client}, nil
	case kind == "pgledger":
		return openPgledger(ctx, rest)
	}
	return nil, fmt.Errorf("-at: %s is no ledger that is known here", at)
}

// engine is Palabre's ledger in this process.
type engine struct {
	db *store.DB
	l  *ledger.Ledger
}

func openEngine(ctx context.Context, url string) (*engine, error) {
	log := slog.New(slog.DiscardHandler)
	cfg := store.DefaultConfig()
	cfg.URL = url
	db, err := store.Open(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	l, err := ledger.New(ctx, ledger.DefaultConfig(), db, log)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &engine{db, l}, nil
}

func (e *engine) inside() bool { return true }

func (e *engine) close() error {
	e.l.Close()
	return e.db.Close()
}

func (e *engine) fill(ctx context.Context, accounts int) error {
	open := ledger.Operation{ID: "world", Kind: ledger.Opening, From: "world", Unit: "EUR", Floor: ledger.Unbounded}
	if _, err := e.l.Post(ctx, nil, open); err != nil {
		return err
	}
	for i := 0; i < accounts; i += ledger.MaxLinked / 2 {
		some := make([]ledger.Operation, 0, ledger.MaxLinked)
		for j := i; j < min(accounts, i+ledger.MaxLinked/2); j++ {
			some = append(some, ledger.Operation{ID: "open-" + strconv.Itoa(j), Kind: ledger.Opening, From: accountName(j), Unit: "EUR"},
				ledger.Operation{ID: "fill-" + strconv.Itoa(j), Kind: ledger.Transfer, From: "world", To: accountName(j), Amount: perAccount, Unit: "EUR"})
		}
		if _, err := e.l.Post(ctx, nil, some...); err != nil {
			return err
		}
	}
	return nil
}

func (e *engine) move(ctx context.Context, id string, from, to int) error {
	_, err := e.l.Post(ctx, nil, ledger.Operation{ID: id, Kind: ledger.Transfer, From: accountName(from), To: accountName(to), Amount: 1, Unit: "EUR"})
	return err
}

// transferAsked is what the small server of runLedgerServe is asked.
type transferAsked struct {
	ID   string `json:"id"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// runLedgerServe serves Palabre's ledger over HTTP with JSON, a transfer for each request, as other ledgers are asked. It is no door of Palabre's: it is here so
// that what HTTP costs is in the comparison.
func runLedgerServe(ctx context.Context, _ target, args []string) (any, error) {
	flags := flag.NewFlagSet("ledger-serve", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "loopback address")
	database := flags.String("store", "sqlite::memory:", "the database")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	e, err := openEngine(ctx, *database)
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /fill", func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(r.URL.Query().Get("accounts"))
		if err == nil {
			err = e.fill(r.Context(), n)
		}
		answer(w, struct{}{}, err)
	})
	mux.HandleFunc("POST /transfers", func(w http.ResponseWriter, r *http.Request) {
		var asked transferAsked
		if err := json.NewDecoder(io.LimitReader(r.Body, 1<<16)).Decode(&asked); err != nil {
			answer(w, nil, err)
			return
		}
		answer(w, asked, e.move(r.Context(), asked.ID, asked.From, asked.To))
	})
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	var stopped sync.WaitGroup
	stopped.Go(func() {
		<-ctx.Done()
		server.Close()
	})
	err = server.ListenAndServe()
	stopped.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return struct{}{}, errors.Join(err, e.close())
}

func answer(w http.ResponseWriter, value any, err error) {
	if err == nil {
		err = json.NewEncoder(w).Encode(value)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

// servedBook is what runLedgerServe serves.
type servedBook struct {
	at     string
	client *http.Client
}

func (s *servedBook) inside() bool { return false }
func (s *servedBook) close() error { return nil }

func (s *servedBook) fill(ctx context.Context, accounts int) error {
	return post(ctx, s.client, s.at+"/fill?accounts="+strconv.Itoa(accounts), "", struct{}{})
}

func (s *servedBook) move(ctx context.Context, id string, from, to int) error {
	return post(ctx, s.client, s.at+"/transfers", "", transferAsked{id, from, to})
}

// formance is Formance Ledger 2 with its HTTP interface, a transaction for each request. The address is that of a ledger in it.
type formance struct {
	at     string
	client *http.Client
}

type posting struct {
	Source      string `json:"source"`
	Destination string `json:"destination"`
	Amount      int64  `json:"amount"`
	Asset       string `json:"asset"`
}

type postings struct {
	Postings []posting `json:"postings"`
}

func (f *formance) inside() bool { return false }
func (f *formance) close() error { return nil }

func (f *formance) fill(ctx context.Context, accounts int) error {
	for i := 0; i < accounts; i += 100 {
		var some postings
		for j := i; j < min(accounts, i+100); j++ {
			some.Postings = append(some.Postings, posting{"world", "users:" + strconv.Itoa(j), perAccount, "EUR/2"})
		}
		if err := post(ctx, f.client, f.at+"/transactions", "fill-"+strconv.Itoa(i), some); err != nil {
			return err
		}
	}
	return nil
}

func (f *formance) move(ctx context.Context, id string, from, to int) error {
	one := postings{[]posting{{"users:" + strconv.Itoa(from), "users:" + strconv.Itoa(to), 1, "EUR/2"}}}
	return post(ctx, f.client, f.at+"/transactions", id, one)
}

// post sends JSON, and takes anything but success for an error.
func post(ctx context.Context, client *http.Client, at, key string, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err := errors.Join(err, response.Body.Close()); err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("%s: %.200s", response.Status, text)
	}
	return nil
}

// pgledgerConnections is how many connections ask at once: more of them make it slower on two processors.
const pgledgerConnections = 32

// pgledger is a ledger in functions of PostgreSQL. The id is kept as metadata; it does not make a transfer idempotent there.
type pgledger struct {
	pool *pgxpool.Pool
	ids  []string
}

func openPgledger(ctx context.Context, url string) (*pgledger, error) {
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	cfg.MaxConns = pgledgerConnections
	pool, err := pgxpool.NewWithConfig(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &pgledger{pool: pool}, nil
}

func (p *pgledger) inside() bool { return false }

func (p *pgledger) close() error {
	p.pool.Close()
	return nil
}

func (p *pgledger) fill(ctx context.Context, accounts int) error {
	var world string
	if err := p.pool.QueryRow(ctx, "select id from pgledger_create_account('world', 'EUR')").Scan(&world); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		for i := range accounts {
			var id string
			if err := tx.QueryRow(ctx, "select id from pgledger_create_account($1, 'EUR', allow_negative_balance => false)", accountName(i)).Scan(&id); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, "select id from pgledger_create_transfer($1, $2, $3)", world, id, perAccount); err != nil {
				return err
			}
			p.ids = append(p.ids, id)
		}
		return nil
	})
}

func (p *pgledger) move(ctx context.Context, id string, from, to int) error {
	_, err := p.pool.Exec(ctx, "select id from pgledger_create_transfer($1, $2, 1, metadata => jsonb_build_object('id', $3::text))", p.ids[from], p.ids[to], id)
	return err
}
