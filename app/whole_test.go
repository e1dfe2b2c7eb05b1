package app

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"palabre.dev/palabre/feature/account"
	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// secret is in everything that juliet says, keeps and publishes.
const secret = "that-which-we-call-a-rose"

// whatJulietDoes is one request for each thing that the server keeps of an account.
var whatJulietDoes = []string{
	`<iq type='set' id='roster'><query xmlns='jabber:iq:roster'><item jid='nurse@localhost' name='SECRET'><group>SECRET</group></item></query></iq>`,
	`<iq type='set' id='block'><block xmlns='urn:xmpp:blocking'><item jid='paris@far.example'><report xmlns='urn:xmpp:reporting:1' reason='urn:xmpp:reporting:abuse'><text>SECRET</text></report></item></block></iq>`,
	`<iq type='set' id='prefs'><prefs xmlns='urn:xmpp:mam:2' default='roster'><always><jid>romeo@localhost</jid></always><never/></prefs></iq>`,
	`<iq type='set' id='private'><query xmlns='jabber:iq:private'><notes xmlns='test:notes'>SECRET</notes></query></iq>`,
	`<iq type='set' id='card'><vCard xmlns='vcard-temp'><FN>SECRET</FN></vCard></iq>`,
	`<iq type='set' id='pep'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='SECRET'><item id='SECRET'><mood xmlns='test:mood'>SECRET</mood></item></publish></pubsub></iq>`,
	`<iq type='set' id='room'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:bookmarks:1'><item id='room@rooms.example'><conference xmlns='urn:xmpp:bookmarks:1' name='SECRET'/></item></publish></pubsub></iq>`,
	`<iq type='set' id='status'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='urn:xmpp:pubsub-social-feed:stories:0'><item id='SECRET'><entry xmlns='http://www.w3.org/2005/Atom'><title>SECRET</title></entry></item></publish></pubsub></iq>`,
	`<iq type='set' id='push'><enable xmlns='urn:xmpp:push:0' jid='push.far.example' node='SECRET'/></iq>`,
	`<iq type='set' id='slot' to='upload.localhost'><bad xmlns='urn:xmpp:http:upload:0'>SECRET</bad></iq>`,
	`<iq type='set' id='invite' to='localhost'><command xmlns='http://jabber.org/protocol/commands' node='urn:xmpp:invite#invite' action='execute'/></iq>`,
	`<presence to='SECRET@groups.localhost/SECRET'><x xmlns='http://jabber.org/protocol/muc'/></presence>`,
	`<iq type='set' id='group' to='SECRET@groups.localhost'><query xmlns='http://jabber.org/protocol/muc#owner'><x xmlns='jabber:x:data' type='submit'/></query></iq>`,
	`<message type='groupchat' id='groupchat' to='SECRET@groups.localhost'><body>SECRET</body></message>`,
	`<iq type='set' id='channel' to='channels.localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'><create node='SECRET'/></pubsub></iq>`,
	`<iq type='set' id='follow' to='channels.localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'><subscribe node='SECRET' jid='juliet@localhost'/></pubsub></iq>`,
	`<iq type='set' id='post' to='channels.localhost'><pubsub xmlns='http://jabber.org/protocol/pubsub'><publish node='SECRET'><item id='SECRET'><entry xmlns='http://www.w3.org/2005/Atom'><id>SECRET</id><title>SECRET</title><updated>2026-11-21T18:00:00Z</updated></entry></item></publish></pubsub></iq>`,
	`<iq type='set' id='react' to='channels.localhost'><react xmlns='urn:palabre:channel:0' node='SECRET' item='SECRET'>👍</react></iq>`,
	`<iq type='get' id='unknown'><query xmlns='test:SECRET'>SECRET</query></iq>`,
	`<message type='chat' id='nobody' to='SECRET@localhost'><body>SECRET</body></message>`,
	`<message type='chat' id='self' to='juliet@localhost'><body>SECRET</body></message>`,
}

