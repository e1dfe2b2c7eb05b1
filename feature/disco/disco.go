// Package disco tells what the server, its services and its accounts can do (XEP-0030), from what the features have announced: for apps that
// look for features, and for other servers. It also tells whom to turn to (XEP-0157), carries what features say in forms (XEP-0128), and
// says all of it in one hash (XEP-0115 §6.3). Nodes belong to the features that have them. An account's connected devices are not listed.
package disco

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"sync"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/caps"
)

// Namespaces.
const (
	NSInfo  = caps.NSInfo
	NSItems = "http://jabber.org/protocol/disco#items"
)

// capsNode names the software in the server's own hash.
const capsNode = "https://palabre.dev"

// Config is what an operator can set.
type Config struct {
	// Name is what people see as the server's name.
	Name string `toml:"name"`
	// Contact is whom to turn to (XEP-0157), as URIs such as mailto:abuse@example.org or xmpp:help@example.org.
	Contact Contact `toml:"contact"`
}

// Contact is whom to turn to, by matter; each is a list of URIs (XEP-0157 §3).
type Contact struct {
	// Abuse is for spam, abuse and crime.
	Abuse []string `toml:"abuse"`
	// Admin is for the operator.
	Admin []string `toml:"admin"`
	// Feedback is for praise and wishes.
	Feedback []string `toml:"feedback"`
	// Sales is for questions about buying.
	Sales []string `toml:"sales"`
	// Security is for weaknesses that somebody found.
	Security []string `toml:"security"`
	// Status is for whether the service works.
	Status []string `toml:"status"`
	// Support is for help.
	Support []string `toml:"support"`
}

// DefaultConfig names no contacts.
func DefaultConfig() Config { return Config{Name: "Palabre"} }

// Validate reports a contact that is no URI.
func (c Config) Validate() error {
	for _, matter := range c.Contact.matters() {
		for _, address := range matter.addresses {
			if u, err := url.Parse(address); err != nil || u.Scheme == "" {
				return errors.New("disco: contact " + matter.name + " has an address that is no URI: " + address)
			}
		}
	}
	return nil
}

type matter struct {
	name      string
	addresses []string
}

func (c Contact) matters() []matter {
	return []matter{{"abuse", c.Abuse}, {"admin", c.Admin}, {"feedback", c.Feedback}, {"sales", c.Sales}, {"security", c.Security},
		{"status", c.Status}, {"support", c.Support}}
}

// form is the contacts as XEP-0157 §3 gives them, nil when there are none.
func (c Contact) form() *xmpp.Element {
	form := xmpp.NewForm("result", "http://jabber.org/network/serverinfo")
	empty := true
	for _, matter := range c.matters() {
		if len(matter.addresses) > 0 {
			form.Add(matter.name+"-addresses", "list-multi", "", matter.addresses...)
			empty = false
		}
	}
	if empty {
		return nil
	}
	return form.Element()
}

// Contacts knows who may see an account's presence: only they learn what it can do.
type Contacts interface {
	Subscribed(ctx context.Context, account *core.Account, contact xmpp.JID) (bool, error)
}

// Source is what a feature tells: the children of the answer's <query/> for a node, "" for the entity itself. xmpp.ItemNotFound says that
// the node is not its own.
type Source func(ctx context.Context, r *core.Request, node string) ([]*xmpp.Element, error)

// Feature is service discovery. Add everything before the first session.
type Feature struct {
	cfg      Config
	contacts Contacts
	server   *core.Server

	identities map[core.Scope][]*xmpp.Element
	forms      map[core.Scope][]*xmpp.Element
	info       map[core.Scope][]Source
	items      map[core.Scope][]Source
	version    func() string
}

// New makes the feature. The error is that of the configuration.
func New(cfg Config, contacts Contacts) (*Feature, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	f := &Feature{cfg: cfg, contacts: contacts, identities: map[core.Scope][]*xmpp.Element{}, forms: map[core.Scope][]*xmpp.Element{},
		info: map[core.Scope][]Source{}, items: map[core.Scope][]Source{}}
	f.version = sync.OnceValue(f.ownVersion)
	f.AddIdentity(core.AtServer, identity("server", "im").Set("name", cfg.Name))
	f.AddIdentity(core.AtAccount, identity("account", "registered"))
	f.AddForm(core.AtServer, cfg.Contact.form())
	return f, nil
}

func identity(category, kind string) *xmpp.Element {
	return xmpp.NewElement(NSInfo, "identity").Set("category", category).Set("type", kind)
}

// Attach answers requests.
func (f *Feature) Attach(s *core.Server) {
	f.server = s
	s.HandleIQ(core.AtServer, NSInfo, "query", f.serverInfo)
	s.HandleIQ(core.AtServer, NSItems, "query", f.serverItems)
	s.HandleIQ(core.AtAccount, NSInfo, "query", f.accountInfo)
	s.HandleIQ(core.AtAccount, NSItems, "query", f.accountItems)
	s.Announce(core.AtServer, caps.NS)
}

// AddIdentity adds an <identity/> of the server or of accounts.
func (f *Feature) AddIdentity(scope core.Scope, identity *xmpp.Element) {
	f.identities[scope] = append(f.identities[scope], identity)
}

// AddForm adds a form that says more about the server or about accounts (XEP-0128); nil adds nothing.
func (f *Feature) AddForm(scope core.Scope, form *xmpp.Element) {
	if form != nil {
		f.forms[scope] = append(f.forms[scope], form)
	}
}

// AddInfo adds who answers what a node is. It is not asked about the server or an account itself.
func (f *Feature) AddInfo(scope core.Scope, source Source) {
	f.info[scope] = append(f.info[scope], source)
}

// AddItems adds who answers what items there are: of the server or an account itself, of which all answers count, or of a node, of which
// the first does.
func (f *Feature) AddItems(scope core.Scope, source Source) {
	f.items[scope] = append(f.items[scope], source)
}

// describe is what is told of the server, or of any account.
func (f *Feature) describe(scope core.Scope) []*xmpp.Element {
	told := slices.Clone(f.identities[scope])
	for _, feature := range f.server.Announced(scope) {
		told = append(told, xmpp.NewElement(NSInfo, "feature").Set("var", feature))
	}
	return append(told, f.forms[scope]...)
}

// ownVersion is the server's hash, "" if it has none because something was announced twice.
func (f *Feature) ownVersion() string {
	version, err := caps.Version(xmpp.NewElement(NSInfo, "query", f.describe(core.AtServer)...))
	if err != nil {
		return ""
	}
	return version
}

// StreamFeature is the server's own hash, which saves an app from asking (XEP-0115 §6.3); nil before login.
func (f *Feature) StreamFeature(authenticated bool) *xmpp.Element {
	if !authenticated || f.version() == "" {
		return nil
	}
	return xmpp.NewElement(caps.NS, "c").Set("hash", "sha-1").Set("node", capsNode).Set("ver", f.version())
}
