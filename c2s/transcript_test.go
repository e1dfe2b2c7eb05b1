package c2s_test

import (
	"testing"

	"palabre.dev/palabre/test/palabretest"
)

func TestTranscripts(t *testing.T) { palabretest.Run(t, "testdata/*.txt") }
