package caps

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/caps"
)

// said is how an app names what it can do in its presence.
type said struct {
	hash string // algorithm:base64; begins with "jid:" when it cannot be checked, and then holds for that app alone
	node string // what to ask for
}

// maxHash is the most bytes of a hash that is looked at.
const maxHash = 128

// read finds the hash in presence, the newer kind first. ok is false when the app says nothing.
func read(st *xmpp.Stanza) (s said, ok bool) {
	if c := st.Child(caps.NS2, "c"); c != nil {
		for child := range c.Children() {
			if value := strings.TrimSpace(child.Text()); child.Local == "hash" && child.Attr("algo") == "sha-256" && len(value) <= maxHash {
				return said{hash: "sha-256:" + value, node: "urn:xmpp:caps#sha-256." + value}, true
			}
		}
	}
	c := st.Child(caps.NS, "c")
	if c == nil {
		return said{}, false
	}
	node, ver := c.Attr("node"), c.Attr("ver")
	if c.Attr("hash") != "sha-1" || len(ver) > maxHash || len(node) > 1000 {
		return said{}, true
	}
	return said{hash: "sha-1:" + ver, node: node + "#" + ver}, true
}

func (s said) matches(info *xmpp.Element) bool {
	var got string
	var err error
	switch algorithm, want, _ := strings.Cut(s.hash, ":"); algorithm {
	case "sha-1":
		got, err = caps.Version(info)
		return err == nil && got == want
	case "sha-256":
		got, err = caps.Hash(info)
		return err == nil && got == want
	}
	return false
}

// note takes over what an app says in available presence.
func (f *Feature) note(t *core.Transit, a *app, st *xmpp.Stanza) {
	s, ok := read(st)
	if !ok {
		a.become("", nil)
		return
	}
	if s.hash == "" {
		if strings.HasPrefix(a.said(), "jid:") {
			return // asked already; what it says cannot be told from what it said
		}
		s.hash = f.ownHash()
	}
	if !a.says(s.hash) {
		return
	}
	desc, ask := f.lookUp(s, a)
	if desc != nil {
		if news := a.become(s.hash, desc); len(news) > 0 {
			t.After(func(ctx context.Context) { f.announce(ctx, a, news) })
		}
	}
	if ask {
		go f.learnGuarded(s)
	}
}

func (a *app) said() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.hash
}

func (f *Feature) ownHash() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.serial++
	return "jid:" + strconv.FormatUint(f.serial, 10)
}

// lookUp gives what is known of a hash. If nothing is, the app waits for it, and ask says whether it is the first.
func (f *Feature) lookUp(s said, a *app) (desc *description, ask bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if desc = f.known[s.hash]; desc != nil {
		return desc, false
	}
	waiting, asking := f.waiting[s.hash]
	if f.stopped || !asking && len(f.waiting) >= f.cfg.MaxAsking {
		return nil, false
	}
	f.waiting[s.hash] = append(waiting, a)
	if !asking {
		f.asking.Add(1)
	}
	return nil, !asking
}

func (f *Feature) announce(ctx context.Context, a *app, nodes []string) {
	for _, tell := range f.tell {
		tell(ctx, Want{Session: a.session, Account: a.account, To: a.jid, Nodes: nodes})
	}
}

// learnGuarded is learn, and asks again another time if that goes wrong.
func (f *Feature) learnGuarded(s said) {
	if core.Guard(f.log, "an app's abilities are learnt", func() { f.learn(s) }) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.waiting, s.hash)
}

// learn finds out what a hash means: from the database, or from those who said it, one after the other until the answer fits.
func (f *Feature) learn(s said) {
	defer f.asking.Done()
	var silent []*app
	desc := f.recall(s)
	for desc == nil {
		a := f.nextWaiting(s.hash)
		if a == nil {
			break
		}
		answer, fits := f.ask(s, a)
		switch {
		case fits:
			f.keep(s, answer)
			f.tellOne(s, a, answer)
			desc = answer
		case answer != nil:
			f.tellOne(s, a, answer)
		default:
			silent = append(silent, a)
		}
	}
	f.settle(s, desc, silent)
}

// nextWaiting takes the first of the apps that wait for a hash, nil when there are no more.
func (f *Feature) nextWaiting(hash string) *app {
	f.mu.Lock()
	defer f.mu.Unlock()
	waiting := f.waiting[hash]
	if len(waiting) == 0 {
		return nil
	}
	f.waiting[hash] = waiting[1:]
	return waiting[0]
}

