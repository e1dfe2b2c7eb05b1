package outside

import (
	"net/netip"
	"testing"
)

func TestWhatIsOutside(t *testing.T) {
	for _, address := range []string{"192.0.2.1", "142.250.1.1", "::ffff:142.250.1.1", "2a00:1450:4001::1", "2606:4700::1"} {
		if !Is(netip.MustParseAddr(address)) {
			t.Errorf("%s is not called", address)
		}
	}
}

func TestWhatIsInside(t *testing.T) {
	for _, address := range []string{
		"0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "100.100.100.200",
		"192.0.0.192", "198.18.0.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
		"::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "fc00::1", "fd00::1", "fe80::1",
		"fe80::1%eth0", "fec0::1", "ff02::1",
	} {
		if Is(netip.MustParseAddr(address)) {
			t.Errorf("%s is called", address)
		}
	}
	if Is(netip.Addr{}) {
		t.Error("no address is called")
	}
}
