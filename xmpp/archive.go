package xmpp

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// DefaultArchivePage is how many messages an answer has when the request does not say.
const DefaultArchivePage = 50

// ArchiveRequest is what a device asks of an archive whose ids are numbers that grow with time, in microseconds since 1970 (XEP-0313 §4).
type ArchiveRequest struct {
	QueryID string
	// With narrows it to the conversation with one address; zero for all.
	With JID
	// After and Until are ids: what is asked for lies strictly between them.
	After, Until int64
	// IDs are the ones that are asked for, each once; empty for all.
	IDs []int64
	// Page is which of them; Max is never negative.
	Page Page
	// Flip asks for the page's newest message first (XEP-0313 §4.3.1).
	Flip bool
	// MustExist are the ids that the request refers to, in no order and perhaps more than once: an archive that does not have one of them answers item-not-found.
	MustExist []int64
}

// ArchiveLimits are what an archive takes of a request.
type ArchiveLimits struct {
	IDs  int  // the most ids that a request may name
	Page int  // the most messages in an answer
	With bool // the archive has conversations
}

// ParseArchiveRequest reads a <query/> of XEP-0313 §4. Its errors are an *Error for whoever asks: bad-request for what does not follow the specification,
// feature-not-implemented for unknown fields and pages by index, resource-constraint for too many ids, and item-not-found for an id that no archive can have given.
func ParseArchiveRequest(payload *Element, limits ArchiveLimits) (*ArchiveRequest, error) {
	page, err := ParsePage(payload)
	if err != nil {
		return nil, BadRequest.Because("%v", err)
	}
	if page.Index >= 0 {
		return nil, FeatureNotImplemented.Because("pages by index are not supported")
	}
	if page.Max < 0 {
		page.Max = DefaultArchivePage
	}
	page.Max = min(page.Max, limits.Page)
	q := &ArchiveRequest{QueryID: payload.Attr("queryid"), Page: page, Flip: payload.Child(NSArchive, "flip-page") != nil, Until: math.MaxInt64}
	if x := payload.Child(NSData, "x"); x != nil {
		form, err := ParseForm(x)
		if err != nil || form.FormType() != NSArchive {
			return nil, BadRequest.Because("not a form of %s", NSArchive)
		}
		for _, field := range form.Fields {
			if err := q.take(field, limits); err != nil {
				return nil, err
			}
		}
	}
	return q, q.takePage()
}

// take reads one field of the form.
func (q *ArchiveRequest) take(field Field, limits ArchiveLimits) error {
	value := ""
	if len(field.Values) > 0 {
		value = field.Values[0]
	}
	switch {
	case field.Var == "FORM_TYPE":
		return nil
	case field.Var == "with" && limits.With:
		jid, err := ParseJID(value)
		if err != nil {
			return JIDMalformed
		}
		q.With = jid
		return nil
	case field.Var == "start", field.Var == "end":
		return q.takeTime(field.Var, value)
	case field.Var == "after-id":
		return q.bound(value, true)
	case field.Var == "before-id":
		return q.bound(value, false)
	case field.Var == "ids":
		return q.takeIDs(field.Values, limits.IDs)
	}
	return FeatureNotImplemented.Because("unknown field %q", field.Var)
}

func (q *ArchiveRequest) takeTime(name, value string) error {
	t, err := ParseTime(value)
	if err != nil {
		return BadRequest.Because("%s: %v", name, err)
	}
	if name == "start" {
		q.After = max(q.After, t.UnixMicro()-1)
	} else {
		q.Until = min(q.Until, t.UnixMicro()+1)
	}
	return nil
}

// bound narrows the request to one side of an id.
func (q *ArchiveRequest) bound(text string, lower bool) error {
	id, err := ParseArchiveID(text)
	if err != nil {
		return err
	}
	q.MustExist = append(q.MustExist, id)
	if lower {
		q.After = max(q.After, id)
	} else {
		q.Until = min(q.Until, id)
	}
	return nil
}

func (q *ArchiveRequest) takeIDs(values []string, most int) error {
	if len(values) > most {
		return ResourceConstraint.Because("at most %d ids", most)
	}
	for _, value := range values {
		id, err := ParseArchiveID(value)
		if err != nil {
			return err
		}
		if !slices.Contains(q.IDs, id) {
			q.IDs = append(q.IDs, id)
		}
	}
	q.MustExist = append(q.MustExist, q.IDs...)
	return nil
}

func (q *ArchiveRequest) takePage() error {
	if q.Page.After != "" {
		if err := q.bound(q.Page.After, true); err != nil {
			return err
		}
	}
	if q.Page.Before != "" {
		return q.bound(q.Page.Before, false)
	}
	return nil
}

// ParseArchiveID reads an id; one that no archive can have given is an unknown one, item-not-found.
func ParseArchiveID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, ItemNotFound
	}
	return id, nil
}

// NewArchiveForm lists the fields that a request may use where there are no conversations (XEP-0313 §4.1.5).
func NewArchiveForm() *Element {
	form := NewForm("form", NSArchive)
	for _, name := range []string{"start", "end", "before-id", "after-id"} {
		form.Add(name, "text-single", "")
	}
	form.Add("ids", "list-multi", "")
	return NewElement(NSArchive, "query", form.Element())
}

// AppendArchived appends what stands before a message of an archive in an answer (XEP-0313 §4.2), up to where the message begins; whoever calls it closes
// </forwarded></result>.
func AppendArchived(b []byte, queryID string, id int64) []byte {
	b = append(b, "<result xmlns='"+NSArchive+"'"...)
	if queryID != "" {
		b = append(b, " queryid='"...)
		b = AppendEscapedAttr(b, queryID)
		b = append(b, '\'')
	}
	b = append(b, " id='"...)
	b = strconv.AppendInt(b, id, 10)
	b = append(b, "'><forwarded xmlns='urn:xmpp:forward:0'><delay xmlns='urn:xmpp:delay' stamp='"...)
	b = append(b, FormatTime(time.UnixMicro(id))...)
	return append(b, "'/>"...)
}

// ArchiveFin ends an answer whose messages have ids from first to last, both 0 for none; complete says that there is no more in the direction of the request
// (XEP-0313 §4.4).
func ArchiveFin(first, last int64, complete bool) *Element {
	paged := Paged{Index: -1, Count: -1}
	if first > 0 {
		paged.First, paged.Last = strconv.FormatInt(first, 10), strconv.FormatInt(last, 10)
	}
	e := NewElement(NSArchive, "fin", paged.Element())
	if complete {
		e.Set("complete", "true")
	}
	return e
}
