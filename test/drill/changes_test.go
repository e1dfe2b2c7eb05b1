package drill

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

const (
	keys        = 12  // that a kind of change is made to in turn
	maxAccounts = 60  // each costs a login at the end
	between     = 15  // messages that are acknowledged between two changes
	maxChanges  = 400 // of one kind
)

// change is a kind of state that an answer of type result, an <a/> or an HTTP 201 acknowledges.
type change struct {
	name string
	// make gives a key the value n; every fifth n takes it away.
	make func(ctx context.Context, key string, n int) (value string, err error)
	// read returns what all keys have now.
	read func(ctx context.Context) (map[string]string, error)
	once bool // each key has one value only
	keys int  // 0 for the usual number
	most int  // changes; 0 for the usual number

	mu      sync.Mutex          // guards what follows
	allowed map[string][]string // what a key may have: the last acknowledged value, and those of unknown fate since
	acked   int
}

func removed(n int) bool { return n%5 == 4 }

// changes are made by one account.
func (d *run) changes(c *client.Client) []*change {
	return []*change{
		{name: "roster", make: d.contact(c), read: d.contacts(c)},
		{name: "subscription", make: d.subscribe(c), read: d.subscriptions(c), keys: len(accounts)},
		{name: "publishing", make: d.publish(c), read: d.published(c)},
		{name: "private", make: d.store(c), read: d.stored(c)},
		{name: "blocking", make: d.block(c), read: d.blocked(c)},
		{name: "upload", make: d.upload(c), read: d.uploads(c), once: true},
		{name: "account", make: d.account(c), read: d.accounts, once: true, most: maxAccounts},
	}
}

// apply makes changes of a kind, one after another, until sending ends and at least one of them is acknowledged.
func (d *run) apply(sending, ctx context.Context, ch *change) {
	ch.allowed = map[string][]string{}
	for n := 0; n < cmp.Or(ch.most, maxChanges) && (d.acked.reach(sending, d.acked.value()+between) == nil || ch.acked == 0 && ctx.Err() == nil); n++ {
		key := fmt.Sprintf("k%d", n%cmp.Or(ch.keys, keys))
		if ch.once {
			key = fmt.Sprintf("k%d", n)
		}
		value, err := ch.make(ctx, key, n)
		ch.note(key, value, err)
		if err != nil && !uncertain(err) {
			d.t.Errorf("%s %d: %v", ch.name, n, err)
		}
	}
}

// uncertain are the errors of a server that goes away; others must not happen.
func uncertain(err error) bool {
	var refused *xmpp.Error
	if errors.As(err, &refused) {
		return refused.Type == "wait"
	}
	return true
}

func (ch *change) note(key, value string, err error) {
	ch.mu.Lock()
	defer ch.mu.Unlock()
	if err == nil {
		ch.acked++
		ch.allowed[key] = []string{value}
		return
	}
	if len(ch.allowed[key]) == 0 {
		ch.allowed[key] = []string{""}
	}
	ch.allowed[key] = append(ch.allowed[key], value)
}

// check compares what is there with what was acknowledged.
func (d *run) check(ctx context.Context, ch *change) {
	d.t.Helper()
	has, err := ch.read(ctx)
	if err != nil {
		d.t.Fatalf("%s: %v", ch.name, err)
	}
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for key, allowed := range ch.allowed {
		if !slices.Contains(allowed, has[key]) {
			d.t.Errorf("%s: %s has %q, acknowledged %q", ch.name, key, has[key], allowed)
		}
	}
	if ch.acked == 0 {
		d.t.Errorf("%s: no change was acknowledged", ch.name)
	}
	d.t.Logf("%s: %d changes acknowledged", ch.name, ch.acked)
}

func indexOf(key string) int {
	n, err := strconv.Atoi(strings.TrimPrefix(key, "k"))
	if err != nil {
		panic(err)
	}
	return n
}

