package main

import (
	"context"
	"fmt"

	"palabre.dev/palabre/app"
)

var payServe = subcommand{
	name: "pay", summary: "serves payments alone, as a component of another XMPP server",
	help: "It needs [pay] with a unit, and [pay.server] with the address at which the other server waits for components and the secret they share; domain is\nthat of the server's accounts. docs/payments.md has configurations for Prosody and ejabberd. SIGTERM and Ctrl-C stop it in order.",
	run:  runPay,
}

func runPay(ctx context.Context, c *call, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("there is no command %q; see palabre help pay", "pay "+args[0])
	}
	service, err := app.OpenPay(ctx, c.cfg, c.cfg.Log.Logger())
	if err != nil {
		return err
	}
	return service.Serve(ctx, func() {
		fmt.Fprintf(c.out, "\nPalabre serves payments for %s\n\n", c.cfg.Domain)
		for _, place := range service.Places() {
			fmt.Fprintf(c.out, "  %-20s %s\n", place.For, place.Address)
		}
		fmt.Fprintln(c.out)
	})
}
