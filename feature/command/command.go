// Package command lets people run a service's commands from their app's own menus, as forms (XEP-0050). Features add commands; this one
// lists them, keeps the answers given so far, and goes forwards and backwards. Left out: announcing commands by message (XEP-0050 §2.3)
// and commands of accounts: all live at the server's address.
package command

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"sync"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Namespace is that of commands, and the node under which service discovery lists them.
const Namespace = "http://jabber.org/protocol/commands"

const (
	maxSessions   = 1000 // of all accounts
	maxPerAccount = 4
	maxSteps      = 8
	sessionLife   = 10 * time.Minute
)

// Step is what a command does: it is given the forms that were filled in so far, none at first. It returns a form of type form to be
// filled in next; or what came out, as a form of type result, a note, or both. It is asked again with fewer answers when somebody goes
// back, so only the last step may change anything.
type Step = func(ctx context.Context, r *core.Request, answers []*xmpp.Form) (form *xmpp.Form, note string, err error)

// Permit says whether an account may see and run a command.
type Permit = func(ctx context.Context, account *core.Account) (bool, error)

type command struct {
	node, name string
	permit     Permit
	step       Step
}

// Commands are the commands of the service.
type Commands struct {
	log    *slog.Logger
	server *core.Server
	list   []*command
	byNode map[string]*command

	mu       sync.Mutex // guards what follows
	sessions map[string]*session
}

// session is a command that somebody has begun and not ended.
type session struct {
	owner   xmpp.JID
	command *command
	answers []*xmpp.Form
	used    time.Time
}

// New makes an empty list.
func New(log *slog.Logger) *Commands {
	return &Commands{log: log.With("part", "command"), byNode: map[string]*command{}, sessions: map[string]*session{}}
}

// Attach answers commands.
func (c *Commands) Attach(s *core.Server) {
	c.server = s
	s.HandleIQ(core.AtServer, Namespace, "command", c.handle)
}

// AddCommand adds a command. Nodes are unique; add all before the first session.
func (c *Commands) AddCommand(node, name string, permit func(ctx context.Context, account *core.Account) (bool, error),
	step func(ctx context.Context, r *core.Request, answers []*xmpp.Form) (form *xmpp.Form, note string, err error)) {
	if c.byNode[node] != nil {
		panic("command: two commands at " + node)
	}
	one := &command{node, name, permit, step}
	c.list = append(c.list, one)
	c.byNode[node] = one
}

// Namespaces of service discovery.
const (
	nsInfo  = "http://jabber.org/protocol/disco#info"
	nsItems = "http://jabber.org/protocol/disco#items"
)

// Items are the commands that whoever asks may run, for service discovery at the node Namespace (XEP-0050 §2.2); xmpp.ItemNotFound for
// another node.
func (c *Commands) Items(ctx context.Context, asker *core.Account, node string) ([]*xmpp.Element, error) {
	if node != Namespace {
		return nil, xmpp.ItemNotFound
	}
	var items []*xmpp.Element
	for _, one := range c.list {
		ok, err := c.may(ctx, one, asker)
		if err != nil {
			return nil, err
		}
		if ok {
			items = append(items, xmpp.NewElement(nsItems, "item").Set("jid", c.server.Domain().String()).Set("node", one.node).Set("name", one.name))
		}
	}
	return items, nil
}

// Info says what the list of commands or one command is, for service discovery (XEP-0050 §2.2); xmpp.Forbidden for a command that whoever
// asks may not run, xmpp.ItemNotFound for a node that is not a command's.
func (c *Commands) Info(ctx context.Context, asker *core.Account, node string) ([]*xmpp.Element, error) {
	identity := xmpp.NewElement(nsInfo, "identity").Set("category", "automation")
	feature := xmpp.NewElement(nsInfo, "feature").Set("var", Namespace)
	if node == Namespace {
		return []*xmpp.Element{identity.Set("type", "command-list"), feature}, nil
	}
	one := c.byNode[node]
	if one == nil {
		return nil, xmpp.ItemNotFound
	}
	if ok, err := c.may(ctx, one, asker); err != nil || !ok {
		return nil, cmp.Or(err, error(xmpp.Forbidden))
	}
	return []*xmpp.Element{identity.Set("type", "command-node").Set("name", one.name), feature, xmpp.NewElement(nsInfo, "feature").Set("var", xmpp.NSData)}, nil
}

func (c *Commands) may(ctx context.Context, one *command, asker *core.Account) (bool, error) {
	if asker == nil {
		return false, nil
	}
	return one.permit(ctx, asker)
}