func contactOf(key string) xmpp.JID { return xmpp.MustJID(key + "@localhost") }

func (d *run) contact(c *client.Client) func(context.Context, string, int) (string, error) {
	return func(ctx context.Context, key string, n int) (string, error) {
		if removed(n) {
			err := c.RemoveContact(ctx, contactOf("contact-"+key))
			if errors.Is(err, xmpp.ItemNotFound) {
				err = nil // a removal of unknown fate came before
			}
			return "", err
		}
		value := fmt.Sprint(n)
		return value, c.SetContact(ctx, client.Contact{JID: contactOf("contact-" + key), Name: value})
	}
}

func (d *run) contacts(c *client.Client) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		list, err := c.Roster(ctx)
		has := map[string]string{}
		for _, contact := range list {
			if key, ok := strings.CutPrefix(contact.JID.Local(), "contact-"); ok {
				has[key] = contact.Name
			}
		}
		return has, err
	}
}

// subscribe changes by presence stanzas, which an <a/> acknowledges.
func (d *run) subscribe(c *client.Client) func(context.Context, string, int) (string, error) {
	return func(ctx context.Context, key string, n int) (string, error) {
		st := &xmpp.Stanza{Kind: xmpp.Presence, Type: "subscribe", To: contactOf(accounts[indexOf(key)])}
		value := "asked"
		if removed(n) {
			st.Type, value = "unsubscribe", ""
		}
		return value, c.SendAcked(ctx, st)
	}
}

func (d *run) subscriptions(c *client.Client) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		list, err := c.Roster(ctx)
		has := map[string]string{}
		for _, contact := range list {
			if n := slices.Index(accounts, contact.JID.Local()); n >= 0 && contact.Asked {
				has[fmt.Sprintf("k%d", n)] = "asked"
			}
		}
		return has, err
	}
}

const (
	drillNode = "urn:example:drill"
	nsDrill   = "urn:example:drill"
)

func (d *run) publish(c *client.Client) func(context.Context, string, int) (string, error) {
	return func(ctx context.Context, key string, n int) (string, error) {
		if removed(n) {
			err := c.Retract(ctx, drillNode, key)
			if errors.Is(err, xmpp.ItemNotFound) {
				err = nil
			}
			return "", err
		}
		value := fmt.Sprint(n)
		item := client.Item{ID: key, Payload: xmpp.NewText(nsDrill, "value", value)}
		return value, c.Publish(ctx, client.Publication{Node: drillNode, Item: item, MaxItems: "100", Persist: true})
	}
}

func (d *run) published(c *client.Client) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		items, err := c.Items(ctx, xmpp.JID{}, drillNode)
		has := map[string]string{}
		for _, item := range items {
			has[item.ID] = item.Payload.Text()
		}
		return has, err
	}
}

const nsPrivate = "jabber:iq:private" // XEP-0049

func (d *run) store(c *client.Client) func(context.Context, string, int) (string, error) {
	return func(ctx context.Context, key string, n int) (string, error) {
		value := fmt.Sprint(n)
		_, err := c.Set(ctx, xmpp.JID{}, xmpp.NewElement(nsPrivate, "query", xmpp.NewText("urn:example:"+key, "value", value)))
		return value, err
	}
}

func (d *run) stored(c *client.Client) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		has := map[string]string{}
		for n := range keys {
			key := fmt.Sprintf("k%d", n)
			answer, err := c.Get(ctx, xmpp.JID{}, xmpp.NewElement(nsPrivate, "query", xmpp.NewElement("urn:example:"+key, "value")))
			if err != nil {
				return nil, err
			}
			has[key] = answer.Child("urn:example:"+key, "value").Text()
		}
		return has, nil
	}
}

func (d *run) block(c *client.Client) func(context.Context, string, int) (string, error) {
	return func(ctx context.Context, key string, n int) (string, error) {
		if removed(n) {
			return "", c.Unblock(ctx, contactOf("enemy-"+key))
		}
		return "blocked", c.Block(ctx, contactOf("enemy-"+key))
	}
}

