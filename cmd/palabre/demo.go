package main

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/business/demo"
	"palabre.dev/palabre/client"
	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/payments/pay"
	"palabre.dev/palabre/xmpp"
)

var demoCommand = subcommand{
	name: "demo", summary: "runs a server that is filled with a scene, for trying it",
	help: "Friends who write to each other and share a dinner, a fishmonger, a town hall with a channel, a bank that answers in the conversation. It prints the\n" +
		"address for a browser, and the password of each. Without -data everything is gone when it ends; with it, the next run goes on there and adds nothing.\n" +
		"It takes a folder that is empty or was made by it, never one of another server.",
	flags: func(c *call, set *flag.FlagSet) {
		set.StringVar(&c.data, "data", "", "keep everything in this `folder`")
	},
	run: func(ctx context.Context, c *call, _ []string) error { return c.demo(ctx) },
}

// demoUnit is what the scene pays in: closed balances, which are nothing outside of the demonstration.
const demoUnit = "MAD"

// demoNotes is what a demonstration has to remember, in demo.json in its folder.
type demoNotes struct {
	Passwords map[string]string `json:"passwords"`
	Code      string            `json:"code"` // of the bank
}

// demonstration is one run of it.
type demonstration struct {
	c      *call
	cfg    app.Config
	notes  demoNotes
	server *app.App
}

