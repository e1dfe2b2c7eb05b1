package core

import (
	"context"

	"palabre.dev/palabre/xmpp"
)

// Stage is where in its journey a stanza is.
type Stage uint8

// The stages: a local account has sent it, a local account receives it.
const (
	Sent Stage = iota
	Received
)

// Decide is a rule of the Check or Change phase. An error is told to the sender, and nothing has happened.
type Decide func(ctx context.Context, t *Transit) error

// Plan is a rule of the Keep phase, asked before the transaction: it returns what to write, or nil when there is nothing. What it
// returns may run more than once; an error there means that nothing was kept anywhere and the sender is told to retry.
type Plan func(t *Transit) Write

// Write writes within the transaction that ctx carries.
type Write func(ctx context.Context) error

// Tell is a rule of the Tell phase: others are informed. It does not fail; what goes wrong is its to log.
type Tell func(ctx context.Context, t *Transit)

// Deliver is a rule asked before a stanza is put in one session's queue; false keeps it out.
type Deliver func(ctx context.Context, t *Transit, to *Session) bool

type hooks struct {
	check, change [2][]Decide
	keep          [2][]Plan
	tell          [2][]Tell
	kept          []func(*Transit)
	deliver       []Deliver
}

// Check adds a rule that may refuse.
func (s *Server) Check(stage Stage, rule Decide) {
	s.hooks.check[stage] = append(s.hooks.check[stage], rule)
}

// Change adds a rule that may rewrite (Transit.Edit) or drop (Transit.Drop) the stanza.
func (s *Server) Change(stage Stage, rule Decide) {
	s.hooks.change[stage] = append(s.hooks.change[stage], rule)
}

// Keep adds a rule that writes.
func (s *Server) Keep(stage Stage, rule Plan) {
	s.hooks.keep[stage] = append(s.hooks.keep[stage], rule)
}

// Kept adds a rule that runs right after the stanza was kept and before anyone is told: it adds to the stanza (Transit.Edit) what only
// the writing has decided, such as its number in the receiver's log.
func (s *Server) Kept(rule func(t *Transit)) { s.hooks.kept = append(s.hooks.kept, rule) }

// Tell adds a rule that informs others: at Sent before the stanza is delivered, at Received after.
func (s *Server) Tell(stage Stage, rule Tell) {
	s.hooks.tell[stage] = append(s.hooks.tell[stage], rule)
}

// Delivering adds a rule that is asked for each session.
func (s *Server) Delivering(rule Deliver) { s.hooks.deliver = append(s.hooks.deliver, rule) }

// Transit is one stanza on its way.
type Transit struct {
	// Stanza is what travels. It may be shared; Edit gives one to change.
	Stanza *xmpp.Stanza
	// Via is the local session that sent it, nil if it came from elsewhere.
	Via *Session
	// Sender and Receiver are the local accounts at either end, nil where the end is not one.
	Sender, Receiver *Account
	// SentID and ReceivedID are the numbers of the entries in the sender's and the receiver's logs, 0 where none was made. They are
	// certain from the Tell phase on.
	SentID, ReceivedID int64
	// Stored is set in the Keep phase's planning when the receiver will find the stanza later, or would not miss it, if no session
	// takes it now. Otherwise the sender of a message that nobody took is told.
	Stored bool
	// Delivered are the sessions it was put into the queue of; filled before Received.Tell.
	Delivered []*Session

	own     bool
	dropped bool
	unheard bool  // dropped at the receiver's end
	log     int64 // of the service that keeps it, 0 for none
	writes  []Write
	notes   []value
	after   []func(context.Context)
}

// Edit is the stanza as one that may be changed (its children may not; see xmpp.Element).
func (t *Transit) Edit() *xmpp.Stanza {
	if !t.own {
		t.Stanza, t.own = t.Stanza.Copy(), true
	}
	return t.Stanza
}

// Drop ends the journey without an error to the sender. At Received it ends the receiver's part alone: to a local sender it is as if the
// stanza had gone to a server that keeps silent.
func (t *Transit) Drop() { t.dropped = true }

// Dropped reports whether Drop was called.
func (t *Transit) Dropped() bool { return t.dropped }

// After adds what happens when the stanza has been handed over and everybody was told; nothing of it if it could not be handed over.
func (t *Transit) After(fn func(ctx context.Context)) { t.after = append(t.after, fn) }

// WasDeliveredTo reports whether the stanza was put into this session's queue.
func (t *Transit) WasDeliveredTo(session *Session) bool {
	for _, s := range t.Delivered {
		if s == session {
			return true
		}
	}
	return false
}

type accountHooks struct {
	remove []func(context.Context, *Account) error
	export []func(context.Context, *Account) ([]*xmpp.Element, error)
	adopt  []func(context.Context, *Account, *xmpp.Element) error
}

// OnRemove adds what deletes a feature's rows of an account; it runs in the transaction that removes the account.
func (s *Server) OnRemove(fn func(ctx context.Context, account *Account) error) {
	s.account.remove = append(s.account.remove, fn)
}

// OnExport adds what gives a feature's part of an account's data, as children of the <user/> of XEP-0227.
func (s *Server) OnExport(fn func(ctx context.Context, account *Account) ([]*xmpp.Element, error)) {
	s.account.export = append(s.account.export, fn)
}

// OnImport adds what takes one child of the <user/> of XEP-0227 back; it ignores elements that are not its own.
func (s *Server) OnImport(fn func(ctx context.Context, account *Account, part *xmpp.Element) error) {
	s.account.adopt = append(s.account.adopt, fn)
}

// Removed runs what OnRemove added, in the transaction of ctx.
func (s *Server) Removed(ctx context.Context, account *Account) error {
	s.gone.add(account.ID)
	for _, fn := range s.account.remove {
		if err := fn(ctx, account); err != nil {
			return err
		}
	}
	return nil
}

// Export is all that the features hold of an account (XEP-0227 §4).
func (s *Server) Export(ctx context.Context, account *Account) ([]*xmpp.Element, error) {
	var parts []*xmpp.Element
	for _, fn := range s.account.export {
		more, err := fn(ctx, account)
		if err != nil {
			return nil, err
		}
		parts = append(parts, more...)
	}
	return parts, nil
}

// Import hands one part of an exported account to the features.
func (s *Server) Import(ctx context.Context, account *Account, part *xmpp.Element) error {
	for _, fn := range s.account.adopt {
		if err := fn(ctx, account, part); err != nil {
			return err
		}
	}
	return nil
}