// live lets juliet use all that the server offers, with something of hers in each.
func live(t *testing.T, r *running) *palabretest.Person {
	t.Helper()
	juliet := r.test.Person(t, "juliet/balcony")
	juliet.Connect()
	success := juliet.Authenticate(palabretest.Auth{Mechanism: "SCRAM-SHA-256-PLUS", SASL2: true, Inline: `<user-agent id='d4565fa7-4d72-4749-b3d3-740edbf87770'><software>` + secret +
		`</software></user-agent><request-token xmlns='urn:xmpp:fast:0' mechanism='HT-SHA-256-EXPR'/><bind xmlns='urn:xmpp:bind:0'><enable xmlns='urn:xmpp:carbons:2'/></bind>`})
	if success.Child("urn:xmpp:fast:0", "token") == nil {
		t.Fatalf("no token: %s", success)
	}
	if success.Child("urn:xmpp:bind:0", "bound").Child("urn:xmpp:mam:2", "metadata") == nil {
		t.Errorf("Bind 2 tells nothing of the archive: %s", success)
	}
	juliet.Expect(xmpp.NSStream, "features")
	juliet.Send(`<presence><status>` + secret + `</status></presence>`)
	for _, text := range whatJulietDoes {
		juliet.Send(strings.ReplaceAll(text, "SECRET", secret))
	}
	put(t, r, juliet)
	romeo := r.test.Login(t, "romeo/home")
	romeo.Send(`<message type='chat' id='m1' to='juliet@localhost'><body>` + secret + `</body></message>`)
	romeo.Until()
	romeo.Close()
	juliet.Until()
	return juliet
}

// put shares a file.
func put(t *testing.T, r *running, who *palabretest.Person) {
	t.Helper()
	who.Until()
	who.Send(fmt.Sprintf(`<iq type='get' id='file' to='upload.localhost'><request xmlns='urn:xmpp:http:upload:0' filename='%s.txt' size='%d' content-type='text/plain'/></iq>`, secret, len(secret)))
	slot := who.Receive().Child("urn:xmpp:http:upload:0", "slot").Child("urn:xmpp:http:upload:0", "put")
	address, err := url.Parse(slot.Attr("url"))
	if err != nil {
		t.Fatal(err)
	}
	browser, base := r.browser()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, base+address.Path, strings.NewReader(secret))
	if err != nil {
		t.Fatal(err)
	}
	response, err := browser.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Close(); response.StatusCode != http.StatusCreated {
		t.Fatalf("upload: %d", response.StatusCode)
	}
}

// tables are the names of all tables of ours, with the number of their columns.
func tables(t *testing.T, db *store.DB) map[string]int {
	t.Helper()
	sql := `select m.name, count(*) from sqlite_master m, pragma_table_info(m.name) where m.type = 'table' group by m.name`
	if db.Engine() != "sqlite" {
		sql = `select table_name::text, count(*) from information_schema.columns where table_schema = current_schema() group by table_name`
	}
	rows, err := db.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for rows.Next() {
		var name string
		var columns int
		if err := rows.Scan(&name, &columns); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "store_") && !strings.HasPrefix(name, "sqlite_") { // which migrations have run, and the clock
			all[name] = columns
		}
	}
	return all
}

// rowsWith counts the rows of a table in which a value is this number, or a text that holds this word, if there is one.
func rowsWith(t *testing.T, db *store.DB, table string, columns int, number int64, word string) (found int) {
	t.Helper()
	rows, err := db.Query(t.Context(), `select * from `+table)
	if err != nil {
		t.Fatal(err)
	}
	values, into := make([]any, columns), make([]any, columns)
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			t.Fatalf("%s: %v", table, err)
		}
		if slices.ContainsFunc(values, func(value any) bool {
			return value == any(number) || word != "" && strings.Contains(fmt.Sprintf("%s", value), word)
		}) {
			found++
		}
	}
	return found
}