func (d *run) blocked(c *client.Client) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		list, err := c.Blocked(ctx)
		has := map[string]string{}
		for _, jid := range list {
			has[strings.TrimPrefix(jid.Local(), "enemy-")] = "blocked"
		}
		return has, err
	}
}

// upload stores files of different sizes; their value is their address.
func (d *run) upload(c *client.Client) func(context.Context, string, int) (string, error) {
	return func(ctx context.Context, key string, n int) (string, error) {
		content := fileContent(n)
		at, err := c.Upload(ctx, key+".txt", "text/plain", int64(len(content)), bytes.NewReader(content))
		if err == nil {
			d.mu.Lock()
			d.files[key] = at
			d.mu.Unlock()
		}
		return at, err
	}
}

func fileContent(n int) []byte { return bytes.Repeat([]byte{byte('a' + n%26)}, 1+n*37) }

func (d *run) uploads(c *client.Client) func(context.Context) (map[string]string, error) {
	return func(ctx context.Context) (map[string]string, error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		for key, at := range d.files {
			var content bytes.Buffer
			if err := c.Download(ctx, at, 1<<20, &content); err != nil {
				return nil, fmt.Errorf("%s at %s: %w", key, at, err)
			}
			if !bytes.Equal(content.Bytes(), fileContent(indexOf(key))) {
				return nil, fmt.Errorf("%s at %s: %d bytes that are not those uploaded", key, at, content.Len())
			}
		}
		return d.files, nil
	}
}

const (
	nsCommand = "http://jabber.org/protocol/commands"       // XEP-0050
	addUser   = "http://jabber.org/protocol/admin#add-user" // XEP-0133 §4.1
)

// account makes accounts as an administrator does in an app.
func (d *run) account(c *client.Client) func(context.Context, string, int) (string, error) {
	return func(ctx context.Context, key string, n int) (string, error) {
		d.mu.Lock()
		d.newcomers = n + 1
		d.mu.Unlock()
		return "there", addAccount(ctx, c, "new-"+key)
	}
}

// addAccount makes an account by the command of an administrator (XEP-0133 §4.1).
func addAccount(ctx context.Context, c *client.Client, name string) error {
	form, err := c.Set(ctx, c.Account().Host(), xmpp.NewElement(nsCommand, "command").Set("node", addUser))
	if err != nil {
		return err
	}
	submit := xmpp.NewElement("jabber:x:data", "x").Set("type", "submit")
	for _, field := range [][2]string{{"accountjid", name + "@localhost"}, {"password", password}, {"password-verify", password}} {
		value := xmpp.NewText("jabber:x:data", "value", field[1])
		submit.Add(xmpp.NewElement("jabber:x:data", "field", value).Set("var", field[0]))
	}
	_, err = c.Set(ctx, c.Account().Host(), xmpp.NewElement(nsCommand, "command", submit).Set("node", addUser).Set("sessionid", form.Attr("sessionid")))
	var refused *xmpp.Error
	expired := errors.As(err, &refused) && refused.Detail != nil && refused.Detail.Is(nsCommand, "session-expired")
	if expired || errors.Is(err, xmpp.BadRequest) || errors.Is(err, xmpp.NotAcceptable) {
		return fmt.Errorf("the command was begun before a failure: %s", err)
	}
	return err
}

// accounts logs in to each that was asked for.
func (d *run) accounts(ctx context.Context) (map[string]string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	has := map[string]string{}
	for n := range d.newcomers {
		key := fmt.Sprintf("k%d", n)
		c, err := client.New(d.server.config("new-" + key))
		if err != nil {
			return nil, err
		}
		var refused *client.AuthError
		switch err := c.Connect(ctx); {
		case err == nil:
			has[key] = "there"
			c.Close()
		case !errors.As(err, &refused):
			return nil, err
		}
	}
	return has, nil
}
