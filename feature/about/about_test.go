package about

import (
	"regexp"
	"strings"
	"testing"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store/storetest"
)

func TestAnswers(t *testing.T) {
	w := coretest.New(t, storetest.Open(t, storetest.SQLite), New("1.2.3"))
	romeo := w.Bind("romeo", "orchard")
	w.Add("juliet")
	for _, c := range []struct{ to, payload, want string }{
		{"", `<ping xmlns='urn:xmpp:ping'/>`, `^<iq type='result' from='romeo@localhost'[^>]*/>$`},
		{"to='romeo@localhost'", `<ping xmlns='urn:xmpp:ping'/>`, `^<iq type='result'[^>]*/>$`},
		{"to='localhost'", `<ping xmlns='urn:xmpp:ping'/>`, `^<iq type='result' from='localhost'[^>]*/>$`},
		{"to='juliet@localhost'", `<ping xmlns='urn:xmpp:ping'/>`, `service-unavailable`},
		{"to='localhost'", `<time xmlns='urn:xmpp:time'/>`, `<tzo>[+-]\d\d:\d\d</tzo><utc>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z</utc>`},
		{"to='localhost'", `<query xmlns='jabber:iq:version'/>`, `<name>Palabre</name><version>1\.2\.3</version></query>`},
		{"to='localhost'", `<query xmlns='jabber:iq:last'/>`, `<query xmlns='jabber:iq:last' seconds='\d+'/>`},
	} {
		romeo.Say(`<iq type='get' id='x' ` + c.to + `>` + c.payload + `</iq>`)
		if got := strings.Join(romeo.Heard(), "\n"); !regexp.MustCompile(c.want).MatchString(got) {
			t.Errorf("%s %s: got %s, want %s", c.to, c.payload, got, c.want)
		}
	}
}