// impersonal are the tables in which juliet's life leaves nothing, and why.
var impersonal = map[string]string{
	"account_gone":        "names of removed accounts",
	"register_password":   "made by an administrator",
	"channel_gone":        "hashes of names that nobody gets again",
	"channel_scheduled":   "posts that wait for their time",
	"channel_person":      "by the number of a channel and an address",
	"group_child":         "which group is in which community, by their numbers",
	"group_consequence":   "work that is done meanwhile",
	"group_link":          "invitations to a group, which goes with her",
	"group_picture":       "what a group is shown by",
	"group_request":       "she asks to be let in nowhere",
	"health_done":         "the server's",
	"archive_account":     "written some time later",
	"archive_contact":     "written some time later",
	"archive_cursor":      "written some time later",
	"archive_filed":       "how far all is written there",
	"c2s_secret":          "the server's",
	"caps_known":          "hashes of apps",
	"jobs_job":            "work that is done meanwhile",
	"last_seen":           "written when she leaves",
	"pubsub_affiliation":  "by the number of a node",
	"pubsub_subscription": "by the number of a node",
	"push_key":            "the server's",
	"roster_farewell":     "written when she is removed",
	"upload_part":         "files that are under way",
	"upload_transfer":     "files that are under way",
}

func TestARemovedAccountLeavesNothing(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			cfg := testConfig(t, engine)
			if engine == storetest.SQLite {
				cfg.Store = storetest.File(t)
			}
			r := start(t, cfg)
			juliet := live(t, r)
			removed, err := r.accounts.Lookup(t.Context(), "juliet")
			if err != nil {
				t.Fatal(err)
			}
			all := tables(t, r.db)
			for table, columns := range all {
				if n := rowsWith(t, r.db, table, columns, removed.ID, secret); n == 0 && impersonal[table] == "" {
					t.Errorf("%s: nothing of juliet's is in it: the test cannot see whether a removal removes it", table)
				}
			}
			if err := r.accounts.Remove(t.Context(), removed, nil); err != nil {
				t.Fatal(err)
			}
			juliet.Expect(xmpp.NSStream, "error")
			juliet.Closed()
			r.stop()
			again := serveAgain(t, r.cfg)
			until(t, "the account is gone", func() bool { return rowsWith(t, again.db, "account", all["account"], removed.ID, "") == 0 })
			until(t, "the uploaded bytes are gone", func() bool {
				uploaded := false
				filesWith(t, filepath.Join(r.cfg.Data, "uploads"), func(string) { uploaded = true })
				return !uploaded && rowsWith(t, again.db, "upload_file", all["upload_file"], removed.ID, secret) == 0
			})
			for table, columns := range all {
				word := secret
				if table == "archive_entry" {
					word = "" // those whom she talked with keep what was said
				}
				if n := rowsWith(t, again.db, table, columns, removed.ID, word); n != 0 {
					t.Errorf("%s: %d rows are left", table, n)
				}
			}
		})
	}
}

// filesWith calls found for the files below a folder that hold the secret.
func filesWith(t *testing.T, folder string, found func(path string)) {
	t.Helper()
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && entry.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if bytes.Contains(text, []byte(secret)) {
			found(path)
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// buffer is a log that several may write at once.
type buffer struct {
	mu   sync.Mutex // guards what follows
	text bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func TestLogsHoldNothingThatIsSaid(t *testing.T) {
	log := &buffer{}
	r := startWith(t, testConfig(t, storetest.SQLite), slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})))
	live(t, r)
	r.stop()
	text := log.text.String()
	if !strings.Contains(text, "account created") || !strings.Contains(text, "level=DEBUG") {
		t.Errorf("this is no log of a life: %s", text)
	}
	for line := range strings.Lines(text) {
		if strings.Contains(line, secret) || strings.Contains(line, palabretest.Password) {
			t.Errorf("logged: %s", line)
		}
	}
}

func TestLoginBringsCarbonsAndTheEndOfTheArchive(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	balcony := live(t, r)
	chamber := r.test.Login(t, "juliet/chamber")
	chamber.Send(`<message type='chat' id='m2' to='romeo@localhost'><body>good night</body></message>`)
	if sent := balcony.Receive().Child("urn:xmpp:carbons:2", "sent"); sent == nil {
		t.Error("carbons were asked for with the login, and none came")
	}
	chamber.Until()
	again := r.test.Person(t, "juliet/orchard")
	again.Connect()
	success := again.Authenticate(palabretest.Auth{Mechanism: "SCRAM-SHA-256-PLUS", SASL2: true, Inline: `<bind xmlns='urn:xmpp:bind:0'/>`})
	ends := success.Child("urn:xmpp:bind:0", "bound").Child("urn:xmpp:mam:2", "metadata")
	if first, last := ends.Child("urn:xmpp:mam:2", "start").Attr("id"), ends.Child("urn:xmpp:mam:2", "end").Attr("id"); first == "" || last <= first {
		t.Errorf("the ends of the archive: %s", ends)
	}
}

