package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"palabre.dev/palabre/omemo"
	"palabre.dev/palabre/xmpp"
)

// Opened is a decrypted message.
type Opened struct {
	// Body is the text, "" if there is none.
	Body string
	// Content are all the elements that were encrypted, beside the body in OMEMO 0.3 none.
	Content []*xmpp.Element `json:"-"`
	// Empty says that the message only served the sessions: there is nothing to show.
	Empty bool
	// Sender is the device that proved to have sent it, Identity its key, and Trust what is thought of that.
	Sender   omemo.Address
	Identity omemo.Identity
	Trust    omemo.Trust
}

// lastName is where the last opened message is kept.
const lastName = "e2e/last"

// last is an opened message as it is kept.
type last struct {
	Key       string
	Plaintext []byte
	Version   omemo.Version
	Opened    Opened
}

// Decrypt opens a message. What it decrypts is kept under key, a name that no other message has (its archive id), in the same step as the
// advanced ratchet: if the program dies before it has kept the plaintext itself, Decrypt of the same message with the same key gives it
// again. With key "" it is not kept. It must be called for one message after the other. Besides the errors of omemo.Device.Decrypt, of
// which ErrNotForUs and ErrDuplicate are to be ignored, it returns ErrClear for a message that is not encrypted. It may ask the server, and
// sends what the sessions need.
func (e *Endpoint) Decrypt(ctx context.Context, st *xmpp.Stanza, key string) (*Opened, error) {
	m, err := messageOf(st, e.c.Account().String(), e.dev.ID())
	if err != nil {
		return nil, err
	}
	from := st.From.Bare()
	if from.IsZero() {
		from = e.c.Account()
	}
	if again, err := e.again(ctx, key); again != nil || err != nil {
		return again, err
	}
	opened, err := e.decrypt(ctx, from.String(), m, key)
	if err != nil {
		e.heal(ctx, deviceKey{m.Version, omemo.Address{JID: from.String(), Device: m.SID}}, err)
		return nil, err
	}
	if err := e.settle(ctx); err != nil {
		e.log.Warn("sessions could not be served", "err", err)
	}
	return opened, nil
}

// again is a message that was decrypted before, and perhaps not kept by the program.
func (e *Endpoint) again(ctx context.Context, key string) (*Opened, error) {
	if key == "" {
		return nil, nil
	}
	saved, err := e.store.Load(ctx, []string{lastName})
	if err != nil || saved[lastName] == nil {
		return nil, err
	}
	var l last
	if err := json.Unmarshal(saved[lastName], &l); err != nil {
		return nil, fmt.Errorf("read the last message: %w: %w", omemo.ErrState, err)
	}
	if l.Key != key {
		return nil, nil
	}
	return &l.Opened, l.Opened.read(l.Version, l.Plaintext, l.Opened.Sender.JID)
}

func (e *Endpoint) decrypt(ctx context.Context, from string, m *omemo.Message, key string) (*Opened, error) {
	<-e.turn
	defer func() { e.turn <- struct{}{} }()
	e.store.begin()
	defer e.store.forget()
	got, err := e.dev.Decrypt(ctx, from, m)
	if err != nil {
		return nil, err
	}
	out := &Opened{Empty: got.Empty, Sender: got.Sender, Identity: got.Identity, Trust: got.Trust}
	values := map[string][]byte{}
	if key != "" && !got.Empty {
		if values[lastName], err = json.Marshal(last{key, got.Plaintext, m.Version, *out}); err != nil {
			return nil, fmt.Errorf("keep a message: %w", err)
		}
	}
	if err := e.store.commit(ctx, values); err != nil {
		return nil, fmt.Errorf("keep a message: %w", err)
	}
	e.note(m.Version, got)
	return out, out.read(m.Version, got.Plaintext, from)
}

// note remembers what is owed after a decryption.
func (e *Endpoint) note(v omemo.Version, got *omemo.Opened) {
	e.mu.Lock()
	defer e.mu.Unlock()
	key := listKey{v, got.Sender.JID}
	if list, ok := e.known[key]; ok && !slices.Contains(list.ids, got.Sender.Device) {
		delete(e.known, key) // a device that we do not know: the list is an older one, and nobody told us
	}
	if got.OwesReply && len(e.owed) < maxOwed {
		e.owed[deviceKey{v, got.Sender}] = true
	}
	if got.BundleChanged {
		e.dirty[v] = true
	}
}

// read makes text of a plaintext.
func (o *Opened) read(v omemo.Version, plaintext []byte, from string) error {
	switch {
	case o.Empty:
		return nil
	case v == omemo.V2:
		return o.readEnvelope(string(plaintext), from)
	case !utf8.Valid(plaintext):
		return fmt.Errorf("text is not UTF-8: %w", omemo.ErrMalformed)
	}
	o.Body = string(plaintext)
	return nil
}

// readEnvelope takes the content out of an XEP-0420 envelope, and checks that it was made by who sent it (§4.1).
func (o *Opened) readEnvelope(text, from string) error {
	envelope, err := xmpp.Parse(text, xmpp.Scope{})
	if err != nil {
		return fmt.Errorf("envelope: %w: %w", omemo.ErrMalformed, err)
	}
	if !envelope.Is(nsSCE, "envelope") {
		return fmt.Errorf("envelope: %w", omemo.ErrMalformed)
	}
	if affix := envelope.Child(nsSCE, "from"); affix != nil {
		if jid, err := xmpp.ParseJID(affix.Attr("jid")); err != nil || jid.Bare().String() != from {
			return fmt.Errorf("envelope of somebody else: %w", omemo.ErrMalformed)
		}
	}
	for child := range envelope.Child(nsSCE, "content").Children() {
		if len(o.Content) == maxContents {
			return fmt.Errorf("envelope: %w", omemo.ErrTooLarge)
		}
		o.Content = append(o.Content, child)
		if child.Is(xmpp.NSClient, "body") && o.Body == "" {
			o.Body = child.Text()
		}
	}
	return nil
}

// heal begins a session anew that cannot be read any more, and says so to the other side; seldom, so that nobody can make us do it
// again and again.
func (e *Endpoint) heal(ctx context.Context, with deviceKey, err error) {
	broken := errors.Is(err, omemo.ErrNoSession) || errors.Is(err, omemo.ErrNoPreKey) || errors.Is(err, omemo.ErrDecrypt) || errors.Is(err, omemo.ErrTooFar)
	if !broken || !e.mayHeal(with) {
		return
	}
	e.log.Info("begin a broken session anew", "err", err)
	if err := e.meet(ctx, with); err != nil {
		e.log.Info("session stays broken", "err", err)
		return
	}
	e.mu.Lock()
	if len(e.owed) < maxOwed {
		e.owed[with] = true
	}
	e.mu.Unlock()
	if err := e.settle(ctx); err != nil {
		e.log.Warn("sessions could not be served", "err", err)
	}
}

func (e *Endpoint) mayHeal(with deviceKey) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if last, ok := e.healed[with]; ok && now.Sub(last) < healPause || len(e.healed) >= maxHealed {
		return false
	}
	e.healed[with] = now
	return true
}
