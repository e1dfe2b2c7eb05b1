package rate

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestALimiterIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New[int](1, time.Minute)
		last := 2*MaxPlaces - 1
		for at := range last + 1 {
			if !l.Allow(at) {
				t.Fatal(at)
			}
		}
		if len(l.places) > MaxPlaces {
			t.Errorf("%d are remembered", len(l.places))
		}
		if l.Allow(last) {
			t.Error("one more is allowed")
		}
		l.GiveBack(last)
		if !l.Allow(last) || l.Allow(last) {
			t.Error("what was given back is not allowed once")
		}
		time.Sleep(time.Minute)
		if !l.Allow(last) {
			t.Error("refused after the period")
		}
	})
}