// generated are the parts of an export that differ from server to server though they mean the same.
var generated = regexp.MustCompile(` ver=(['"])[^'"]*['"]`)

func TestAnAccountMovesWithAllThatItHas(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			old := start(t, testConfig(t, engine))
			live(t, old).Close()
			if nurse, err := old.accounts.Lookup(t.Context(), "nurse"); err != nil || old.accounts.Disable(t.Context(), nurse) != nil {
				t.Fatal(err)
			}
			var before, after bytes.Buffer
			if err := Operate(t.Context(), old.cfg, "export", AccountArgs{Name: "juliet"}, nil, &before); err != nil {
				t.Fatal(err)
			}
			cfg := testConfig(t, engine)
			var done account.Imported
			home := serveAgain(t, cfg)
			var out bytes.Buffer
			if err := Operate(t.Context(), cfg, "import", struct{}{}, bytes.NewReader(before.Bytes()), &out); err != nil {
				t.Fatal(err, out.String())
			}
			if err := json.Unmarshal(out.Bytes(), &done); err != nil || !slices.Equal(done.Names, []string{"juliet"}) {
				t.Fatal(err, out.String())
			}
			if err := Operate(t.Context(), cfg, "export", AccountArgs{Name: "juliet"}, nil, &after); err != nil {
				t.Fatal(err)
			}
			was, is := generated.ReplaceAllString(before.String(), ""), generated.ReplaceAllString(after.String(), "")
			if was != is {
				t.Errorf("exported\n%s\n\nand after the move\n%s", was, is)
			}
			for _, part := range []string{"jabber:iq:roster", "urn:xmpp:blocking", "jabber:iq:private", "vcard-temp", "urn:xmpp:bookmarks:1", "urn:xmpp:pie:0#mam", "prefs", "urn:xmpp:pie:0#scram"} {
				if !strings.Contains(is, part) {
					t.Errorf("nothing of %s moves", part)
				}
			}
			before.Reset()
			if err := Operate(t.Context(), old.cfg, "export", AccountArgs{Name: "nurse"}, nil, &before); err != nil {
				t.Fatal(err)
			}
			if err := Operate(t.Context(), cfg, "import", struct{}{}, &before, nil); err != nil {
				t.Fatal(err)
			}
			if _, disabled, err := home.accounts.Credentials(t.Context(), "nurse"); err != nil || !disabled {
				t.Error("an account that was closed is open after the move", err)
			}
			juliet := home.test.Login(t, "juliet/home")
			juliet.Send(`<iq type='get' id='q'><vCard xmlns='vcard-temp'/></iq>`)
			if name := juliet.Receive().Child("vcard-temp", "vCard").ChildText("vcard-temp", "FN"); name != secret {
				t.Errorf("her card says %q", name)
			}
		})
	}
}

func TestReportsReachTheOperator(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	live(t, r)
	var found []Report
	ask(t, r.cfg, "reports", ReportsArgs{Max: 10}, &found)
	if len(found) != 1 || found[0].JID != "paris@far.example" || found[0].By != "juliet" || found[0].Kind != "abuse" || found[0].Words != secret {
		t.Errorf("%+v", found)
	}
	form, _ := administerNode(t, r.test.Login(t, "romeo/home"), "urn:palabre:reports:0")
	if line := form.Get("reports"); !strings.Contains(line, "paris@far.example: abuse, by juliet") || !strings.Contains(line, `"`+secret+`"`) {
		t.Errorf("the administrator reads %q", line)
	}
	nurse := r.test.Login(t, "nurse/home")
	nurse.Send(`<iq type='set' to='localhost' id='c'><command xmlns='http://jabber.org/protocol/commands' node='urn:palabre:reports:0'/></iq>`)
	if answer := nurse.Receive(); answer.Attr("type") != "error" || strings.Contains(answer.String(), "paris") {
		t.Errorf("anybody may read reports: %s", answer)
	}
}
