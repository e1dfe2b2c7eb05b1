// Command seed fills a server that is about to be measured: accounts without the cost of thousands of password derivations, and archives
// of any size. Palabre's rows go in through store, as the server's own do; for peers it prints what their tables need. All accounts share
// one salt, so that a load tool derives its keys once. Such accounts are for measurements on a loopback address, never for people.
package main

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"flag"
	"fmt"
	"log/slog"
	"os"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp/sasl"
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "seed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	s := &seeder{}
	flags := flag.NewFlagSet("seed", flag.ContinueOnError)
	flags.StringVar(&s.domain, "domain", "localhost", "the server's domain")
	flags.StringVar(&s.password, "password", "bench-secret", "password of all accounts")
	url := flags.String("store", "", "Palabre's database: sqlite:PATH or postgres://…")
	flags.IntVar(&s.accounts, "accounts", 100, "accounts u0, u1 … to make")
	flags.IntVar(&s.rows, "rows", 0, "archived messages to spread over these accounts")
	flags.IntVar(&s.backlog, "backlog", 0, "archived messages of the account u0, in 200 chats with c0 … c199")
	flags.IntVar(&s.followers, "followers", 0, "accounts that follow the channel bench, which u0 owns")
	iterations := flags.Int("scram", 0, "print salt, stored key and server key for SCRAM-SHA-1 with so many iterations, in base64 and hex, and end")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *iterations > 0 {
		return printKeys(s.password, *iterations)
	}
	db, err := store.Open(ctx, configOf(*url), slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	s.db = db
	if err := s.fill(ctx); err != nil {
		return err
	}
	return db.Close()
}

func configOf(url string) store.Config {
	cfg := store.DefaultConfig()
	cfg.URL = url
	return cfg
}

// printKeys is for peers: one line in base64, one with the keys in hex.
func printKeys(password string, iterations int) error {
	c, err := sasl.NewCredential(sasl.SHA1, password, iterations)
	if err != nil {
		return err
	}
	b64 := base64.StdEncoding.EncodeToString
	fmt.Println(b64(c.Salt), b64(c.StoredKey), b64(c.ServerKey))
	fmt.Println(hex.EncodeToString(c.Salt), hex.EncodeToString(c.StoredKey), hex.EncodeToString(c.ServerKey))
	return nil
}
