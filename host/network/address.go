package network

import (
	"fmt"
	"net/netip"
	"slices"
	"syscall"
)

// addressError refuses a connection to an address.
type addressError struct{ address netip.AddrPort }

func (e *addressError) Error() string { return fmt.Sprintf("%v is not a public address", e.address) }

// control is asked about every connection when its address is known and before it
// is made, so that it does not matter what a name resolved to a moment ago, or how
// the way here was found.
func (c *Client) control(network, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("connect to %q by %s: %w", address, network, err)
	}
	a = netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
	if isPublic(a.Addr()) || slices.Contains(c.opts.Grant.Private, a) {
		return nil
	}
	return &addressError{a}
}

// special are the ranges within what looks public that are not: private, local,
// shared and reserved addresses, and those that stand for another address, such as
// 6to4 and Teredo.
//
// See https://www.iana.org/assignments/iana-ipv4-special-registry and
// https://www.iana.org/assignments/iana-ipv6-special-registry
var special = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
	"198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"168.63.129.16/32", // a cloud's metadata, at an address that looks like any other
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
)

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")
	nat64         = netip.MustParsePrefix("64:ff9b::/96")
)

func prefixes(texts ...string) []netip.Prefix {
	out := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		out[i] = netip.MustParsePrefix(text)
	}
	return out
}

// isPublic says whether an address is one that anybody on the Internet could reach.
// Of IPv6 only global unicast is, and the IPv4 addresses behind NAT64.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if a.Zone() != "" || a.Is6() && !globalUnicast.Contains(a) {
		return false
	}
	return !slices.ContainsFunc(special, func(p netip.Prefix) bool { return p.Contains(a) })
}
