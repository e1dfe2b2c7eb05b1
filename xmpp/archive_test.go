package xmpp

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// archiveQuery is a request with fields, each a name and its values, and what else is in it.
func archiveQuery(more string, fields ...[]string) string {
	x := "<x xmlns='jabber:x:data' type='submit'><field var='FORM_TYPE'><value>urn:xmpp:mam:2</value></field>"
	for _, field := range fields {
		x += "<field var='" + field[0] + "'><value>" + strings.Join(field[1:], "</value><value>") + "</value></field>"
	}
	return "<query xmlns='urn:xmpp:mam:2' queryid='q'>" + x + "</x>" + more + "</query>"
}

func TestParseArchiveRequest(t *testing.T) {
	t.Parallel()
	limits := ArchiveLimits{IDs: 3, Page: 100, With: true}
	set := func(inner string) string { return "<set xmlns='http://jabber.org/protocol/rsm'>" + inner + "</set>" }
	for _, test := range []struct {
		query string
		want  ArchiveRequest
	}{
		{"<query xmlns='urn:xmpp:mam:2'/>", ArchiveRequest{Until: math.MaxInt64, Page: Page{Max: 50, Index: -1}}},
		{archiveQuery(set("<max>500</max>")), ArchiveRequest{QueryID: "q", Until: math.MaxInt64, Page: Page{Max: 100, Index: -1}}},
		{archiveQuery("", []string{"with", "juliet@localhost"}), ArchiveRequest{QueryID: "q", With: MustJID("juliet@localhost"), Until: math.MaxInt64, Page: Page{Max: 50, Index: -1}}},
		{archiveQuery("", []string{"start", "1970-01-01T00:00:02Z"}, []string{"end", "1970-01-01T00:00:03Z"}),
			ArchiveRequest{QueryID: "q", After: 1999999, Until: 3000001, Page: Page{Max: 50, Index: -1}}},
		{archiveQuery("<flip-page/>"+set("<max>0</max><before>9</before>"), []string{"after-id", "4"}, []string{"before-id", "12"}),
			ArchiveRequest{QueryID: "q", After: 4, Until: 9, Flip: true, Page: Page{Max: 0, Before: "9", Last: true, Index: -1}, MustExist: []int64{4, 12, 9}}},
		{archiveQuery("", []string{"ids", "5", "3", "5"}), ArchiveRequest{QueryID: "q", Until: math.MaxInt64, IDs: []int64{5, 3}, Page: Page{Max: 50, Index: -1}, MustExist: []int64{5, 3}}},
	} {
		got, err := ParseArchiveRequest(mustParse(t, test.query), limits)
		if err != nil || !reflect.DeepEqual(*got, test.want) {
			t.Errorf("%s\n got %+v, %v\nwant %+v", test.query, got, err, test.want)
		}
	}
	for query, want := range map[string]*Error{
		archiveQuery(set("<index>3</index>")):                                                  FeatureNotImplemented,
		archiveQuery(set("<max>x</max>")):                                                      BadRequest,
		archiveQuery(set("<after>x</after>")):                                                  ItemNotFound,
		archiveQuery("", []string{"start", "yesterday"}):                                       BadRequest,
		archiveQuery("", []string{"with", "@"}):                                                JIDMalformed,
		archiveQuery("", []string{"after-id", "-1"}):                                           ItemNotFound,
		archiveQuery("", []string{"ids", "1", "2", "3", "4"}):                                  ResourceConstraint,
		archiveQuery("", []string{"urn:example:more", "1"}):                                    FeatureNotImplemented,
		strings.Replace(archiveQuery(""), "<value>urn:xmpp:mam:2", "<value>urn:xmpp:mam:1", 1): BadRequest,
	} {
		if _, err := ParseArchiveRequest(mustParse(t, query), limits); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", query, err, want)
		}
	}
	if _, err := ParseArchiveRequest(mustParse(t, archiveQuery("", []string{"with", "juliet@localhost"})), ArchiveLimits{IDs: 3, Page: 100}); !errors.Is(err, FeatureNotImplemented) {
		t.Errorf("an archive without conversations: %v", err)
	}
}

func FuzzArchiveRequest(f *testing.F) {
	for _, seed := range []string{"<query xmlns='urn:xmpp:mam:2'/>", archiveQuery("<flip-page/>", []string{"ids", "5", "3", "5"}), archiveQuery("<set xmlns='http://jabber.org/protocol/rsm'><max>7</max><before/></set>")} {
		f.Add(seed)
	}
	limits := ArchiveLimits{IDs: 3, Page: 100, With: true}
	f.Fuzz(func(t *testing.T, src string) {
		e, err := Parse(src, client)
		if err != nil {
			return
		}
		q, err := ParseArchiveRequest(e, limits)
		if refused := (*Error)(nil); err != nil && !errors.As(err, &refused) {
			t.Fatalf("%q: %v is nothing to tell", src, err)
		}
		if err == nil && (q.After < -math.MaxInt64/2 || q.Page.Max < 0 || q.Page.Max > limits.Page || len(q.IDs) > limits.IDs || slices.ContainsFunc(q.MustExist, func(id int64) bool { return id <= 0 })) {
			t.Fatalf("%q: %+v", src, q)
		}
	})
}
