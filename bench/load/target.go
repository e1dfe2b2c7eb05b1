package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"sync"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// target is the server under load, and who logs in there.
type target struct {
	server, tls, method, domain, password, prefix string
	pids                                          []int
	keys                                          *keyring
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
	cfg.Keys, cfg.OnKeys = t.keys.get(), t.keys.put
	cfg.Dial = dialerOf(n).DialContext
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

// perAddress is how many devices share a source address: one address has no more than about 28,000 ports, and those of closed
// connections are taken for a minute.
const perAddress = 5000

// dialerOf spreads devices over the loopback network, 127.0.0.0/8.
func dialerOf(n int) *net.Dialer {
	block := n/perAddress + 2
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, byte(block>>8), byte(block))}}
}

// keyring keeps what SCRAM derived at the first login, so that the others cost this side little. It helps where all accounts share
// their salt, as those of command seed do; for other salts a client derives its own.
type keyring struct {
	mu   sync.Mutex // guards keys
	keys sasl.Keys
}

func (k *keyring) get() sasl.Keys {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys
}

func (k *keyring) put(keys sasl.Keys) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys = keys
}

// connectAll logs devices in and makes them available, at most so many at a time.
func connectAll(ctx context.Context, devices []*client.Client, atOnce int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	room := make(chan struct{}, atOnce)
	var under sync.WaitGroup
	for i, device := range devices {
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		under.Go(func() {
			defer func() { <-room }()
			err := device.Connect(ctx)
			if err == nil {
				err = device.SetPresence(ctx, client.Presence{})
			}
			if err != nil {
				cancel(fmt.Errorf("device %d: %w", i, err))
			}
		})
	}
	under.Wait()
	return context.Cause(ctx)
}

// warm logs one device in and out, so that the keyring is filled and the server's code has run.
func warm(ctx context.Context, t target, n int) error {
	device, err := client.New(t.config(n))
	if err != nil {
		return err
	}
	defer device.Close()
	return device.Connect(ctx)
}

// closeAll ends sessions in order, many at a time.
func closeAll(devices []*client.Client) {
	room := make(chan struct{}, 64)
	var under sync.WaitGroup
	for _, device := range devices {
		if device == nil {
			continue
		}
		room <- struct{}{}
		under.Go(func() {
			device.Close()
			<-room
		})
	}
	under.Wait()
}
