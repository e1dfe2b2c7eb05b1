package group

import (
	"slices"
	"strings"
	"testing"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store/storetest"
)

// newCourt is a group of romeo's with juliet, in a server where all of these have accounts.
func newCourt(t *testing.T) (w *coretest.World, romeo, juliet *coretest.Device) {
	db := storetest.Open(t, storetest.SQLite)
	w = coretest.New(t, db)
	g, err := New(t.Context(), DefaultConfig(), db, Siblings{}, coretest.Log(t))
	if err != nil {
		t.Fatal(err)
	}
	g.Attach(w.Server)
	for _, name := range []string{"benvolio", "abram"} {
		w.Add(name)
	}
	romeo, juliet = w.Bind("romeo", "a"), w.Bind("juliet", "a")
	romeo.Say("<presence to='" + yard + "/romeo'><x xmlns='" + nsMUC + "'/></presence>")
	romeo.Say("<iq type='set' id='c' to='" + yard + "'><query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'/></query></iq>")
	if !stand(romeo, "j", "juliet", "member") {
		t.Fatal("could not add juliet")
	}
	juliet.Say("<presence to='" + yard + "/juliet'><x xmlns='" + nsMUC + "'/></presence>")
	return w, romeo, juliet
}

// TestNoAddressGoesOut has mercutio do, and have done to him, all that there is in a group that shows addresses to administrators alone: nothing that juliet, a plain
// member, hears or is answered names him by his address.
func TestNoAddressGoesOut(t *testing.T) {
	w, romeo, juliet := newCourt(t)
	set := func(payload string) { romeo.Say("<iq type='set' id='s' to='" + yard + "'>" + payload + "</iq>") }
	set("<query xmlns='" + nsOwner + "'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + configForm + "</value></field>" +
		"<field var='muc#roomconfig_whois'><value>moderators</value></field><field var='" + NS + "#approve'><value>1</value></field></x></query>")
	juliet.Say("<iq type='set' id='at' to='groups.localhost'><attend xmlns='" + NS + "'/></iq>")
	juliet.Heard()
	mercutio := w.Bind("mercutio", "a")
	juliet.Say("<message to='" + yard + "'><x xmlns='" + nsUser + "'><invite to='benvolio@localhost'/></x></message>")
	mercutio.Say("<iq type='set' id='r' to='" + yard + "'><query xmlns='jabber:iq:register'><x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>" + registerForm +
		"</value></field><field var='muc#register_roomnick'><value>Queen Mab</value></field></x></query></iq>")
	set("<decide xmlns='" + NS + "' jid='mercutio@localhost' allow='1'/>")
	mercutio.Say("<presence to='" + yard + "/Queen Mab'><x xmlns='" + nsMUC + "'/><x xmlns='" + nsUser + "'><item jid='mercutio@localhost/a'/></x></presence>")
	for _, text := range []string{
		"<message type='groupchat' id='m1' to='" + yard + "'><body>a</body></message>",
		"<message type='groupchat' id='m2' to='" + yard + "'><subject>b</subject></message>",
		"<message type='chat' id='m3' to='" + yard + "/juliet'><body>c</body></message>",
		"<presence to='" + yard + "/Mab'/>",
		"<presence to='" + yard + "/Mab'><show>away</show></presence>",
		"<iq type='set' id='l' to='" + yard + "'><link xmlns='" + NS + "'/></iq>",
		"<message to='" + yard + "'><x xmlns='" + nsUser + "'><invite to='abram@localhost'/></x></message>",
		"<presence type='unavailable' to='" + yard + "/Mab'/>",
		"<message type='groupchat' id='m4' to='" + yard + "'><body>d</body></message>",
		"<message type='groupchat' id='m5' to='" + yard + "'><body>e</body><replace xmlns='urn:xmpp:message-correct:0' id='m4'/></message>",
		"<presence to='" + yard + "/Mab'><x xmlns='" + nsMUC + "'/></presence>",
	} {
		mercutio.Say(text)
	}
	early := juliet.Heard()
	i := slices.IndexFunc(early, func(text string) bool { return strings.Contains(text, "<body>e</body>") })
	if i < 0 {
		t.Fatalf("juliet heard %q", early)
	}
	_, last, _ := strings.Cut(early[i], "after='")
	last, _, _ = strings.Cut(last, "'")
	set("<moderate xmlns='" + nsModerate + "' id='" + last + "'><retract xmlns='" + nsRetract + "'/></moderate>")
	for _, as := range []string{"admin", "member", "outcast"} {
		if !stand(romeo, as, "mercutio", as) {
			t.Fatal("could not be made " + as)
		}
	}
	asks := []string{"<query xmlns='" + nsMAM + "'/>", "<query xmlns='" + nsInfo + "'/>", "<query xmlns='" + nsItems + "'/>", "<metadata xmlns='" + nsMAM + "'/>", "<vCard xmlns='" + nsCard + "'/>",
		"<links xmlns='" + NS + "'/>", "<requests xmlns='" + NS + "'/>", "<invitations xmlns='" + NS + "'/>", "<query xmlns='" + nsAdmin + "'><item role='participant'/></query>", "<query xmlns='" + nsOwner + "'/>"}
	for _, as := range []string{"member", "admin", "owner", "outcast", "none"} {
		asks = append(asks, "<query xmlns='"+nsAdmin+"'><item affiliation='"+as+"'/></query>")
	}
	for _, payload := range asks {
		kind := map[bool]string{true: "set", false: "get"}[payload == asks[0]]
		juliet.Say("<iq type='" + kind + "' id='q' to='" + yard + "'>" + payload + "</iq>")
	}
	juliet.Say("<presence type='unavailable' to='" + yard + "/juliet'/>")
	juliet.Say("<presence to='" + yard + "/juliet'><x xmlns='" + nsMUC + "'/></presence>")
	juliet.Say("<message to='" + yard + "'><x xmlns='" + nsUser + "'><decline to='mercutio@localhost'/></x></message>")
	texts := juliet.Heard()
	if len(texts) < 2*len(asks) {
		t.Errorf("juliet heard %d things", len(texts))
	}
	for _, text := range append(texts, early...) {
		if strings.Contains(text, "mercutio@") || strings.Contains(text, "benvolio@") || strings.Contains(text, "abram@") {
			t.Errorf("juliet heard %s", text)
		}
	}
}
