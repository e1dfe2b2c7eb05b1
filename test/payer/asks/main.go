// Command asks lets somebody ask for money, for tests of the page behind links: it says what the payer's app, which knows nothing of payments, shows of the notice.
//
//	asks -server HOST:PORT -ca FILE -password PASSWORD [-every day|week|month] PAYEE PAYER AMOUNT UNIT FOR
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/test/payer"
	"palabre.dev/palabre/xmpp"
)

func main() {
	server, ca, password := flag.String("server", "", "where the server is"), flag.String("ca", "", "the authority of its certificate"), flag.String("password", "", "of both")
	every := flag.String("every", "", "how often it comes, four times in all; once without it")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	body, err := ask(ctx, client.Config{Password: *password, Server: *server}, *ca, *every, flag.Args())
	if err != nil {
		fmt.Fprintln(os.Stderr, "asks:", err)
		os.Exit(1)
	}
	fmt.Println(body)
}

// ask makes the request, and is the text of the payer's notice.
func ask(ctx context.Context, cfg client.Config, ca, every string, args []string) (string, error) {
	if len(args) != 5 {
		return "", errors.New("usage: asks PAYEE PAYER AMOUNT UNIT FOR")
	}
	authority, err := os.ReadFile(ca)
	if err != nil {
		return "", err
	}
	cfg.Roots = x509.NewCertPool()
	cfg.Roots.AppendCertsFromPEM(authority)
	id, told := payer.NewID(), make(chan string, 1)
	ours, theirs := cfg, cfg
	theirs.OnMessage = func(_ context.Context, m *xmpp.Stanza) {
		if m.Child(payer.NS, "notice").Child(payer.NS, "request").Attr("id") == id && len(told) == 0 {
			told <- m.Body()
		}
	}
	payee, err := connect(ctx, ours, args[0])
	if err != nil {
		return "", err
	}
	defer payee.Close()
	poor, err := connect(ctx, theirs, args[1])
	if err != nil {
		return "", err
	}
	defer poor.Close()
	request := xmpp.NewElement(payer.NS, "request").Set("id", id).Set("payer", args[1]).Set("amount", args[2]).Set("unit", args[3]).Set("for", args[4])
	if every != "" {
		request.Set("every", every).Set("times", "4")
	}
	if _, err := payee.Set(ctx, xmpp.MustJID("pay."+payee.Account().Domain()), request); err != nil {
		return "", err
	}
	select {
	case body := <-told:
		return body, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func connect(ctx context.Context, cfg client.Config, account string) (*client.Client, error) {
	jid, err := xmpp.ParseJID(account)
	if err != nil {
		return nil, err
	}
	cfg.JID = jid
	c, err := client.New(cfg)
	if err != nil {
		return nil, err
	}
	if err := c.Connect(ctx); err != nil {
		return nil, err
	}
	return c, c.SetPresence(ctx, client.Presence{})
}
