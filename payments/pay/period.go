package pay

import "time"

// The periods in which something comes again.
const (
	everyDay   = "day"
	everyWeek  = "week"
	everyMonth = "month"
)

// turn is when something that began at a time comes for the nth time after it. A month later is the same day of the month, or its last one.
func turn(begun time.Time, every string, n int) time.Time {
	begun = begun.UTC()
	switch every {
	case everyDay:
		return begun.AddDate(0, 0, n)
	case everyWeek:
		return begun.AddDate(0, 0, 7*n)
	}
	first := time.Date(begun.Year(), begun.Month(), 1, begun.Hour(), begun.Minute(), begun.Second(), begun.Nanosecond(), time.UTC).AddDate(0, n, 0)
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(begun.Day(), last)-1)
}

// turnAt is in which period a time is, 0 for the first, of those that began at a time.
func turnAt(begun time.Time, every string, at time.Time) int {
	days := int(at.Sub(begun) / (24 * time.Hour))
	n := days
	switch every {
	case everyWeek:
		n = days / 7
	case everyMonth:
		n = days/31 - 1
	}
	for n = max(n, 0); !turn(begun, every, n+1).After(at); {
		n++
	}
	return n
}
