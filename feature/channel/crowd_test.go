package channel

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"palabre.dev/palabre/core/coretest"
	"palabre.dev/palabre/store/storetest"
)

// TestCrowdedMemory loads more channels than are kept in memory: who asks for one that was loaded a moment ago gets the same one.
func TestCrowdedMemory(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	cs, _, _ := newTown(t, db, coretest.New(t, db), nil)
	cs.loaded.limit = 0
	for range 3 {
		first, err := cs.loaded.get(t.Context(), "town")
		if err != nil {
			t.Fatal(err)
		}
		second, err := cs.loaded.get(t.Context(), "town")
		if err != nil {
			t.Fatal(err)
		}
		if first != second {
			t.Fatal("the channel is there twice")
		}
	}
}

// slow is a browser that takes nothing of what it has asked for.
type slow struct {
	http.ResponseWriter
	reached, end chan struct{}
}

func (s slow) Write(b []byte) (int, error) {
	s.reached <- struct{}{}
	<-s.end
	return len(b), nil
}

// TestSlowBrowsers lets as many browsers as pages are made at once read nothing: others get the page.
func TestSlowBrowsers(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	cs, romeo, _ := newTown(t, db, coretest.New(t, db), nil)
	ask(t, romeo, "set", publishing("p", ""))
	mux := http.NewServeMux()
	cs.Routes(mux)
	get := func() *http.Request {
		return httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/channel/town", nil)
	}
	reached, end := make(chan struct{}), make(chan struct{})
	defer close(end)
	for range maxMaking {
		go mux.ServeHTTP(slow{httptest.NewRecorder(), reached, end}, get())
		<-reached
	}
	quick := httptest.NewRecorder()
	mux.ServeHTTP(quick, get())
	if quick.Code != http.StatusOK {
		t.Errorf("%d %s", quick.Code, quick.Body)
	}
}

// TestManyLargePosts asks for more named posts at once than one answer holds.
func TestManyLargePosts(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	cs, romeo, _ := newTown(t, db, coretest.New(t, db), nil)
	large := "<content>" + strings.Repeat("x", cs.cfg.MaxPostBytes-1000) + "</content></entry>"
	var names string
	n := maxAnswerBytes/cs.cfg.MaxPostBytes + 2
	for i := range n {
		ask(t, romeo, "set", strings.Replace(publishing(fmt.Sprint(i), ""), "</entry>", large, 1))
		names += fmt.Sprintf("<item id='%d'/>", i)
	}
	romeo.Say("<iq type='get' id='all' to='channels.localhost'><pubsub xmlns='" + nsPubSub + "'><items node='town'>" + names + "</items></pubsub></iq>")
	romeo.Hears("<iq ", "id='all'", "type='error'", "policy-violation")
	ask(t, romeo, "get", "<pubsub xmlns='"+nsPubSub+"'><items node='town'><item id='0'/></items></pubsub>")
}

// TestManyViews writes the views of more posts than one transaction takes.
func TestManyViews(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	cs, romeo, _ := newTown(t, db, coretest.New(t, db), nil)
	ask(t, romeo, "set", publishing("p", ""))
	c, err := cs.loaded.get(t.Context(), "town")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2*viewsAtOnce + 1 {
		cs.views.add(1, viewed{c.id, fmt.Sprint("no such post ", i)}, cs.now())
	}
	cs.views.add(1, viewed{c.id, "p"}, cs.now())
	cs.writeViews(t.Context())
	cs.writeViews(t.Context())
	if n := count(t, db, "select coalesce(sum(count), 0) from channel_sum"); n != 1 {
		t.Errorf("%d views", n)
	}
}

// TestEndedWhileUnfollowing has a session end after its account has stopped to follow was kept, and before that is told: it is not left behind among those who hear.
func TestEndedWhileUnfollowing(t *testing.T) {
	db := storetest.Open(t, storetest.SQLite)
	w := coretest.New(t, db)
	cs, _, all := newTown(t, db, w, nil, "juliet")
	c, err := cs.loaded.get(t.Context(), "town")
	if err != nil {
		t.Fatal(err)
	}
	juliet := all["juliet"]
	p := cs.setFollowing(c, juliet.Account, func(following) (following, error) { return following{}, nil })
	if err := db.Tx(t.Context(), p.write); err != nil {
		t.Fatal(err)
	}
	cs.follows.Forget(juliet.Account.ID)
	juliet.Leave()
	p.tell(t.Context())
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.hearing); n != 0 {
		t.Errorf("%d hear", n)
	}
}