func (c *call) demo(ctx context.Context) (err error) {
	folder := c.data
	if folder == "" {
		if folder, err = os.MkdirTemp("", "palabre-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	d := &demonstration{c: c, cfg: demoConfig(c.cfg, folder)}
	if err := d.cfg.Validate(); err != nil {
		return err
	}
	if err := d.remember(); err != nil {
		return err
	}
	if d.server, err = app.Open(ctx, d.cfg, d.cfg.Log.Logger()); err != nil {
		return err
	}
	return d.run(ctx)
}

// demoConfig is the configuration with the folder, quiet, and with a unit to pay in whose keys work at once.
func demoConfig(cfg app.Config, folder string) app.Config {
	cfg.Data = folder
	cfg.Store.URL = "sqlite:" + filepath.Join(folder, "palabre.db")
	if cfg.Log.Level == "info" {
		cfg.Log.Level = "warn"
	}
	if len(cfg.Pay.Units) == 0 {
		cfg.Pay.Units = []pay.Unit{{Code: demoUnit, Closed: true, StepUp: 20_000, Offline: 20_000}}
		cfg.Pay.NewDevice, cfg.Pay.FirstKey = 0, 0
	}
	return cfg
}

// remember reads the notes of an earlier run in the folder, or makes them.
func (d *demonstration) remember() error {
	path := filepath.Join(d.cfg.Data, "demo.json")
	text, err := os.ReadFile(path)
	if err == nil {
		return json.Unmarshal(text, &d.notes)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := os.Stat(filepath.Join(d.cfg.Data, "palabre.db")); err == nil {
		return fmt.Errorf("%s holds a server that is no demonstration: give another folder", d.cfg.Data)
	}
	d.notes = demoNotes{Passwords: map[string]string{}, Code: "246810"}
	for _, p := range demo.People {
		d.notes.Passwords[p.Name] = strings.ToLower(rand.Text()[:10])
	}
	if text, err = json.MarshalIndent(d.notes, "", "  "); err != nil {
		return err
	}
	return errors.Join(os.MkdirAll(d.cfg.Data, 0o700), os.WriteFile(path, append(text, '\n'), 0o600))
}

// run serves, fills, and runs the bank's bot until ctx ends or something fails.
func (d *demonstration) run(ctx context.Context) error {
	serving, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var live sync.WaitGroup
	err := d.server.Serve(serving, func() {
		live.Go(func() {
			if err := d.live(serving); err != nil && serving.Err() == nil {
				stop(err)
			}
		})
	})
	stop(nil)
	live.Wait()
	if cause := context.Cause(serving); ctx.Err() == nil && !errors.Is(cause, context.Canceled) {
		err = errors.Join(cause, err)
	}
	return err
}

// live is what happens beside the server.
func (d *demonstration) live(ctx context.Context) error {
	fmt.Fprintln(d.c.out, "Filling the scene …")
	limited, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	town, err := d.town(limited)
	if err != nil {
		return err
	}
	if err := demo.Fill(limited, town); err != nil {
		return err
	}
	if err := d.vouch(limited); err != nil {
		return err
	}
	bot, closeBank, err := d.openBank(ctx)
	if err != nil {
		return err
	}
	defer closeBank()
	d.greet()
	return bot.Run(ctx, town.Login(demo.Bank))
}

func (d *demonstration) town(ctx context.Context) (demo.Town, error) {
	town := demo.Town{Domain: d.cfg.Domain, Log: d.cfg.Log.Logger()}
	there := map[string]bool{}
	var all []account.Entry
	if err := d.ask(ctx, "account/list", app.ListArgs{Max: pageSize}, &all); err != nil {
		return town, err
	}
	for _, one := range all {
		there[one.Name] = true
	}
	town.Account = func(ctx context.Context, name string) error {
		if there[name] {
			return nil
		}
		return d.ask(ctx, "account/add", app.AccountArgs{Name: name, Password: d.notes.Passwords[name], Admin: name == demo.TownHall}, &app.AccountResult{})
	}
	if len(d.cfg.Pay.Units) > 0 {
		town.Unit = d.cfg.Pay.Units[0].Code
		town.Approve = func(ctx context.Context, proposal int64) error {
			return d.ask(ctx, "pay/approve", app.ProposalArgs{ID: proposal}, &[]app.Proposal{})
		}
	}
	server, err := d.door()
	if err != nil {
		return town, err
	}
	var roots *x509.CertPool
	if d.cfg.TLS.Source == "own" {
		if roots, err = rootsIn(filepath.Join(d.cfg.Data, "certificates", "own", "ca.crt")); err != nil {
			return town, err
		}
	}
	town.Login = func(name string) client.Config {
		return client.Config{JID: xmpp.MustJID(name + "@" + d.cfg.Domain), Password: d.notes.Passwords[name], Method: client.StartTLS, Server: server, Roots: roots}
	}
	return town, nil
}

// door is where the scene's people come in: the first address for apps.
func (d *demonstration) door() (string, error) {
	for _, place := range d.server.Places() {
		if place.For == "apps, STARTTLS" {
			_, port, err := net.SplitHostPort(place.Address.String())
			return net.JoinHostPort("127.0.0.1", port), err
		}
	}
	return "", errors.New("the server has no door for apps")
}

func (d *demonstration) ask(ctx context.Context, name string, args, result any) error {
	c := &call{cfg: d.cfg}
	return c.ask(ctx, name, args, result)
}

// vouch says that the channel is the town hall's.
func (d *demonstration) vouch(ctx context.Context) error {
	var all []app.Channel
	if err := d.ask(ctx, "channel/list", app.ChannelsArgs{Max: pageSize}, &all); err != nil {
		return err
	}
	for _, one := range all {
		if one.Name == demo.Channel && one.Mark != "" {
			return nil
		}
	}
	return d.ask(ctx, "channel/mark", app.MarkArgs{Name: demo.Channel, Reason: "Town hall of Saint-Elme, seen in person"}, &struct{}{})
}

// web is where a browser reaches the server: also where the configuration left the port to the system.
func (d *demonstration) web() string {
	for _, place := range d.server.Places() {
		if _, port, err := net.SplitHostPort(place.Address.String()); err == nil && place.For == "HTTPS" && d.cfg.HTTP.URL == "" {
			return "https://" + net.JoinHostPort(d.cfg.Domain, port)
		}
	}
	return d.cfg.HTTP.Public(d.cfg.Domain)
}

// greet prints who is there and how to be them.
func (d *demonstration) greet() {
	web := d.web()
	fmt.Fprintf(d.c.out, "\nThe scene is ready. In a browser, one window (or private window) for each person:\n\n  %s/signin\n\n", web)
	table := tabwriter.NewWriter(d.c.out, 0, 8, 2, ' ', 0)
	for _, p := range demo.People {
		fmt.Fprintf(table, "  %s@%s\t%s\t%s\n", p.Name, d.cfg.Domain, d.notes.Passwords[p.Name], p.Title)
	}
	if err := table.Flush(); err != nil {
		fmt.Fprintln(d.c.err, "palabre:", err)
	}
	fmt.Fprintln(d.c.out, "\nWhere it asks for earlier messages, choose Later: those of the scene are not encrypted.")
	fmt.Fprintf(d.c.out, "\nTry, as karim:\n"+
		"  pay        in the conversation with Nadia, the wallet at the top, 125, Continue; the first time it has you choose a PIN. Nadia has it at once\n"+
		"  a request  Hassan asks for 45.00 in his conversation: Pay, or Decline\n"+
		"  a bill     in “Friday dinner” three have paid: pay your part, and see who owes whom\n"+
		"  a shop     as hassan: Settings, Payments, Counter, an amount; as karim: Settings, Payments, Scan (or paste the code)\n"+
		"  the bank   write “balance”, “last five” or “send 50 to Nadia” to %s@%s (above 100.00 it asks for a code: %s)\n\n", demo.Bank, d.cfg.Domain, d.notes.Code)
	if d.cfg.TLS.Source == "own" {
		fmt.Fprintf(d.c.out, "The certificate is signed by Palabre itself: the browser asks once, and %s/ca tells how to trust it.\n", web)
	}
	if d.c.data == "" {
		fmt.Fprintln(d.c.out, "Everything is gone when this ends (Ctrl-C); -data FOLDER keeps it.")
	} else {
		fmt.Fprintln(d.c.out, "Ctrl-C ends it; what is in "+d.c.data+" stays.")
	}
}
