package group

import (
	"encoding/json"

	"palabre.dev/palabre/xmpp"
)

// Settings are what the owners of a group have decided.
type Settings struct {
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
	// MembersOnly lets only members in; Open ones may be found (XEP-0045 §4.2).
	MembersOnly bool `json:"members_only,omitempty"`
	Hidden      bool `json:"hidden,omitempty"`
	// Moderated lets only who was given a voice write.
	Moderated bool `json:"moderated,omitempty"`
	// Anonymous shows addresses to moderators alone.
	Anonymous  bool   `json:"anonymous,omitempty"`
	Persistent bool   `json:"persistent,omitempty"`
	Password   string `json:"password,omitempty"`
	// MaxUsers is the most occupants; 0 means as many as the service lets.
	MaxUsers int `json:"max_users,omitempty"`
	// Who may do what, besides administrators.
	OnlyAdminsWrite bool `json:"only_admins_write,omitempty"`
	MembersAdd      bool `json:"members_add,omitempty"`
	MembersEditInfo bool `json:"members_edit_info,omitempty"`
	// Approve makes those who want to come in wait for an administrator.
	Approve bool `json:"approve,omitempty"`
	// WholeHistory lets members read also what was said before they came.
	WholeHistory bool `json:"whole_history,omitempty"`
	// Slow is how many seconds a member waits between two messages, 0 for none.
	Slow int `json:"slow,omitempty"`
	// Hats are those that members may be given: lines, each an address, a hue or "-", and what it is called (XEP-0317).
	Hats string `json:"hats,omitempty"`
	// Community makes it the announcements of a community, for good.
	Community bool `json:"community,omitempty"`
	// Locked is a room whose maker has not said yet how it shall be (XEP-0045 §10.1.2).
	Locked bool `json:"locked,omitempty"`
}

// communitySettings are those of the announcements of a community that nobody has said anything about.
func communitySettings() Settings {
	return Settings{MembersOnly: true, Hidden: true, Persistent: true, OnlyAdminsWrite: true, Community: true}
}

// privateSettings are those of a group among people who know each other.
func privateSettings() Settings {
	return Settings{MembersOnly: true, Hidden: true, Persistent: true, MembersAdd: true, MembersEditInfo: true}
}

// openSettings are those of a room that anybody may come into.
func openSettings() Settings { return Settings{Persistent: true} }

func (s *Settings) text() (string, error) {
	b, err := json.Marshal(s)
	return string(b), err
}

func readSettings(text string) (s Settings, err error) {
	err = json.Unmarshal([]byte(text), &s)
	return s, err
}

// told are the settings as an entry of the log has them: all but a password, which who reads the log later shall not have.
func (s *Settings) told() *xmpp.Element {
	open := *s
	open.Password = ""
	form := open.form("result")
	form.Title = ""
	for i := range form.Fields {
		field := &form.Fields[i]
		field.Label, field.Options = "", nil
	}
	if s.Community {
		form.Add(NS+"#community", "boolean", "", "1")
	}
	if s.Locked {
		form.Add(NS+"#locked", "boolean", "", "1")
	}
	return form.Element()
}
