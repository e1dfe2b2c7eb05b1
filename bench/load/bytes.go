package main

import (
	"context"
	"flag"
	"strings"
	"sync/atomic"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

// traffic is bytes before encryption, as the device sees it.
type traffic struct {
	Sent     int64 `json:"sent"`
	Received int64 `json:"received"`
}

type bytesResult struct {
	Login    traffic `json:"login"`
	Presence traffic `json:"presence"`
	Return   traffic `json:"return"`
	Resumed  bool    `json:"resumed"`
	Message  traffic `json:"message_sent"`
	Arrived  traffic `json:"message_received"`
}

// runBytes counts what one device sends and receives: a cold login, its first presence, a return after a lost connection (with a token
// and resumption where the server has them), a message of 200 bytes until it is acknowledged, and one that arrives.
func runBytes(ctx context.Context, t target, args []string) (any, error) {
	if err := flag.NewFlagSet("bytes", flag.ContinueOnError).Parse(args); err != nil {
		return nil, err
	}
	if err := warm(ctx, t, 0); err != nil {
		return nil, err
	}
	line, back := &meter{}, make(chan bool, 1)
	var dropped atomic.Bool
	cfg := metered(t, 0, line)
	cfg.AgentID, cfg.OnToken = "00000000-0000-4000-8000-000000000000", func(client.Token) {}
	cfg.OnState = func(state client.State) {
		if state.Online && dropped.Load() {
			back <- state.Resumed
		}
	}
	device, err := client.New(cfg)
	if err != nil {
		return nil, err
	}
	defer device.Close()
	other, err := client.New(t.config(1))
	if err != nil {
		return nil, err
	}
	defer other.Close()
	result := &bytesResult{}
	steps := []struct {
		to *traffic
		do func() error
	}{
		{&result.Login, func() error { return device.Connect(ctx) }},
		{&result.Presence, func() error { return device.SetPresence(ctx, client.Presence{}) }},
		{&result.Message, func() error { return device.SendAcked(ctx, letter(t.account(1))) }},
		{&result.Arrived, func() error { return other.SendAcked(ctx, letter(t.account(0))) }},
		{&result.Return, func() error {
			dropped.Store(true)
			device.Drop()
			select {
			case result.Resumed = <-back:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}},
	}
	if err := other.Connect(ctx); err != nil {
		return nil, err
	}
	if err := other.SetPresence(ctx, client.Presence{}); err != nil {
		return nil, err
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return nil, err
		}
		if step.to.Sent, step.to.Received, err = line.quiet(ctx); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// letter is a message of 200 bytes of text.
func letter(to xmpp.JID) *xmpp.Stanza {
	st := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", To: to}
	return st.Add(xmpp.NewText(xmpp.NSClient, "body", strings.Repeat("palabre ", 25)))
}
