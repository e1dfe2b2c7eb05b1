package xmpp

import (
	"errors"
	"slices"
)

// Limits of a form that ParseForm takes.
const (
	MaxFields = 256
	MaxValues = 4096 // in all fields together
)

// ErrForm is what ParseForm returns for what is no form of XEP-0004 or exceeds its limits.
var ErrForm = errors.New("malformed data form")

// Form is a data form (XEP-0004). Type is form, submit, cancel or result.
type Form struct {
	Type         string
	Title        string
	Instructions string
	Fields       []Field
}

// Field is one field of a form. Type is one of XEP-0004 §3.3, "" in a submission.
type Field struct {
	Var      string
	Type     string
	Label    string
	Desc     string
	Required bool
	Values   []string
	Options  []Option
}

// Option is one choice of a list field.
type Option struct{ Label, Value string }

// NewForm makes a form with its FORM_TYPE (XEP-0068).
func NewForm(kind, formType string) *Form {
	f := &Form{Type: kind}
	if formType != "" {
		hidden := ""
		if kind != "submit" {
			hidden = "hidden"
		}
		f.Fields = append(f.Fields, Field{Var: "FORM_TYPE", Type: hidden, Values: []string{formType}})
	}
	return f
}

// Add appends a field of this type and returns the form.
func (f *Form) Add(name, kind, label string, values ...string) *Form {
	f.Fields = append(f.Fields, Field{Var: name, Type: kind, Label: label, Values: values})
	return f
}

// Field is the field with this name, nil if there is none.
func (f *Form) Field(name string) *Field {
	if f == nil {
		return nil
	}
	i := slices.IndexFunc(f.Fields, func(field Field) bool { return field.Var == name })
	if i < 0 {
		return nil
	}
	return &f.Fields[i]
}

// Value is the first value of a field, and whether the field is there with a value.
func (f *Form) Value(name string) (string, bool) {
	field := f.Field(name)
	if field == nil || len(field.Values) == 0 {
		return "", false
	}
	return field.Values[0], true
}

// Get is the first value of a field, "" if there is none.
func (f *Form) Get(name string) string {
	value, _ := f.Value(name)
	return value
}

// FormType is the value of FORM_TYPE (XEP-0068).
func (f *Form) FormType() string { return f.Get("FORM_TYPE") }

// Bool reads a boolean as XEP-0004 §3.3 writes it, and whether it is one.
func Bool(text string) (value, ok bool) {
	switch text {
	case "1", "true":
		return true, true
	case "0", "false":
		return false, true
	}
	return false, false
}

// ParseForm reads an <x xmlns='jabber:x:data'/>. It returns ErrForm for another element, an unknown type, or beyond the limits.
func ParseForm(e *Element) (*Form, error) {
	if !e.Is(NSData, "x") {
		return nil, ErrForm
	}
	f := &Form{Type: e.Attr("type"), Title: e.ChildText(NSData, "title"), Instructions: e.ChildText(NSData, "instructions")}
	if !slices.Contains([]string{"form", "submit", "cancel", "result"}, f.Type) {
		return nil, ErrForm
	}
	values := 0
	for child := range e.Children() {
		if !child.Is(NSData, "field") {
			continue
		}
		field := parseField(child)
		values += len(field.Values) + len(field.Options)
		if len(f.Fields) == MaxFields || values > MaxValues {
			return nil, ErrForm
		}
		f.Fields = append(f.Fields, field)
	}
	return f, nil
}

func parseField(e *Element) Field {
	field := Field{Var: e.Attr("var"), Type: e.Attr("type"), Label: e.Attr("label"), Desc: e.ChildText(NSData, "desc"),
		Required: e.Child(NSData, "required") != nil}
	for child := range e.Children() {
		switch {
		case child.Is(NSData, "value"):
			field.Values = append(field.Values, child.Text())
		case child.Is(NSData, "option"):
			field.Options = append(field.Options, Option{Label: child.Attr("label"), Value: child.ChildText(NSData, "value")})
		}
	}
	return field
}

// Element is the form as <x xmlns='jabber:x:data'/>.
func (f *Form) Element() *Element {
	x := NewElement(NSData, "x").Set("type", f.Type)
	if f.Title != "" {
		x.Add(NewText(NSData, "title", f.Title))
	}
	if f.Instructions != "" {
		x.Add(NewText(NSData, "instructions", f.Instructions))
	}
	for _, field := range f.Fields {
		x.Add(field.element())
	}
	return x
}

func (field Field) element() *Element {
	e := NewElement(NSData, "field")
	for _, attr := range [...][2]string{{"var", field.Var}, {"type", field.Type}, {"label", field.Label}} {
		if attr[1] != "" {
			e.Set(attr[0], attr[1])
		}
	}
	if field.Desc != "" {
		e.Add(NewText(NSData, "desc", field.Desc))
	}
	if field.Required {
		e.Add(NewElement(NSData, "required"))
	}
	for _, value := range field.Values {
		e.Add(NewText(NSData, "value", value))
	}
	for _, option := range field.Options {
		o := NewElement(NSData, "option", NewText(NSData, "value", option.Value))
		if option.Label != "" {
			o.Set("label", option.Label)
		}
		e.Add(o)
	}
	return e
}
