package pubsub

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"palabre.dev/palabre/xmpp"
	"palabre.dev/palabre/xmpp/fault"
)

// The access models that a node may have: who may read it (XEP-0060 §4.5).
const (
	Open      = "open"
	Presence  = "presence"
	Roster    = "roster"
	Whitelist = "whitelist"
)

// When the last item is sent unasked (XEP-0060 §16.4.4).
const (
	never            = "never"
	onSub            = "on_sub"
	onSubAndPresence = "on_sub_and_presence"
)

// unlimited is the value of MaxItems that is written "max": as many as the server allows.
const unlimited = 0

// Settings are the configuration of a node (XEP-0060 §16.4.4).
type Settings struct {
	Title            string   `json:"title,omitempty"`
	Description      string   `json:"description,omitempty"`
	Type             string   `json:"type,omitempty"`
	Access           string   `json:"access"`
	Groups           []string `json:"groups,omitempty"` // of the owner's roster, for Access Roster
	PublishModel     string   `json:"publish_model"`    // publishers, subscribers or open
	Persist          bool     `json:"persist"`
	MaxItems         int      `json:"max_items"`   // 0 is written "max"
	ItemExpire       int64    `json:"item_expire"` // seconds, 0 is written "max": items stay
	SendLast         string   `json:"send_last"`
	DeliverPayloads  bool     `json:"deliver_payloads"`
	Notify           bool     `json:"notify"` // tell anyone of anything
	NotifyRetract    bool     `json:"notify_retract"`
	NotifyDelete     bool     `json:"notify_delete"`
	NotifyConfig     bool     `json:"notify_config"`
	NotificationType string   `json:"notification_type"` // headline or normal
}

// DefaultSettings are those of a node that nothing else was asked for (XEP-0163 §5).
func DefaultSettings() Settings {
	return Settings{Access: Presence, PublishModel: "publishers", Persist: true, MaxItems: 1, SendLast: onSubAndPresence,
		DeliverPayloads: true, Notify: true, NotifyRetract: true, NotifyDelete: true, NotificationType: "headline"}
}

// PrivateSettings are those of a node that only its owner's devices use (XEP-0223 §4).
func PrivateSettings() Settings {
	s := DefaultSettings()
	s.Access, s.MaxItems, s.SendLast = Whitelist, unlimited, never
	return s
}

// maxText is the most bytes that a title, description or type may have.
const maxText = 1023

// field is one setting as a field of a form.
type field struct {
	name, kind, label string
	options           []string // the values it may have, of which only the supported ones are offered
	get               func(*Settings) []string
	set               func(*Settings, []string) error
}

var fields = []field{
	textField("pubsub#title", "Title", func(s *Settings) *string { return &s.Title }),
	textField("pubsub#description", "Description", func(s *Settings) *string { return &s.Description }),
	textField("pubsub#type", "Namespace of the payloads", func(s *Settings) *string { return &s.Type }),
	choiceField("pubsub#access_model", "Who may read", func(s *Settings) *string { return &s.Access }, Open, Presence, Roster, Whitelist),
	groupsField,
	choiceField("pubsub#publish_model", "Who may publish", func(s *Settings) *string { return &s.PublishModel }, "publishers", "subscribers", "open"),
	boolField("pubsub#persist_items", "Keep items", func(s *Settings) *bool { return &s.Persist }),
	single("pubsub#max_items", "text-single", "Most items kept", func(s *Settings) string { return formatCount(int64(s.MaxItems)) },
		func(s *Settings, value string) error {
			n, err := parseCount(value)
			if value == "0" {
				err = xmpp.NotAcceptable.Because("pubsub#max_items must be at least 1")
			}
			s.MaxItems = int(n)
			return err
		}),
	single("pubsub#item_expire", "text-single", "Seconds after which items go", func(s *Settings) string { return formatCount(s.ItemExpire) },
		func(s *Settings, value string) (err error) {
			s.ItemExpire, err = parseCount(value)
			return err
		}),
	choiceField("pubsub#send_last_published_item", "When to send the last item", func(s *Settings) *string { return &s.SendLast },
		never, onSub, onSubAndPresence),
	boolField("pubsub#deliver_payloads", "Send payloads with notifications", func(s *Settings) *bool { return &s.DeliverPayloads }),
	boolField("pubsub#deliver_notifications", "Send notifications", func(s *Settings) *bool { return &s.Notify }),
	boolField("pubsub#notify_retract", "Notify when items are removed", func(s *Settings) *bool { return &s.NotifyRetract }),
	boolField("pubsub#notify_delete", "Notify when the node is deleted", func(s *Settings) *bool { return &s.NotifyDelete }),
	boolField("pubsub#notify_config", "Notify when the configuration changes", func(s *Settings) *bool { return &s.NotifyConfig }),
	choiceField("pubsub#notification_type", "Type of notifications", func(s *Settings) *string { return &s.NotificationType }, "headline", "normal"),
}

// maxGroups is the most groups of a roster that a node may be shown to.
const maxGroups = 50

var groupsField = field{name: "pubsub#roster_groups_allowed", kind: "list-multi", label: "Groups of contacts who may read",
	get: func(s *Settings) []string { return s.Groups },
	set: func(s *Settings, groups []string) error {
		if len(groups) > maxGroups || slices.ContainsFunc(groups, func(group string) bool { return len(group) > maxText }) {
			return xmpp.NotAcceptable.Because("at most %d groups of at most %d bytes", maxGroups, maxText)
		}
		s.Groups = groups
		return nil
	}}

