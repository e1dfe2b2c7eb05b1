package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"strconv"
	"sync"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// target is the server under load, and who logs in there.
type target struct {
	server, method, domain, password, prefix string
	pids                                     []int
}

func (t *target) addPID(text string) error {
	pid, err := strconv.Atoi(text)
	t.pids = append(t.pids, pid)
	return err
}

func (t *target) account(n int) xmpp.JID {
	return xmpp.MustJID(t.prefix + strconv.Itoa(n) + "@" + t.domain)
}

// sharedTLS is one configuration for all connections. The certificates of servers under measurement are their own.
var sharedTLS = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12, ClientSessionCache: tls.NewLRUClientSessionCache(0)}

// config is what one device needs.
func (t *target) config(n int) client.Config {
	cfg := client.Config{JID: t.account(n), Password: t.password, Server: t.server, TLS: sharedTLS, Lean: true, AllowPassword: true}
	switch t.method {
	case "tls":
		cfg.Method = client.DirectTLS
	case "plain":
		cfg.Method = client.Plain
	case "websocket":
		cfg.Method = client.WebSocket
	default:
		cfg.Method = client.StartTLS
	}
	return cfg
}

// keyring keeps what SCRAM derived for each account, so that a second login costs this side little.
type keyring struct {
	mu   sync.Mutex
	keys map[int]sasl.Keys
}

// connectAll logs devices in, at most so many at a time.
func connectAll(ctx context.Context, devices []*client.Client, atOnce int) error {
	errs := make(chan error, len(devices))
	room := make(chan struct{}, atOnce)
	for i, device := range devices {
		room <- struct{}{}
		go func() {
			defer func() { <-room }()
			err := device.Connect(ctx)
			if err == nil {
				err = device.SetPresence(ctx, client.Presence{})
			}
			if err != nil {
				err = fmt.Errorf("device %d: %w", i, err)
			}
			errs <- err
		}()
	}
	for range devices {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}
