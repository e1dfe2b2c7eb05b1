package caps

import (
	"slices"
	"strings"
	"sync"

	"palabre.dev/palabre/core"
	"palabre.dev/palabre/xmpp"
)

// description is what an app can do. It is shared by all sessions of the same app and never changed.
type description struct {
	features []string // sorted
	nodes    []string // the features that end in +notify, without it; sorted
}

// maxFeatures is how many features an app may have; more are not looked at.
const maxFeatures = 1000

func describe(features []string) *description {
	features = features[:min(len(features), maxFeatures)]
	slices.Sort(features)
	d := &description{features: slices.Clip(slices.Compact(features))}
	for _, feature := range d.features {
		if node, found := strings.CutSuffix(feature, "+notify"); found {
			d.nodes = append(d.nodes, node)
		}
	}
	slices.Sort(d.nodes)
	return d
}

func (d *description) wants(node string) bool {
	if d == nil {
		return false
	}
	_, found := slices.BinarySearch(d.nodes, node)
	return found
}

// app is one session, here or elsewhere, and what is known of it.
type app struct {
	session *core.Session // nil when it is elsewhere
	account *core.Account
	jid     xmpp.JID

	mu   sync.Mutex // guards what follows
	hash string     // what it said last
	desc *description
}

func (a *app) description() *description {
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.desc
}

// says notes the hash of a new presence and reports whether it is another one than before.
func (a *app) says(hash string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hash == hash {
		return false
	}
	a.hash = hash
	return true
}

// become notes what the app with this hash can do and returns the nodes that it did not want before. It does nothing if the app has
// said another hash meanwhile; an empty hash says that the app is gone.
func (a *app) become(hash string, desc *description) (news []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if hash == "" {
		a.hash, a.desc = "", nil
		return nil
	}
	if a.hash != hash {
		return nil
	}
	before := a.desc
	a.desc = desc
	if desc == nil {
		return nil
	}
	for _, node := range desc.nodes {
		if !before.wants(node) {
			news = append(news, node)
		}
	}
	return news
}

// retry makes the app's next presence count as news, unless what it can do is known or it has said another hash meanwhile.
func (a *app) retry(hash string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hash == hash && a.desc == nil {
		a.hash = ""
	}
}
