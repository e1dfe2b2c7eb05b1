package drill

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"palabre.dev/palabre/client"
	"palabre.dev/palabre/xmpp"
)

// TestFullDisk has the disk full for a while: what cannot be kept is refused with resource-constraint and nothing else happens; reading
// and logging in go on; when there is room again, so does everything. Then the server is killed, and what was taken must be there.
func TestFullDisk(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		server := newServer(t, "")
		server.useDisk(newDisk(t, filepath.Join(server.folder, "data")))
		fullDisk(t, server, server.disk)
	})
	t.Run("postgres", func(t *testing.T) {
		base := newCluster(t)
		fullDisk(t, newServer(t, base.url()), base.disk)
	})
}

// letters are numbered messages from romeo to juliet and what became of them.
type letters struct {
	t       *testing.T
	romeo   *client.Client
	n       int
	mu      sync.Mutex        // guards what follows
	refused map[string]string // conditions, by id
	arrived []string          // at juliet's
	came    counter
}

func fullDisk(t *testing.T, server *palabre, d *disk) {
	ctx, cancel := context.WithTimeout(t.Context(), enough(0))
	defer cancel()
	server.add("romeo")
	server.add("juliet")
	server.start()
	l := &letters{t: t, refused: map[string]string{}}
	cfg := server.config("romeo")
	cfg.OnMessage = l.bounce
	l.romeo = server.connect(ctx, cfg)
	cfg = server.config("juliet")
	cfg.OnMessage = l.take
	juliet := server.connect(ctx, cfg)

	l.send(ctx, 100)
	if n := len(l.refused); n > 0 {
		t.Errorf("%d refused while there is room", n)
	}
	d.fill()
	kept := l.n
	for len(l.refusals()) == 0 && ctx.Err() == nil { // until what was reserved is used up
		l.send(ctx, 100)
	}
	l.send(ctx, 100)
	for id, condition := range l.refusals() {
		if condition != "resource-constraint" {
			t.Errorf("%s was refused with %s", id, condition)
		}
	}
	t.Logf("full: %d of %d messages refused", len(l.refusals()), l.n-kept)
	readOn(ctx, t, server, juliet)
	d.clear()
	before := len(l.refusals())
	l.send(ctx, 100)
	if n := len(l.refusals()) - before; n > 0 {
		t.Errorf("%d refused though there is room again", n)
	}
	if err := juliet.SetContact(ctx, client.Contact{JID: contactOf("tybalt")}); err != nil {
		t.Errorf("change with room again: %v", err)
	}
	server.kill()
	server.start()
	l.compare(ctx, server)
	server.stop()
}

// readOn does what must go on while the disk is full.
func readOn(ctx context.Context, t *testing.T, server *palabre, juliet *client.Client) {
	t.Helper()
	if _, err := juliet.Archive(ctx, client.ArchiveQuery{Last: true}); err != nil {
		t.Errorf("archive of the full disk: %v", err)
	}
	if _, err := juliet.Roster(ctx); err != nil {
		t.Errorf("roster of the full disk: %v", err)
	}
	server.connect(ctx, server.config("romeo")).Close()
	err := juliet.SetContact(ctx, client.Contact{JID: contactOf("nurse")})
	if err != nil && !errors.Is(err, xmpp.ResourceConstraint) { // small changes may still have room
		t.Errorf("change on a full disk: %v", err)
	}
}

// send sends so many messages and returns when each is kept or refused.
func (l *letters) send(ctx context.Context, n int) {
	l.t.Helper()
	for range n {
		st := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", ID: fmt.Sprintf("m%d", l.n), To: xmpp.MustJID("juliet@localhost")}
		st.Add(xmpp.NewText(xmpp.NSClient, "body", st.ID))
		l.n++
		if err := l.romeo.Send(ctx, st); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := l.romeo.Flush(ctx); err != nil {
		l.t.Fatal(err)
	}
	if err := l.romeo.Ping(ctx, xmpp.JID{}); err != nil { // refusals come before the answer
		l.t.Fatal(err)
	}
}

func (l *letters) bounce(_ context.Context, st *xmpp.Stanza) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if st.IsError() {
		l.refused[st.ID] = xmpp.ErrorOf(st).Condition
	}
}

func (l *letters) take(_ context.Context, st *xmpp.Stanza) {
	l.mu.Lock()
	l.arrived = append(l.arrived, st.Body())
	l.mu.Unlock()
	l.came.add()
}

func (l *letters) refusals() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.refused)
}

// compare wants each message that was not refused once and in order, and no other.
func (l *letters) compare(ctx context.Context, server *palabre) {
	l.t.Helper()
	var want []string
	for n := range l.n {
		if id := fmt.Sprintf("m%d", n); l.refused[id] == "" {
			want = append(want, id)
		}
	}
	if err := l.came.reach(ctx, int64(len(want))); err != nil {
		l.t.Errorf("juliet's device: %v", err)
	}
	l.mu.Lock()
	l.same("juliet's device", l.arrived, want)
	l.mu.Unlock()
	d := &run{t: l.t, server: server}
	for _, name := range []string{"romeo", "juliet"} {
		l.same("archive of "+name, d.archive(ctx, server.connect(ctx, server.config(name))), want)
	}
}

func (l *letters) same(where string, got, want []string) {
	l.t.Helper()
	if !slices.Equal(got, want) {
		l.t.Errorf("%s has %d messages, %d were taken: %.300q", where, len(got), len(want), got)
	}
}
