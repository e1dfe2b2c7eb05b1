package group

import (
	"testing"

	"palabre.dev/palabre/test/palabretest"
)

// with puts the service into a server.
func with(cfg Config) palabretest.Option {
	return palabretest.With(func(s *palabretest.Server) (any, error) { return New(s.Context, cfg, s.DB, nil, s.Log) })
}

func TestTranscripts(t *testing.T) { palabretest.Run(t, "testdata/*.txt", with(DefaultConfig())) }
