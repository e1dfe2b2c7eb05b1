// Command load puts a server under load as many devices would, and measures what it costs the server: processor time per unit of work,
// read from the operating system for the server's processes, and what the devices see. It speaks XMPP through package client, so any
// server can be measured with it. It only connects to loopback addresses.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
)

// scenarios are what load can do, by name.
var scenarios = map[string]struct {
	help string
	run  func(ctx context.Context, t target, args []string) (any, error)
}{
	"chat":         {"pairs of devices send each other messages as fast as the server acknowledges them", runChat},
	"idle":         {"sessions that only are there: memory of the server for each", runIdle},
	"hold":         {"the part of idle that holds sessions until standard input ends", runHold},
	"login":        {"logins one after another: how many a second, and what each costs the server", runLogin},
	"storm":        {"all connections break at once: how long until all sessions are back, and what it costs", runStorm},
	"fanout":       {"rooms of several sizes: what a message costs that goes to all members", runFanout},
	"channel":      {"one publishes, many follow: how long until all that are online have a post, and what it costs", runBroadcast},
	"backlog":      {"a device reads a long archive: the last 50 of each of 200 chats, then 10,000 in pages", runBacklog},
	"bytes":        {"what is sent and received, before encryption, for a login, a return, and a message", runBytes},
	"ledger":       {"transfers between accounts of a ledger, Palabre's in this process or another one: how many a second, and what each costs", runLedger},
	"ledger-serve": {"the part of ledger that serves Palabre's over HTTP until it is ended", runLedgerServe},
	"relay":        {"the floor: a relay in Go that carries frames between pairs of connections and knows no XML", runRelay},
	"relayed":      {"the part of relay that is measured", runRelayed},
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	t := target{keys: &keyring{}}
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&t.server, "server", "127.0.0.1:5222", "host:port of the server, or a ws address")
	flags.StringVar(&t.tls, "tls", "127.0.0.1:5223", "host:port of the server for TLS from the first byte")
	flags.StringVar(&t.method, "method", "starttls", "starttls, tls, plain or websocket")
	flags.StringVar(&t.domain, "domain", "localhost", "the server's domain")
	flags.StringVar(&t.password, "password", "bench-secret", "password of all accounts")
	flags.StringVar(&t.prefix, "prefix", "u", "accounts are named by this and a number from 0")
	flags.Func("pid", "a process of the server; its children count too; may be given several times", t.addPID)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: load [flags] SCENARIO [flags of the scenario]")
		flags.PrintDefaults()
		for name, s := range scenarios {
			fmt.Fprintf(flags.Output(), "  %-8s %s\n", name, s.help)
		}
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	scenario, ok := scenarios[flags.Arg(0)]
	if !ok {
		flags.Usage()
		return fmt.Errorf("no scenario %q", flags.Arg(0))
	}
	if err := t.check(); err != nil {
		return err
	}
	result, err := scenario.run(ctx, t, flags.Args()[1:])
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(result)
}

// check refuses to load anything but this machine.
func (t *target) check() error {
	host, _, err := net.SplitHostPort(t.server)
	if err != nil {
		return fmt.Errorf("-server: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("-server: %s is not a loopback address", host)
	}
	return nil
}
