// Package about answers small questions about the server itself: whether it is there (XEP-0199), what time it has (XEP-0202), which software
// it is (XEP-0092) and how long it has been running (XEP-0012 §5). The operating system is not told.
package about

import (
	"context"
	"strconv"
	"time"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// Namespaces.
const (
	NSPing    = "urn:xmpp:ping"
	NSTime    = "urn:xmpp:time"
	NSVersion = "jabber:iq:version"
	NSLast    = "jabber:iq:last"
)

// Feature answers in the server's name.
type Feature struct {
	version string
	since   time.Time
}

// New makes the feature; version is what is told of the software, "" for nothing.
func New(version string) *Feature { return &Feature{version: version, since: time.Now()} }

// Attach answers requests.
func (f *Feature) Attach(s *core.Server) {
	s.HandleIQ(core.AtServer, NSPing, "ping", f.ping)
	s.HandleIQ(core.AtAccount, NSPing, "ping", f.ping)
	s.HandleIQ(core.AtServer, NSTime, "time", f.time)
	s.HandleIQ(core.AtServer, NSVersion, "query", f.software)
	s.HandleIQ(core.AtServer, NSLast, "query", f.uptime)
}

// ping answers everybody who asks the server, and of accounts only their own devices: an answer would tell others that the account is there.
func (f *Feature) ping(_ context.Context, r *core.Request) (*xmpp.Element, error) {
	if r.Account != nil && !r.Own() {
		return nil, xmpp.ServiceUnavailable
	}
	return nil, nil
}

// time is the server's (XEP-0202 §3).
func (f *Feature) time(context.Context, *core.Request) (*xmpp.Element, error) {
	now := time.Now()
	return xmpp.NewElement(NSTime, "time", xmpp.NewText(NSTime, "tzo", now.Format("-07:00")),
		xmpp.NewText(NSTime, "utc", now.UTC().Format("2006-01-02T15:04:05.000Z"))), nil
}

// software is what runs here (XEP-0092 §2).
func (f *Feature) software(context.Context, *core.Request) (*xmpp.Element, error) {
	query := xmpp.NewElement(NSVersion, "query", xmpp.NewText(NSVersion, "name", "Palabre"))
	if f.version != "" {
		query.Add(xmpp.NewText(NSVersion, "version", f.version))
	}
	return query, nil
}

// uptime is how long the server has been running.
func (f *Feature) uptime(context.Context, *core.Request) (*xmpp.Element, error) {
	return xmpp.NewElement(NSLast, "query").Set("seconds", strconv.FormatInt(int64(time.Since(f.since)/time.Second), 10)), nil
}
