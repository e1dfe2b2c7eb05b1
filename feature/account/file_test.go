package account

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/sasl"
)

// keepNotes stands in for a feature with data: one <note xmlns='urn:test'/> for each account.
func keepNotes(s *core.Server) map[int64]string {
	notes := map[int64]string{}
	s.OnExport(func(_ context.Context, account *core.Account) ([]*xmpp.Element, error) {
		return []*xmpp.Element{xmpp.NewText("urn:test", "note", notes[account.ID])}, nil
	})
	s.OnImport(func(_ context.Context, account *core.Account, part *xmpp.Element) error {
		if part.Is("urn:test", "note") {
			notes[account.ID] = part.Text()
		}
		return nil
	})
	s.OnRemove(func(_ context.Context, account *core.Account) error { delete(notes, account.ID); return nil })
	return notes
}

func TestExportAndImport(t *testing.T) { storetest.Each(t, testExport) }

func testExport(t *testing.T, db *store.DB) {
	from, server := open(t, db)
	notes := keepNotes(server)
	for _, name := range []string{"romeo", "Ελένη"} {
		account, err := from.Create(t.Context(), name, "wherefore art", false, nil)
		if err != nil {
			t.Fatal(err)
		}
		notes[account.ID] = "<&> of " + name
	}
	var file bytes.Buffer
	if err := from.Export(t.Context(), &file, nil); err != nil {
		t.Fatal(err)
	}
	to, server := open(t, memory(t))
	notes = keepNotes(server)
	if _, err := to.Create(t.Context(), "romeo", "something else", false, nil); err != nil {
		t.Fatal(err)
	}
	done, err := to.Import(t.Context(), bytes.NewReader(file.Bytes()))
	if err != nil || len(done.Names) != 1 || len(done.Skipped) != 1 || done.Skipped[0] != "romeo: this name is taken" {
		t.Fatalf("%+v, %v\n%s", done, err, file.String())
	}
	helen, err := to.Lookup(t.Context(), "Ελένη")
	if err != nil || notes[helen.ID] != "<&> of Ελένη" {
		t.Errorf("note %q, %v", notes[helen.ID], err)
	}
	credentials, _, err := to.Credentials(t.Context(), helen.JID.Local())
	if err != nil || len(credentials) != 3 || !credentials[1].Matches("wherefore art") {
		t.Errorf("credentials %v, %v", credentials, err)
	}
}

func TestImportIsWholeOrNothing(t *testing.T) {
	a, server := open(t, memory(t))
	notes := keepNotes(server)
	broken := errors.New("disk full")
	server.OnImport(func(_ context.Context, _ *core.Account, part *xmpp.Element) error {
		if part.Local == "bad" {
			return broken
		}
		return nil
	})
	const file = `<server-data xmlns='urn:xmpp:pie:0'><host jid='elsewhere.example'><user name='paris'/></host><host jid='localhost'>
		<user name='plain' password='pass'/><user name='romeo'><note xmlns='urn:test'>x</note><bad/></user></host></server-data>`
	done, err := a.Import(t.Context(), strings.NewReader(file))
	if !errors.Is(err, broken) || len(done.Names) != 1 || done.Names[0] != "plain" {
		t.Fatalf("%+v, %v", done, err)
	}
	if all, _, err := a.Count(t.Context()); err != nil || all != 1 || len(notes) != 0 {
		t.Errorf("%d accounts, notes %v, %v", all, notes, err)
	}
	if c, _, err := a.Credentials(t.Context(), "plain"); err != nil || !c[0].Matches("pass") {
		t.Errorf("credentials of a plain password: %v", err)
	}
}

func TestImportRefusesBadFiles(t *testing.T) {
	a, _ := open(t, memory(t))
	for _, bad := range []string{"<server-data xmlns='urn:xmpp:pie:0'><host jid='localhost'><user name='x'>",
		"<a><b></a>", "<host jid='localhost'><user name='x'>" + strings.Repeat("<a>", 2*maxDepth)} {
		if done, err := a.Import(t.Context(), strings.NewReader(bad)); err == nil {
			t.Errorf("%.60s: %+v", bad, done)
		}
	}
	const odd = `<host jid='localhost'><user name='a b'/><user name='x'><scram-credentials xmlns='urn:xmpp:pie:0#scram' mechanism='SCRAM-SHA-1'>
		<iter-count>99999999</iter-count></scram-credentials></user></host>`
	done, err := a.Import(t.Context(), strings.NewReader(odd))
	if err != nil || len(done.Skipped) != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	if _, _, err := a.Credentials(t.Context(), "x"); !errors.Is(err, sasl.ErrUnknownUser) {
		t.Errorf("%v", err)
	}
}
