package push

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/jobs"
	"palabre.dev/palabre/xmpp"
)

const (
	maxMuted   = 200 // chats of one browser
	testEvery  = 20 * time.Second
	maxCounted = 200 // chats of one account
	recordSize = 2048
)

// notice is what a browser is told (docs/protocol/web-push.md), encrypted for it.
type notice struct {
	Version int    `json:"v"`
	Count   int    `json:"count"`
	Chat    string `json:"chat,omitempty"`
	Test    bool   `json:"test,omitempty"`
}

// muted is a chat that is not to wake a browser, by its name there, until a time in seconds since 1970; 0 for good.
type muted struct {
	Chat  string `json:"chat"`
	Until int64  `json:"until,omitempty"`
	Calls bool   `json:"calls,omitempty"` // but for messages that name the account
}

// chatName is what a chat is called towards a browser: the key is its auth secret (RFC 8291 §3.2), which the push service does not have.
func (k webKeys) chatName(use, bare string) string {
	secret, err := base64.RawURLEncoding.DecodeString(k.Auth)
	if err != nil {
		return "" // checked when it subscribed
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("palabre " + use + "\x00" + bare))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12])
}

// topic makes a later wake-up for a chat replace an earlier one at the push service (RFC 8030 §5.4). It is another each day, so that the
// service sees for no longer than that that two are for the same chat.
func (k webKeys) topic(bare string, now time.Time) string {
	return k.chatName("topic "+now.UTC().Format(time.DateOnly), bare)
}

// keysOf are what a browser has given.
func (d device) keysOf() (k webKeys, err error) {
	err = json.Unmarshal([]byte(d.options), &k)
	return k, err
}

// muted reports whether a browser is not to be woken for a chat now.
func (d device) muted(from string, now time.Time) bool { return d.mutedFor(from, false, now) }

// mutedFor is muted for a message that may name the account.
func (d device) mutedFor(from string, called bool, now time.Time) bool {
	if !d.web || !strings.Contains(d.options, `"muted"`) {
		return false
	}
	k, err := d.keysOf()
	if err != nil {
		return false
	}
	name := k.chatName("chat", from)
	for _, one := range k.Muted {
		if one.Chat == name {
			return (one.Until == 0 || now.Unix() < one.Until) && !(called && one.Calls)
		}
	}
	return false
}

// readMuted reads the chats that are not to wake a browser.
func readMuted(e *xmpp.Element) ([]muted, error) {
	var all []muted
	for child := range e.Children() {
		if !child.Is(NSWeb, "muted") {
			continue
		}
		one := muted{Chat: child.Text(), Calls: child.Attr("mentions") == "true"}
		if len(all) >= maxMuted || !isBase64(one.Chat, 12) {
			return nil, xmpp.BadRequest.Because("at most %d muted chats, each 12 bytes in base64url", maxMuted)
		}
		if until := child.Attr("until"); until != "" {
			at, err := time.Parse(time.RFC3339, until)
			if err != nil {
				return nil, xmpp.BadRequest.Because("until is no time")
			}
			one.Until = at.Unix()
		}
		all = append(all, one)
	}
	return all, nil
}

// test wakes a browser once, though it is connected, so that a person sees that it works.
func (p *Push) test(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	if !r.Own() || !r.Set {
		return nil, xmpp.NotAllowed
	}
	endpoint := r.Payload.ChildText(NSWeb, "endpoint")
	devices, err := p.read(ctx, r.Account.ID)
	if err != nil {
		return nil, err
	}
	for _, d := range devices {
		if !d.web || d.service != endpoint {
			continue
		}
		if !p.counts.mayTest(r.Account.ID, time.Now()) {
			return nil, xmpp.ResourceConstraint.Because("once in %s", testEvery)
		}
		name := r.Account.JID.String() + "\n" + d.service + "\n" + d.node
		return nil, p.db.Tx(ctx, func(ctx context.Context) error { return p.jobs.Enqueue(ctx, "push_test", name, name) })
	}
	return nil, xmpp.ItemNotFound
}

// testBrowser is the worker that does that.
func (p *Push) testBrowser(ctx context.Context, job jobs.Job) error {
	d, _, err := p.find(ctx, job.Payload)
	if err != nil || d == nil {
		return err
	}
	return p.call(ctx, d, notice{Version: 1, Test: true}, "")
}

// tellBrowser is the worker that wakes a browser.
func (p *Push) tellBrowser(ctx context.Context, job jobs.Job) error {
	d, account, err := p.find(ctx, job.Payload)
	if err != nil || d == nil || p.awake(account, *d) {
		return err
	}
	from := ""
	if parts := strings.SplitN(job.Payload, "\n", 4); len(parts) == 4 {
		from = parts[3]
	}
	from, called := chatOfJob(from)
	if d.mutedFor(from, called, time.Now()) {
		return nil
	}
	k, err := d.keysOf()
	if err != nil {
		return errors.Join(jobs.ErrGiveUp, err)
	}
	return p.call(ctx, d, notice{Version: 1, Count: max(1, p.counts.of(account.ID, d.resource, from)), Chat: k.chatName("chat", from)}, k.topic(from, time.Now()))
}

// counts are how many messages have come for each device since it was there last, by chat. They are a hint: a restart begins anew.
type counts struct {
	mu    sync.Mutex // guards what follows
	chats *lru.Cache[int64, map[waking]int]
	tests *lru.Cache[int64, time.Time]
}

func newCounts() *counts {
	chats, err := lru.New[int64, map[waking]int](cachedAccounts)
	if err != nil {
		panic(fmt.Sprintf("push: %v", err)) // the size is above 0
	}
	tests, err := lru.New[int64, time.Time](cachedAccounts)
	if err != nil {
		panic(fmt.Sprintf("push: %v", err))
	}
	return &counts{chats: chats, tests: tests}
}

func (c *counts) add(account int64, resource, from string) {
	c.atLeast(account, resource, from, c.of(account, resource, from)+1)
}

// atLeast notes that so many have come.
func (c *counts) atLeast(account int64, resource, from string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, ok := c.chats.Get(account)
	if !ok {
		all = map[waking]int{}
		c.chats.Add(account, all)
	}
	key := waking{resource, from}
	if _, known := all[key]; known || len(all) < maxCounted {
		all[key] = max(all[key], n)
	}
}

func (c *counts) of(account int64, resource, from string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, _ := c.chats.Get(account)
	return all[waking{resource, from}]
}

// reset forgets what has come for a device: it is there.
func (c *counts) reset(account int64, resource string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, _ := c.chats.Get(account)
	for key := range all {
		if key.resource == resource {
			delete(all, key)
		}
	}
}

// mayTest reports whether an account may have a browser woken for a test, and notes that it does.
func (c *counts) mayTest(account int64, now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if last, ok := c.tests.Get(account); ok && now.Sub(last) < testEvery {
		return false
	}
	c.tests.Add(account, now)
	return true
}
