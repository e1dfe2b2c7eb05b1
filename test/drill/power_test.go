package drill

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"palabre.dev/palabre/xmpp"
)

var cuts = flag.Int("cuts", 4, "how often the power is cut on SQLite; on PostgreSQL half as often")

// TestPowerCut kills the server and takes from its files all or some of what was not synced. What was acknowledged must survive even so.
func TestPowerCut(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		server := newServer(t, "")
		server.useDisk(newDisk(t, filepath.Join(server.folder, "data")))
		drill(t, server, *cuts, func() {
			server.kill()
			server.cut()
			server.start()
		})
	})
	t.Run("postgres", func(t *testing.T) {
		base := newCluster(t)
		server := newServer(t, base.url())
		server.useDisk(newDisk(t, filepath.Join(server.folder, "data")))
		drill(t, server, *cuts/2, func() {
			server.kill()
			base.kill()
			server.cut()
			base.cut()
			base.start()
			server.start()
		})
	})
}

// TestLyingDiskLoses proves that the drill sees losses: on a disk that acknowledges the syncs of the write-ahead log and does not do
// them, which is what weaker settings (synchronous=normal, fsync=off) amount to, messages that were acknowledged are gone.
func TestLyingDiskLoses(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) {
		server := newServer(t, "")
		d := newDisk(t, filepath.Join(server.folder, "data"))
		server.useDisk(d)
		server.add("romeo")
		d.lies = ".db-wal"
		lose(t, server, func() {
			server.kill()
			d.cut(fates[0])
			server.start()
		})
	})
	t.Run("postgres", func(t *testing.T) {
		base := newCluster(t)
		server := newServer(t, base.url())
		server.add("romeo")
		base.stop()
		base.disk.lies = "/pg_wal/"
		base.start()
		lose(t, server, func() {
			server.kill()
			base.kill()
			base.disk.cut(fates[0])
			base.start()
			server.start()
		})
	})
}

// lose sends messages that are acknowledged, cuts the power, and wants some of them to be gone.
func lose(t *testing.T, server *palabre, cut func()) {
	ctx, cancel := context.WithTimeout(t.Context(), enough(0))
	defer cancel()
	server.start()
	d := &run{t: t, server: server}
	sender := server.connect(ctx, server.config("romeo"))
	const sent = 50
	for n := range sent {
		st := &xmpp.Stanza{Kind: xmpp.Message, Type: "chat", To: xmpp.MustJID("romeo@localhost")}
		st.Add(xmpp.NewText(xmpp.NSClient, "body", fmt.Sprint(n)))
		if err := sender.SendAcked(ctx, st); err != nil {
			t.Fatal(err)
		}
	}
	sender.Kill()
	cut()
	if left := len(d.archive(ctx, server.connect(ctx, server.config("romeo")))); left >= sent {
		t.Errorf("%d of %d are there: the drill does not see what is lost", left, sent)
	}
	server.stop()
}

// useDisk lets the server run on a disk that forgets, from its first start on.
func (p *palabre) useDisk(d *disk) {
	p.t.Helper()
	b, err := buildTools()
	if err != nil {
		p.t.Fatal(err)
	}
	p.disk, p.binary = d, b.palabre
	d.must(os.MkdirAll(d.root, 0o700))
	d.begin()
}

func (p *palabre) cut() {
	p.t.Helper()
	f := fates[rand.IntN(len(fates))]
	p.t.Logf("power cut; of what was not synced survives: %s", f.name)
	p.disk.cut(f)
}