// handle is XEP-0050 §2.4.
func (c *Commands) handle(ctx context.Context, r *core.Request) (*xmpp.Element, error) {
	one := c.byNode[r.Payload.Attr("node")]
	if one == nil {
		return nil, xmpp.ItemNotFound
	}
	if !r.Set {
		return nil, badRequest("malformed-action")
	}
	switch ok, err := c.may(ctx, one, r.Sender); {
	case err != nil:
		return nil, err
	case !ok:
		return nil, xmpp.Forbidden
	}
	id := r.Payload.Attr("sessionid")
	if id == "" {
		return c.begin(ctx, r, one)
	}
	s := c.find(id, r.Stanza.From, one)
	if s == nil {
		return nil, xmpp.NotAllowed.With(xmpp.NewElement(Namespace, "session-expired"))
	}
	return c.goOn(ctx, r, id, s)
}

func badRequest(detail string) error {
	return xmpp.BadRequest.With(xmpp.NewElement(Namespace, detail))
}

func (c *Commands) begin(ctx context.Context, r *core.Request, one *command) (*xmpp.Element, error) {
	if action := r.Payload.Attr("action"); action != "" && action != "execute" {
		return nil, badRequest("bad-action")
	}
	s := &session{owner: r.Stanza.From, command: one}
	return c.run(ctx, r, rand.Text(), s)
}

// goOn takes an action within a session. Execute is the same as the only way forward.
func (c *Commands) goOn(ctx context.Context, r *core.Request, id string, s *session) (*xmpp.Element, error) {
	next := &session{owner: s.owner, command: s.command}
	switch action := r.Payload.Attr("action"); action {
	case "cancel":
		c.drop(id)
		return answer(s.command.node, id, "canceled"), nil
	case "prev":
		if len(s.answers) == 0 {
			return nil, badRequest("bad-action")
		}
		next.answers = s.answers[:len(s.answers)-1]
	case "", "execute", "next", "complete":
		form, err := xmpp.ParseForm(r.Payload.Child(xmpp.NSData, "x"))
		if err != nil || form.Type != "submit" {
			return nil, badRequest("bad-payload")
		}
		if len(s.answers) >= maxSteps {
			return nil, badRequest("bad-action")
		}
		next.answers = append(s.answers[:len(s.answers):len(s.answers)], form)
	default:
		return nil, badRequest("malformed-action")
	}
	return c.run(ctx, r, id, next)
}

// run asks the command what comes next. When it refuses an answer, the session stays where it was, so that the answer can be corrected.
func (c *Commands) run(ctx context.Context, r *core.Request, id string, s *session) (*xmpp.Element, error) {
	form, note, err := s.command.step(ctx, r, s.answers)
	if err != nil {
		var told *xmpp.Error
		if !errors.As(err, &told) {
			c.log.Error("command failed", "command", s.command.node, "err", err)
		}
		return nil, err
	}
	if form == nil || form.Type != "form" {
		c.drop(id)
		out := answer(s.command.node, id, "completed")
		if note != "" {
			out.Add(xmpp.NewText(Namespace, "note", note).Set("type", "info"))
		}
		if form != nil {
			out.Add(form.Element())
		}
		return out, nil
	}
	if err := c.keep(id, s); err != nil {
		return nil, err
	}
	actions := xmpp.NewElement(Namespace, "actions").Set("execute", "complete")
	if len(s.answers) > 0 {
		actions.Add(xmpp.NewElement(Namespace, "prev"))
	}
	return answer(s.command.node, id, "executing").Add(actions.Add(xmpp.NewElement(Namespace, "complete")), form.Element()), nil
}

func answer(node, id, status string) *xmpp.Element {
	return xmpp.NewElement(Namespace, "command").Set("node", node).Set("sessionid", id).Set("status", status)
}

func (c *Commands) find(id string, owner xmpp.JID, one *command) *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.sessions[id]
	if s == nil || s.owner != owner || s.command != one || time.Since(s.used) > sessionLife {
		return nil
	}
	return s
}

func (c *Commands) drop(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.sessions, id)
}

// keep remembers a session. Expired ones go; an account's oldest makes room for its newest.
func (c *Commands) keep(id string, s *session) error {
	s.used = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	mine, oldest := 0, ""
	for other, o := range c.sessions {
		if time.Since(o.used) > sessionLife {
			delete(c.sessions, other)
		} else if o.owner.Bare() == s.owner.Bare() && other != id {
			mine++
			if oldest == "" || o.used.Before(c.sessions[oldest].used) {
				oldest = other
			}
		}
	}
	if mine >= maxPerAccount {
		delete(c.sessions, oldest)
	}
	if len(c.sessions) >= maxSessions {
		return xmpp.ResourceConstraint.Because("too many commands are under way")
	}
	c.sessions[id] = s
	return nil
}
