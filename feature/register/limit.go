package register

import "net/netip"

// place is what counts as one address: a household has a /64 of IPv6.
func place(address netip.Addr) netip.Prefix {
	address = address.Unmap()
	bits := address.BitLen()
	if address.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(address, bits).Masked()
}