// single is a field with one value.
func single(name, kind, label string, get func(*Settings) string, set func(*Settings, string) error) field {
	return field{name: name, kind: kind, label: label, get: func(s *Settings) []string { return []string{get(s)} },
		set: func(s *Settings, values []string) error {
			if len(values) > 1 {
				return xmpp.NotAcceptable.Because("%s has one value", name)
			}
			value := ""
			if len(values) == 1 {
				value = values[0]
			}
			return set(s, value)
		}}
}

func textField(name, label string, of func(*Settings) *string) field {
	return single(name, "text-single", label, func(s *Settings) string { return *of(s) }, func(s *Settings, value string) error {
		if len(value) > maxText {
			return xmpp.NotAcceptable.Because("%s is longer than %d bytes", name, maxText)
		}
		*of(s) = value
		return nil
	})
}

func boolField(name, label string, of func(*Settings) *bool) field {
	return single(name, "boolean", label, func(s *Settings) string { return formatBool(*of(s)) }, func(s *Settings, value string) error {
		on, ok := xmpp.Bool(value)
		if !ok {
			return xmpp.NotAcceptable.Because("%s must be 0 or 1", name)
		}
		*of(s) = on
		return nil
	})
}

func choiceField(name, label string, of func(*Settings) *string, options ...string) field {
	f := single(name, "list-single", label, func(s *Settings) string { return *of(s) }, func(s *Settings, value string) error {
		if !slices.Contains(options, value) {
			refusal := xmpp.NotAcceptable
			if name == "pubsub#access_model" {
				refusal = fault.AccessModel // XEP-0060 §8.1.3
			}
			return refusal.Because("%s cannot be %.40q here", name, value)
		}
		*of(s) = value
		return nil
	})
	f.options = options
	return f
}

func formatBool(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func formatCount(n int64) string {
	if n == unlimited {
		return "max"
	}
	return strconv.FormatInt(n, 10)
}

// parseCount reads an integer-or-max (XEP-0060 §14.6).
func parseCount(value string) (int64, error) {
	if value == "max" || value == "" {
		return unlimited, nil
	}
	n, err := strconv.ParseUint(value, 10, 31)
	if err != nil {
		return 0, xmpp.NotAcceptable.Because("%.40q is neither a number nor max", value)
	}
	return int64(n), nil
}

// apply changes what a submitted form names. Unknown fields and values that the server does not support are refused with
// not-acceptable (XEP-0060 §8.2.5).
func (s *Settings) apply(form *xmpp.Form) error {
	for _, given := range form.Fields {
		if given.Var == "FORM_TYPE" {
			continue
		}
		f := fieldNamed(given.Var)
		if f == nil {
			if ignored[given.Var] {
				continue
			}
			return xmpp.NotAcceptable.Because("unknown field %.80q", given.Var)
		}
		if err := f.set(s, given.Values); err != nil {
			return err
		}
	}
	return nil
}

// ignored are registered fields (XEP-0060 §16.4.4) that apps send along and that change nothing here.
var ignored = map[string]bool{"pubsub#notify_sub": true, "pubsub#max_payload_size": true, "pubsub#presence_based_delivery": true,
	"pubsub#purge_offline": true, "pubsub#subscribe": true, "pubsub#itemreply": true,
	"pubsub#language": true, "pubsub#body_xslt": true, "pubsub#dataform_xslt": true, "pubsub#collection": true, "pubsub#node_type": true,
	"pubsub#contact": true, "pubsub#tempsub": true, "pubsub#children_max": true, "pubsub#rsm": true}

func fieldNamed(name string) *field {
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &fields[i]
}

// clamp writes a number of items that the server does not allow as "max".
func (s *Settings) clamp(maxItems int) {
	if s.MaxItems >= maxItems {
		s.MaxItems = unlimited
	}
}

// unmet is the name of the first option of a publication that the settings do not meet, "" if they meet all (XEP-0060 §7.1.5).
func (s *Settings) unmet(options *xmpp.Form, maxItems int) string {
	wanted := *s
	for _, given := range options.Fields {
		if given.Var == "FORM_TYPE" {
			continue
		}
		f := fieldNamed(given.Var)
		if f == nil || len(given.Values) == 0 {
			return given.Var
		}
		err := f.set(&wanted, given.Values)
		wanted.clamp(maxItems)
		if err != nil || !slices.Equal(f.get(&wanted), f.get(s)) {
			return given.Var
		}
	}
	return ""
}

// form is the configuration as a form to fill in, or as a result.
func (s *Settings) form(kind, formType string) *xmpp.Form {
	form := xmpp.NewForm(kind, formType)
	for _, f := range fields {
		out := xmpp.Field{Var: f.name, Type: f.kind, Label: f.label, Values: f.get(s)}
		for _, option := range f.options {
			out.Options = append(out.Options, xmpp.Option{Value: option})
		}
		form.Fields = append(form.Fields, out)
	}
	return form
}

func (s *Settings) encode() (string, error) {
	text, err := json.Marshal(s)
	return string(text), err
}

// decode reads stored settings; what a former version did not know has its default.
func decodeSettings(text string) (Settings, error) {
	s := DefaultSettings()
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return s, fmt.Errorf("stored node settings: %w", err)
	}
	return s, nil
}
