// Package people plays, through the door, how people find, see, leave and shut out each other: rosters, presence, blocking, discovery,
// what apps can do and when somebody was there last, all together as the product has them.
package people

import (
	"testing"

	"palabre.dev/palabre/feature/about"
	"palabre.dev/palabre/feature/blocking"
	"palabre.dev/palabre/feature/caps"
	"palabre.dev/palabre/feature/disco"
	"palabre.dev/palabre/feature/last"
	"palabre.dev/palabre/feature/roster"
	"palabre.dev/palabre/test/palabretest"
)

func TestTranscripts(t *testing.T) {
	palabretest.Run(t, "testdata/*.txt", palabretest.With(together))
}

// together makes the features for one server and hands on those that run.
func together(s *palabretest.Server) (any, error) {
	contacts, err := roster.New(s.Context, s.DB, roster.DefaultConfig(), s.Log)
	if err != nil {
		return nil, err
	}
	blocked, err := blocking.New(s.Context, s.DB, blocking.DefaultConfig(), contacts, s.Log)
	if err != nil {
		return nil, err
	}
	apps, err := caps.New(s.Context, s.DB, caps.DefaultConfig(), s.Log)
	if err != nil {
		return nil, err
	}
	seen, err := last.New(s.Context, s.DB, contacts, s.Log)
	if err != nil {
		return nil, err
	}
	found, err := disco.New(disco.DefaultConfig(), contacts)
	if err != nil {
		return nil, err
	}
	for _, element := range contacts.StreamFeatures() {
		s.Door.StreamFeature(offered(element))
	}
	s.Door.StreamFeature(found.StreamFeature)
	contacts.Attach(s.Core)
	blocked.Attach(s.Core)
	apps.Attach(s.Core)
	seen.Attach(s.Core)
	found.Attach(s.Core)
	about.New("test").Attach(s.Core)
	return running{contacts, apps}, nil
}
