package xmpp

import (
	"errors"
	"strconv"
)

// MaxRSMID is the most bytes that an item's id in a paging request may have.
const MaxRSMID = 1023

// ErrRSM is what ParsePage returns for a <set/> that does not follow XEP-0059.
var ErrRSM = errors.New("malformed result set request")

// Page is what a request asks to see of a long list (XEP-0059 §2).
type Page struct {
	Max    int    // the most items wanted; -1 if not said
	After  string // only items after this one; "" from the beginning
	Before string // only items before this one; "" with Last means the end
	Last   bool   // the request pages backwards: the last Max items are wanted (XEP-0059 §2.3, §2.5)
	Index  int    // only from this position; -1 if not said
}

// Size is how many items the page has at the most, where so many are given at once.
func (p Page) Size(most int) int {
	if p.Max < 0 {
		return most
	}
	return min(p.Max, most)
}

// ParsePage reads the <set/> within a request's payload. Without one the page has no bounds. It returns ErrRSM for malformed numbers
// or ids that are too long.
func ParsePage(payload *Element) (Page, error) {
	page := Page{Max: -1, Index: -1}
	set := payload.Child(NSRSM, "set")
	if set == nil {
		return page, nil
	}
	var err error
	for child := range set.Children() {
		switch {
		case child.Space != NSRSM:
		case child.Local == "max":
			page.Max, err = parseCount(child.Text(), err)
		case child.Local == "index":
			page.Index, err = parseCount(child.Text(), err)
		case child.Local == "after":
			page.After = child.Text()
		case child.Local == "before":
			page.Before, page.Last = child.Text(), true
		}
	}
	if err != nil || len(page.After) > MaxRSMID || len(page.Before) > MaxRSMID {
		return page, ErrRSM
	}
	return page, nil
}

func parseCount(text string, earlier error) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), errors.Join(earlier, err)
}

// Element is the <set/> of a request.
func (p Page) Element() *Element {
	set := NewElement(NSRSM, "set")
	if p.Max >= 0 {
		set.Add(NewText(NSRSM, "max", strconv.Itoa(p.Max)))
	}
	if p.Index >= 0 {
		set.Add(NewText(NSRSM, "index", strconv.Itoa(p.Index)))
	}
	if p.After != "" {
		set.Add(NewText(NSRSM, "after", p.After))
	}
	if p.Last {
		set.Add(NewText(NSRSM, "before", p.Before))
	}
	return set
}

// Paged says which page an answer holds (XEP-0059 §2.6).
type Paged struct {
	First, Last string // ids of the first and last item; "" when there are none
	Index       int    // the position of the first in the whole list; -1 if not known
	Count       int    // how many there are in all; -1 if not known
}

// Element is the <set/> of an answer.
func (p Paged) Element() *Element {
	set := NewElement(NSRSM, "set")
	if p.First != "" {
		first := NewText(NSRSM, "first", p.First)
		if p.Index >= 0 {
			first.Set("index", strconv.Itoa(p.Index))
		}
		set.Add(first, NewText(NSRSM, "last", p.Last))
	}
	if p.Count >= 0 {
		set.Add(NewText(NSRSM, "count", strconv.Itoa(p.Count)))
	}
	return set
}

// ParsePaged reads the <set/> of an answer; what is absent or malformed is "" or -1.
func ParsePaged(payload *Element) Paged {
	set := payload.Child(NSRSM, "set")
	p := Paged{First: set.ChildText(NSRSM, "first"), Last: set.ChildText(NSRSM, "last"), Index: -1, Count: -1}
	if n, err := parseCount(set.ChildText(NSRSM, "count"), nil); err == nil {
		p.Count = n
	}
	if n, err := parseCount(set.Child(NSRSM, "first").Attr("index"), nil); err == nil {
		p.Index = n
	}
	return p
}
