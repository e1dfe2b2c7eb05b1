package group

import (
	"strconv"
	"strings"

	"palabre.dev/palabre/xmpp"
)

// configField is what the names of the fields of configForm begin with, which is not the name of the form.
const configField = "muc#roomconfig"

// form are the settings as owners see them (XEP-0045 §16.5.3).
func (s *Settings) form(kind string) *xmpp.Form {
	form := xmpp.NewForm(kind, configForm)
	form.Title = "Settings of the group"
	yes := func(name, label string, on bool) {
		form.Add(name, "boolean", label, map[bool]string{true: "1", false: "0"}[on])
	}
	form.Add(configField+"_roomname", "text-single", "Name", s.Name)
	form.Add(configField+"_roomdesc", "text-single", "Description", s.Description)
	yes(configField+"_membersonly", "Only members come in", s.MembersOnly)
	yes(configField+"_publicroom", "Can be found", !s.Hidden)
	yes(configField+"_moderatedroom", "Only who was given a voice writes", s.Moderated)
	yes(configField+"_persistentroom", "Stays when nobody is there", s.Persistent)
	yes(configField+"_passwordprotectedroom", "Needs a password", s.Password != "")
	form.Add(configField+"_roomsecret", "text-private", "Password", s.Password)
	form.Add(configField+"_whois", "list-single", "Who sees addresses", map[bool]string{true: "moderators", false: "anyone"}[s.Anonymous])
	form.Fields[len(form.Fields)-1].Options = []xmpp.Option{{Label: "Moderators", Value: "moderators"}, {Label: "Everybody", Value: "anyone"}}
	form.Add(configField+"_maxusers", "text-single", "Most occupants", strconv.Itoa(s.MaxUsers))
	yes(configField+"_changesubject", "Members change name, subject and picture", s.MembersEditInfo)
	yes(configField+"_allowinvites", "Members add others", s.MembersAdd)
	yes(NS+"#only-admins-write", "Only administrators write", s.OnlyAdminsWrite)
	yes(NS+"#approve", "Who wants to come in waits for an administrator", s.Approve)
	yes(NS+"#whole-history", "Members read what was said before they came", s.WholeHistory)
	form.Add(NS+"#slow", "text-single", "Seconds between two messages of a member", strconv.Itoa(s.Slow))
	form.Add(NS+"#hats", "text-multi", "Hats, a line for each: an address, a colour from 0 to 360 or -, and what it is called")
	if s.Hats != "" {
		form.Fields[len(form.Fields)-1].Values = strings.Split(s.Hats, "\n")
	}
	return form
}

// Limits of settings.
const (
	maxName        = 100
	maxDescription = 2048
	maxSlow        = 86_400
)

// take reads the settings that an owner has sent; what is not in the form stays.
func (s *Settings) take(form *xmpp.Form) error {
	for _, f := range form.Fields {
		if err := s.takeField(f.Var, valueOf(f)); err != nil {
			return err
		}
	}
	switch protected, ok := xmpp.Bool(form.Get(configField + "_passwordprotectedroom")); {
	case ok && !protected:
		s.Password = ""
	case ok && s.Password == "":
		return xmpp.NotAcceptable.Because("which password?")
	}
	return nil
}

// valueOf is what a field says: the first value, and all lines of the hats.
func valueOf(f xmpp.Field) string {
	switch {
	case f.Var == NS+"#hats":
		return strings.Join(f.Values, "\n")
	case len(f.Values) > 0:
		return f.Values[0]
	}
	return ""
}

func (s *Settings) takeField(name, value string) error {
	if on := s.flag(name); on != nil {
		v, ok := xmpp.Bool(value)
		if !ok {
			return xmpp.NotAcceptable.Because("%s is yes or no", name)
		}
		*on = v != (name == configField+"_publicroom")
		return nil
	}
	switch name {
	case configField + "_roomname":
		return takeText(&s.Name, value, maxName, "a name")
	case configField + "_roomdesc":
		return takeText(&s.Description, value, maxDescription, "a description")
	case configField + "_roomsecret":
		return takeText(&s.Password, value, maxName, "a password")
	case configField + "_whois":
		if value != "moderators" && value != "anyone" {
			return xmpp.NotAcceptable.Because("addresses are seen by moderators or anyone")
		}
		s.Anonymous = value == "moderators"
	case configField + "_maxusers":
		return takeNumber(&s.MaxUsers, value, 1<<20, "the most occupants")
	case NS + "#hats":
		return s.takeHats(value)
	case NS + "#slow":
		return takeNumber(&s.Slow, value, maxSlow, "the pause")
	}
	return nil
}

// flag is the setting that a field turns on or off, nil if it is none.
func (s *Settings) flag(name string) *bool {
	switch name {
	case configField + "_membersonly":
		return &s.MembersOnly
	case configField + "_publicroom":
		return &s.Hidden
	case configField + "_moderatedroom":
		return &s.Moderated
	case configField + "_persistentroom":
		return &s.Persistent
	case configField + "_changesubject":
		return &s.MembersEditInfo
	case configField + "_allowinvites":
		return &s.MembersAdd
	case NS + "#only-admins-write":
		return &s.OnlyAdminsWrite
	case NS + "#approve":
		return &s.Approve
	case NS + "#whole-history":
		return &s.WholeHistory
	}
	return nil
}

func takeText(to *string, value string, most int, what string) error {
	if len([]rune(value)) > most {
		return xmpp.NotAcceptable.Because("%s has at most %d characters", what, most)
	}
	*to = value
	return nil
}

func takeNumber(to *int, value string, most int, what string) error {
	if value == "" || value == "none" {
		*to = 0
		return nil
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 || n > most {
		return xmpp.NotAcceptable.Because("%s is a number from 0 to %d", what, most)
	}
	*to = n
	return nil
}
