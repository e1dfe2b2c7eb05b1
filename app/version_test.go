package app

import (
	"runtime/debug"
	"testing"
)

func TestVersionTellsWhatWasBuilt(t *testing.T) {
	const revision, at = "b29fd1d0d7145a0d1b1a", "2026-11-21T09:13:29Z"
	settings := func(modified string) []debug.BuildSetting {
		return []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: revision}, {Key: "vcs.time", Value: at}, {Key: "vcs.modified", Value: modified}}
	}
	for _, c := range []struct {
		module   string
		settings []debug.BuildSetting
		want     string
	}{
		{"v1.2.3", settings("false"), "v1.2.3"},
		{"v1.2.3+dirty", settings("true"), "v1.2.3+dirty"},
		{"(devel)", settings("false"), "b29fd1d0d714 2026-11-21T09:13:29Z"},
		{"v0.0.0-20261121091329-b29fd1d0d714+dirty", settings("true"), "b29fd1d0d714 2026-11-21T09:13:29Z modified"},
		{"v0.0.0-20261121091329-b29fd1d0d714", nil, "v0.0.0-20261121091329-b29fd1d0d714"},
		{"(devel)", nil, noVersion},
		{"", nil, noVersion},
		{"", []debug.BuildSetting{{Key: "vcs.revision", Value: "short"}}, "short"},
	} {
		info := &debug.BuildInfo{Main: debug.Module{Version: c.module}, Settings: c.settings}
		if got := versionOf(info); got != c.want {
			t.Errorf("%q %v: %q, want %q", c.module, c.settings, got, c.want)
		}
	}
}
