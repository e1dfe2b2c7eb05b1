package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"palabre.dev/palabre/app"
	"palabre.dev/palabre/store"
)

var serve = subcommand{
	name: "serve", summary: "runs the server until it is told to stop",
	help: "Without a configuration file it serves the domain localhost from ./data, with certificates of its own authority. While there is no\naccount it prints an invitation for the first one, which becomes the administrator. SIGTERM and Ctrl-C stop it in order.",
	flags: func(c *call, set *flag.FlagSet) {
		set.BoolVar(&c.standby, "standby", false, "while another server has the database, wait, and take over when it is gone")
	},
	run: runServe,
}

func runServe(ctx context.Context, c *call, _ []string) error {
	log := c.cfg.Log.Logger()
	server, err := app.Open(ctx, c.cfg, log)
	if c.standby && mayComeFree(err) {
		fmt.Fprintln(c.out, "Another server has the database; waiting to take over.")
		server, err = takeOver(ctx, c, log)
	}
	if c.standby && errors.Is(err, context.Canceled) {
		return nil // told to stop before there was anything to do
	}
	if err != nil {
		return err
	}
	return server.Serve(ctx, func() { greet(ctx, c, server) })
}

// standbyPause is between two looks at whether the database is free.
const standbyPause = 500 * time.Millisecond

// takeOver opens the server as soon as the one that has the database is gone, or the database itself is back; it ends with ctx.
func takeOver(ctx context.Context, c *call, log *slog.Logger) (*app.App, error) {
	ticks := time.NewTicker(standbyPause)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticks.C:
		}
		server, err := app.Open(ctx, c.cfg, log)
		if err == nil {
			log.Info("took over")
		}
		if !mayComeFree(err) {
			return server, err
		}
	}
}

// mayComeFree reports whether waiting helps: another server has the database, or the database is away.
func mayComeFree(err error) bool {
	return errors.Is(err, store.ErrLocked) || errors.Is(err, store.ErrUnavailable)
}

// greet tells a person at a terminal what to do next.
func greet(ctx context.Context, c *call, server *app.App) {
	fmt.Fprintf(c.out, "\nPalabre serves %s\n\n", c.cfg.Domain)
	for _, place := range server.Places() {
		fmt.Fprintf(c.out, "  %-20s %s\n", place.For, place.Address)
	}
	link, needed, err := server.FirstInvite(ctx)
	if err != nil {
		fmt.Fprintln(c.err, "palabre: no invitation for the first account:", err)
		return
	}
	if needed {
		fmt.Fprintf(c.out, "\nMake the first account, the administrator's, within a week:\n\n  in a browser  %s\n  in an app     %s\n", link.Web, link.URI)
		fmt.Fprintf(c.out, "\nor here:  palabre account add --admin NAME\n")
	}
	fmt.Fprint(c.out, "\nTo connect an app (Conversations, Monal, Gajim, Dino, Profanity …), log in as NAME@", c.cfg.Domain, port(c.cfg.C2S.Listen), ".\n")
	if c.cfg.TLS.Source == "own" {
		fmt.Fprintf(c.out, "The certificate is signed by Palabre itself: %s/ca tells how to trust it.\n", c.cfg.HTTP.Public(c.cfg.Domain))
	}
	fmt.Fprint(c.out, "palabre invite makes links for others; palabre doctor looks for what is wrong.\n\n")
}

// port says which port to give an app when it is not the usual one.
func port(listen []string) string {
	if len(listen) == 0 {
		return ""
	}
	_, text, err := net.SplitHostPort(listen[0])
	if n, e := strconv.Atoi(text); err != nil || e != nil || n == 5222 {
		return ""
	}
	return " with port " + text
}