// ask asks one app what it can do, and checks the answer against its hash (XEP-0115 §5.4). What does not fit counts for that app alone.
func (f *Feature) ask(s said, a *app) (desc *description, fits bool) {
	ctx, cancel := f.work()
	defer cancel()
	query := xmpp.NewElement(caps.NSInfo, "query")
	if s.node != "" {
		query.Set("node", s.node)
	}
	iq := (&xmpp.Stanza{Kind: xmpp.IQ, Type: "get", To: a.jid}).Add(query)
	if a.session == nil {
		iq.From = a.account.JID // whom that contact has shown its presence
	}
	reply, err := f.server.Ask(ctx, iq)
	if err != nil {
		f.asked.WithLabelValues("silent").Inc()
		f.log.Debug("an app did not say what it can do", "to", a.jid.String(), "err", err)
		return nil, false
	}
	info := reply.Child(caps.NSInfo, "query")
	var features []string
	for e := range info.Children() {
		if e.Is(caps.NSInfo, "feature") {
			features = append(features, strings.Clone(e.Attr("var")))
		}
	}
	if fits = info != nil && s.matches(info); fits {
		f.asked.WithLabelValues("fits").Inc()
	} else {
		f.asked.WithLabelValues("differs").Inc()
	}
	return describe(features), fits
}

// settle gives what was learned, nil when nobody could say, to all who wait and to those who did not answer.
func (f *Feature) settle(s said, desc *description, silent []*app) {
	f.mu.Lock()
	waiting := append(silent, f.waiting[s.hash]...)
	delete(f.waiting, s.hash)
	if desc != nil {
		if len(f.known) >= f.cfg.MaxKnown {
			clear(f.known)
		}
		f.known[s.hash] = desc
	}
	f.mu.Unlock()
	for _, a := range waiting {
		if desc == nil {
			a.retry(s.hash)
		} else {
			f.tellOne(s, a, desc)
		}
	}
}

func (f *Feature) tellOne(s said, a *app, desc *description) {
	news := a.become(s.hash, desc)
	if len(news) == 0 {
		return
	}
	ctx, cancel := f.work()
	defer cancel()
	f.announce(ctx, a, news)
}

// recall reads what was learned before a restart.
func (f *Feature) recall(s said) *description {
	if strings.HasPrefix(s.hash, "jid:") {
		return nil
	}
	ctx, cancel := f.work()
	defer cancel()
	var text string
	err := f.db.QueryRow(ctx, `select features from caps_known where hash = $1`, s.hash).Scan(&text)
	if err != nil {
		if !errors.Is(err, store.ErrNoRows) {
			f.log.Warn("could not read what an app can do", "err", err)
		}
		return nil
	}
	var features []string
	if err := json.Unmarshal([]byte(text), &features); err != nil {
		f.log.Warn("could not read what an app can do", "err", err)
		return nil
	}
	return describe(features)
}

// keep writes what was learned, and drops the oldest when there is too much. Losing it costs one question more.
func (f *Feature) keep(s said, desc *description) {
	ctx, cancel := f.work()
	defer cancel()
	text, err := json.Marshal(desc.features)
	if err == nil {
		err = f.db.Tx(ctx, func(ctx context.Context) error { return f.write(ctx, s.hash, string(text)) })
	}
	if err != nil {
		f.log.Warn("could not keep what an app can do", "err", err)
	}
}

func (f *Feature) write(ctx context.Context, hash, features string) error {
	_, err := f.db.Exec(ctx, `insert into caps_known (hash, id, features) values ($1, $2, $3) on conflict (hash) do nothing`,
		hash, f.db.Next(), features)
	if err != nil {
		return fmt.Errorf("keep a description: %w", err)
	}
	var n int
	if err := f.db.QueryRow(ctx, `select count(*) from caps_known`).Scan(&n); err != nil {
		return fmt.Errorf("count descriptions: %w", err)
	}
	if n <= 10*f.cfg.MaxKnown {
		return nil
	}
	_, err = f.db.Exec(ctx, `delete from caps_known where id <= (select id from caps_known order by id limit 1 offset $1)`, n/2)
	return err
}
