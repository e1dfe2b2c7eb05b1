package app

import (
	"runtime/debug"
	"strings"
)

// Version is the version of the program, from its build: that of its release, such as v1.2.3, else the revision that it was built from and the
// time of that (UTC), such as "b29fd1d0d714 2026-11-21T09:13:29Z", with "modified" behind it if its files were not those of the revision.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return noVersion
	}
	return versionOf(info)
}

const noVersion = "unknown (built without version control)"

func versionOf(info *debug.BuildInfo) string {
	release := info.Main.Version
	if release != "" && release != "(devel)" && !strings.HasPrefix(release, "v0.0.0-") {
		return release
	}
	var revision, at, modified string
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.time":
			at = " " + s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = " modified"
		}
	}
	switch {
	case revision != "":
		return revision + at + modified
	case strings.HasPrefix(release, "v0.0.0-"): // go install …@revision
		return release
	}
	return noVersion
}
