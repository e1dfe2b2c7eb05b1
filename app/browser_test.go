package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"palabre.dev/palabre/feature/register"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
)

func TestInvitationTellsTheWebClient(t *testing.T) {
	cfg := testConfig(t, storetest.SQLite)
	cfg.Register.AttemptsPerHour = 5
	r := start(t, cfg)
	client, base := r.browser()
	juliet, err := r.accounts.Lookup(t.Context(), "juliet")
	if err != nil {
		t.Fatal(err)
	}
	link, err := r.invites.Invite(t.Context(), juliet, register.Invite{Befriend: true, Account: true})
	if err != nil {
		t.Fatal(err)
	}
	page := base + link.Web[strings.Index(link.Web, "/invite/"):]
	var about struct {
		Domain, Inviter string
		Account, Admin  bool
	}
	status, body := fetch(t, client, page+"/about", "")
	if err := json.Unmarshal([]byte(body), &about); err != nil || status != 200 || about.Inviter != "juliet@localhost" || about.Domain != "localhost" || !about.Account || about.Admin {
		t.Errorf("about: %d %s %v", status, body, err)
	}
	for name, want := range map[string]string{"benvolio": `{"free":true}`, "romeo": `"taken"`, "admin": `"taken"`, "a%20b": `"unusable"`, "": `"unusable"`} {
		if status, body := fetch(t, client, page+"/free?name="+name, ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%q: %d %s, want %s", name, status, body, want)
		}
	}
	if status, _ := fetch(t, client, page, "name=benvolio&password="+palabretest.Password); status != 201 {
		t.Fatalf("account: %d", status)
	}
	for _, path := range []string{"/about", "/free?name=abram"} {
		if status, _ := fetch(t, client, page+path, ""); status != 404 {
			t.Errorf("used up, %s: %d", path, status)
		}
	}
	for i, want := range []int{404, 429} { // the page, about and two wrong ones came before
		if status, _ := fetch(t, client, fmt.Sprintf("%s/invite/guess%d/free?name=abram", base, i), ""); status != want {
			t.Errorf("guess %d: %d", i, status)
		}
	}
}

func TestInvitationLeadsToTheWebClientFirst(t *testing.T) {
	r := start(t, testConfig(t, storetest.SQLite))
	client, base := r.browser()
	var link struct{ Web string }
	ask(t, r.cfg, "invite", InviteArgs{}, &link)
	path := link.Web[strings.Index(link.Web, "/invite/"):]
	offer := strings.Replace(path, "/invite/", `href="/join/`, 1)
	if _, body := fetch(t, client, base+path, ""); strings.Contains(body, offer) != r.site.Built() {
		t.Errorf("client built: %t\n%s", r.site.Built(), body)
	}
	r.invites.OfferBrowser()
	_, body := fetch(t, client, base+path, "")
	if at := strings.Index(body, offer); at < 0 || at > strings.Index(body, "xmpp:") || !strings.Contains(body, `method="post"`) {
		t.Errorf("not the first choice, or the plain page is gone:\n%s", body)
	}
}
