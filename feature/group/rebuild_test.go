package group

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"palabre.dev/palabre/store"
	"palabre.dev/palabre/store/storetest"
	"palabre.dev/palabre/test/palabretest"
	"palabre.dev/palabre/xmpp"
)

// whole is all that a group is, but for its password.
type whole struct {
	settings Settings
	subject  string
	ended    bool
	members  map[string]standing // without what nicks look like
}

// rebuilt is what the changes in the log of a group make of it.
func rebuilt(t *testing.T, db *store.DB, room int64) whole {
	t.Helper()
	w := whole{members: map[string]standing{}}
	rows, err := db.Query(t.Context(), "select id, stanza from group_entry where room = $1 and kind = $2 order by id", room, int64(changeEntry))
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var id int64
		var text string
		if err := rows.Scan(&id, &text); err != nil {
			t.Fatal(err)
		}
		st, err := parseStanza(text)
		if err != nil {
			t.Fatal(err)
		}
		if subject := st.Child(xmpp.NSClient, "subject"); subject != nil {
			w.subject = text
		}
		if change := st.Child(NS, "change"); change != nil {
			w.apply(t, id, change)
		}
	}
	return w
}

func (w *whole) apply(t *testing.T, id int64, change *xmpp.Element) {
	t.Helper()
	w.ended = w.ended || change.Attr("what") == "destroyed"
	if x := change.Child(xmpp.NSData, "x"); x != nil {
		form, err := xmpp.ParseForm(x)
		if err != nil {
			t.Fatal(err)
		}
		w.settings = Settings{Locked: form.Get(NS+"#locked") == "1"}
		for _, field := range form.Fields {
			if err := w.settings.takeField(field.Var, valueOf(field)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for who := range change.Children() {
		if !who.Is(NS, "who") {
			continue
		}
		jid := who.Attr("jid")
		was, now := w.members[jid], standing{nick: who.Attr("nick"), hats: who.Attr("hats"), since: w.members[jid].since}
		var ok bool
		if now.affiliation, ok = parseAffiliation(who.Attr("affiliation")); !ok || who.Attr("was") != was.affiliation.String() {
			t.Errorf("%s, who stands as %s: %s", jid, was.affiliation, change)
		}
		if who.Attr("invited") == "true" {
			if now.offered, ok = parseAffiliation(who.Attr("offered")); !ok {
				t.Errorf("invited as what? %s", change)
			}
		}
		if was.affiliation < member {
			now.since = id
		}
		if w.members[jid] = now; now.affiliation == none && !now.invited() {
			delete(w.members, jid)
		}
	}
	w.ended = w.ended || !slices.ContainsFunc(slices.Collect(maps.Values(w.members)), func(s standing) bool { return s.affiliation >= member })
}

// stored is what the database has of a group.
func stored(t *testing.T, db *store.DB, name string) (room int64, w whole) {
	t.Helper()
	var settings string
	err := db.QueryRow(t.Context(), "select id, settings, subject, destroyed is not null from group_room where name = $1", name).Scan(&room, &settings, &w.subject, &w.ended)
	if err != nil {
		t.Fatal(err)
	}
	if w.settings, err = readSettings(settings); err != nil {
		t.Fatal(err)
	}
	w.settings.Password = ""
	w.members = map[string]standing{}
	rows, err := db.Query(t.Context(), "select jid, affiliation, nick, since, offered, hats from group_member where room = $1", room)
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		var jid string
		var s standing
		if err := rows.Scan(&jid, &s.affiliation, &s.nick, &s.since, &s.offered, &s.hats); err != nil {
			t.Fatal(err)
		}
		w.members[jid] = s
	}
	return room, w
}

func (w *whole) equal(other whole) bool {
	return w.settings == other.settings && w.subject == other.subject && w.ended == other.ended && maps.Equal(w.members, other.members)
}

// randomChange is a request that somebody makes of a group; many are refused.
func randomChange(random *rand.Rand, room string) string {
	names := []string{"romeo", "juliet", "mercutio", "nurse", "paris", "tybalt"}
	name := names[random.IntN(len(names))]
	yes := func() int { return random.IntN(2) }
	switch random.IntN(11) {
	case 0:
		return fmt.Sprintf("<iq type='set' id='s' to='%s'><query xmlns='%s'><x xmlns='jabber:x:data' type='submit'><field var='muc#roomconfig_roomname'><value>Name &amp; %d</value></field>"+
			"<field var='muc#roomconfig_changesubject'><value>%d</value></field><field var='muc#roomconfig_roomdesc'><value>%s</value></field>"+
			"<field var='muc#roomconfig_publicroom'><value>%d</value></field><field var='urn:palabre:group:0#slow'><value>0</value></field>"+
			"<field var='muc#roomconfig_allowinvites'><value>%d</value></field></x></query></iq>", room, nsOwner, random.IntN(9), yes(), name, yes(), yes())
	case 1:
		return fmt.Sprintf("<message type='groupchat' to='%s'><subject>about %s</subject></message>", room, name)
	case 2:
		return fmt.Sprintf("<presence to='%s/%s %d'><x xmlns='http://jabber.org/protocol/muc'/></presence>", room, name, random.IntN(3))
	case 3:
		return fmt.Sprintf("<presence to='%s/%s %d'/>", room, name, random.IntN(3))
	case 4:
		return fmt.Sprintf("<message to='%s'><x xmlns='%s'><invite to='%s@localhost'/></x></message>", room, nsUser, name)
	case 5:
		hats := ""
		for i := range random.IntN(4) {
			hats += fmt.Sprintf("<value>urn:hat:%d - Hat %d</value>", i, i)
		}
		return fmt.Sprintf("<iq type='set' id='h' to='%s'><query xmlns='%s'><x xmlns='jabber:x:data' type='submit'><field var='urn:palabre:group:0#hats'>%s</field></x></query></iq>", room, nsOwner, hats)
	case 6, 7:
		return fmt.Sprintf("<iq type='set' id='w' to='%s'><command xmlns='%s' node='%s:%s'><x xmlns='jabber:x:data' type='submit'><field var='hats#jid'><value>%s@localhost</value></field>"+
			"<field var='hats#uri'><value>urn:hat:%d</value></field></x></command></iq>", room, nsCommands, hatForm, []string{"assign", "unassign"}[yes()], name, random.IntN(3))
	default:
		as := []string{"none", "member", "admin", "owner", "outcast"}[random.IntN(5)]
		nick := ""
		if yes() == 1 {
			nick = fmt.Sprintf(" nick='n%d'", random.IntN(6))
		}
		return fmt.Sprintf("<iq type='set' id='a' to='%s'><query xmlns='%s'><item jid='%s@localhost' affiliation='%s'%s/></query></iq>", room, nsAdmin, name, as, nick)
	}
}

// TestTheLogAloneIsEnough makes random changes, and builds the group again from their entries.
func TestTheLogAloneIsEnough(t *testing.T) {
	for _, engine := range []string{storetest.SQLite, storetest.Postgres} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			random := rand.New(rand.NewPCG(seed, 0))
			const room = "verona@groups.localhost"
			s := palabretest.Start(t, engine, withStrangers())
			var people []*palabretest.Person
			for _, name := range []string{"romeo", "juliet", "mercutio", "nurse"} {
				people = append(people, s.Login(t, name+"/home"))
			}
			people[0].Send("<presence to='" + room + "/Romeo'><x xmlns='http://jabber.org/protocol/muc'/></presence>")
			people[0].Until()
			for _, other := range []string{"juliet", "mercutio", "nurse"} {
				people[0].Send(fmt.Sprintf("<iq type='set' id='a' to='%s'><query xmlns='%s'><item jid='%s@localhost' affiliation='member'/></query></iq>", room, nsAdmin, other))
			}
			people[0].Until()
			for round := range 20 {
				for range 8 {
					who := people[random.IntN(len(people))]
					who.Send(randomChange(random, room))
					if random.IntN(3) == 0 {
						who.Until()
					}
				}
				for _, who := range people {
					who.Until()
				}
				id, is := stored(t, s.DB, "verona")
				if was := rebuilt(t, s.DB, id); !is.equal(was) {
					t.Fatalf("round %d: the group is\n%+v\nand its log says\n%+v", round, is, was)
				}
			}
			id, is := stored(t, s.DB, "verona")
			var n int
			if err := s.DB.QueryRow(t.Context(), "select count(*) from group_entry where room = $1 and kind = $2", id, int64(changeEntry)).Scan(&n); err != nil || n < 20 && !is.ended {
				t.Errorf("%d changes, %+v: %v", n, is, err)
			}
		})
	}
}
