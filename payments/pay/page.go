package pay

import "palabre.dev/palabre/xmpp"

// paged writes what was found into a list, at most size of it; where there is more, the list says by an id from where it goes on.
func paged[T any](list *xmpp.Element, found []T, size int64, id func(T) string, element func(T) *xmpp.Element) *xmpp.Element {
	if int64(len(found)) > size {
		found = found[:size]
		list.Set("more", id(found[size-1]))
	}
	for _, one := range found {
		list.Add(element(one))
	}
	return list
}
