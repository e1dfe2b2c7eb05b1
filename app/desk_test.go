package app

import (
	"slices"
	"testing"
)

// TestOriginsThatTheClientMayReach are those of other servers, and of uploads where these have a host of their own.
func TestOriginsThatTheClientMayReach(t *testing.T) {
	got := origins([]string{"wss://second.example.org/ws", "https://media.example.org:8443/x", ""})
	if want := []string{"wss://second.example.org", "https://media.example.org:8443"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
