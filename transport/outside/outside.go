// Package outside tells addresses on the internet from those within somebody's own network, for every part that calls addresses which others have named:
// who asks the server to call something must not reach through it what only the server can reach (RFC 6890). It looks at numbers alone; names
// are to be resolved first, and what was looked at is what is to be called.
package outside

import (
	"net/netip"
	"slices"
)

// Is reports whether an address belongs to a machine on the internet: it is no loopback, private, link-local, unique local, multicast or
// unspecified address, nor one that leads to such by way of IPv6.
func Is(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	within := func(network netip.Prefix) bool { return network.Contains(ip) }
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !slices.ContainsFunc(inside, within)
}

// inside are the networks that are nobody's on the internet, beside the private ones, or lead back to IPv4 addresses (RFC 6890, RFC 6052,
// RFC 3056, RFC 4380): providers have services of their own in them.
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"), netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
}
