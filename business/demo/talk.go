package demo

import (
	"context"
	"fmt"
	"strconv"

	"palabre.dev/palabre/xmpp"
)

// line is something that somebody says; a text that begins with a # is a picture.
type line struct{ who, text string }

// conversation is between two, from the oldest line on.
type conversation struct {
	one, other string
	lines      []line
}

var conversations = []conversation{
	{"karim", "nadia", []line{
		{"nadia", "Good morning! Are you at the harbour already?"},
		{"karim", "Since six. Look at this light 😍"},
		{"karim", "#harbour"},
		{"nadia", "Beautiful. Bring some of it home, and bread."},
		{"karim", "Bread is done. Hassan has sardines today, shall I take two kilos for Friday?"},
		{"nadia", "Yes please, and lemons. I pay you back tonight."},
		{"karim", "No hurry 🙂"},
	}},
	{"karim", Fishmonger, []line{
		{Fishmonger, "Good morning Karim, this is what the boats have brought:"},
		{Fishmonger, "#catch"},
		{"karim", "Two kilos of sardines for me, please. I am there at eleven."},
		{Fishmonger, "I keep them on ice for you. 125 dirhams."},
	}},
	{"nadia", "lucie", []line{
		{"lucie", "Which train do you take on Friday?"},
		{"nadia", "The one at 17:40. Shall I keep you a seat?"},
		{"lucie", "Please! I bring the dessert 🍋"},
	}},
	{"nadia", Fishmonger, []line{
		{"nadia", "Hello Hassan, do you open on Sunday?"},
		{Fishmonger, "Until noon, as always."},
	}},
	{"karim", "omar", []line{
		{"omar", "Do you still have my drill?"},
		{"karim", "I do. I bring it on Friday!"},
	}},
	{"karim", Bank, []line{
		{Bank, "Welcome to Banque de la Place. Ask me “balance”, “last five”, or tell me “send 50 to Nadia”. Je parle aussi français, e também português."},
	}},
	{"nadia", Bank, []line{
		{Bank, "Bienvenue à la Banque de la Place. Demandez-moi « solde », « les cinq derniers », ou dites « envoie 50 à Karim ». I speak English, too."},
	}},
}

// dinner is what is said in the group.
var dinner = []line{
	{"lucie", "Dinner on Friday at our place? Who comes?"},
	{"omar", "Me!"},
	{"amina", "Me too, I bring drinks"},
	{"joao", "Count on me 🙌"},
	{"nadia", "Karim and I do the fish"},
	{"karim", "Two kilos of sardines are on ice at Hassan’s"},
	{"lucie", "That was a wonderful evening. Thank you all! 🌙"},
}

// talk says what is said between two.
func (s *scene) talk(ctx context.Context) error {
	pictures := map[string][]byte{"harbour": harbour(), "catch": catch()}
	for _, c := range conversations {
		for i, l := range c.lines {
			to := c.other
			if l.who == c.other {
				to = c.one
			}
			id := fmt.Sprintf("demo-%s-%s-%d", c.one, c.other, i+1)
			var err error
			if l.text[0] == '#' {
				err = s.sessions[l.who].show(ctx, s.jid(to), id, l.text[1:]+".png", pictures[l.text[1:]])
			} else {
				err = s.sessions[l.who].say(ctx, s.jid(to), false, id, l.text)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

const (
	nsMUC   = "http://jabber.org/protocol/muc"
	nsOwner = nsMUC + "#owner"
	nsAdmin = nsMUC + "#admin"
	nsData  = "jabber:x:data"
	nsInfo  = "http://jabber.org/protocol/disco#info"
)

// group is the address of the friends' group.
func (s *scene) group() xmpp.JID { return xmpp.MustJID("friday@groups." + s.Domain) }

// gather makes the group and says what is said there.
func (s *scene) gather(ctx context.Context) error {
	maker, room := s.sessions["lucie"], s.group()
	if _, err := maker.Get(ctx, room, xmpp.NewElement(nsInfo, "query")); err != nil {
		if err := s.makeGroup(ctx); err != nil {
			return err
		}
	}
	for i, l := range dinner {
		if err := s.sessions[l.who].say(ctx, room, true, "demo-friday-"+strconv.Itoa(i+1), l.text); err != nil {
			return err
		}
	}
	return nil
}

// makeGroup makes a private group of the friends (docs/protocol/groups.md).
func (s *scene) makeGroup(ctx context.Context) error {
	maker, room := s.sessions["lucie"], s.group()
	occupant, err := room.WithResource("Lucie")
	if err != nil {
		return err
	}
	if err := maker.Send(ctx, (&xmpp.Stanza{Kind: xmpp.Presence, To: occupant}).Add(xmpp.NewElement(nsMUC, "x"))); err != nil {
		return err
	}
	if err := maker.entered(ctx, occupant); err != nil {
		return err
	}
	form := xmpp.NewElement(nsData, "x").Set("type", "submit")
	for name, value := range map[string]string{"FORM_TYPE": nsMUC + "#roomconfig", "muc#roomconfig_roomname": "Friday dinner 🐟", "muc#roomconfig_persistentroom": "1",
		"muc#roomconfig_membersonly": "1", "muc#roomconfig_publicroom": "0", "muc#roomconfig_whois": "anyone", "muc#roomconfig_roomdesc": "Every Friday, somewhere",
		"urn:palabre:group:0#whole-history": "1"} {
		form.Add(xmpp.NewElement(nsData, "field", xmpp.NewText(nsData, "value", value)).Set("var", name))
	}
	if _, err := maker.Set(ctx, room, xmpp.NewElement(nsOwner, "query", form)); err != nil {
		return fmt.Errorf("configure the group: %w", err)
	}
	members := xmpp.NewElement(nsAdmin, "query")
	for _, name := range friends {
		if name != "lucie" {
			members.Add(xmpp.NewElement(nsAdmin, "item").Set("jid", s.jid(name).String()).Set("affiliation", "member"))
		}
	}
	if _, err := maker.Set(ctx, room, members); err != nil {
		return fmt.Errorf("add members: %w", err)
	}
	return maker.Send(ctx, &xmpp.Stanza{Kind: xmpp.Presence, Type: "unavailable", To: occupant})
}

// entered waits until a room has let us in.
func (s *session) entered(ctx context.Context, occupant xmpp.JID) error {
	for {
		select {
		case presence := <-s.came:
			if presence.From != occupant {
				continue
			}
			if presence.IsError() {
				return fmt.Errorf("enter %s: refused", occupant)
			}
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
