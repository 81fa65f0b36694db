package policies

import (
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Bounds of a network grant.
const (
	// MaxPatterns is how many patterns, addresses and headers a profile may list
	// of each.
	MaxPatterns = 64
	// MaxNetworkRequests bounds network.requests; every request leaves a record.
	MaxNetworkRequests = 1000
	// MaxNetworkBody bounds network.max_request and network.max_response, which
	// the host holds in its own memory.
	MaxNetworkBody Bytes = 64 << 20
	// MaxNetworkTotal bounds network.total.
	MaxNetworkTotal Bytes = 1 << 30
	// MaxNetworkTimeout bounds network.timeout.
	MaxNetworkTimeout = Duration(10 * time.Minute)
)

// Network is what a program may ask of the network: nothing, unless Allow says
// so. No request can widen it.
type Network struct {
	// Allow lists the requests that are allowed. None means no network.
	Allow []Pattern
	// Requests is how many requests one call may make, each step of a redirect
	// being one, from 1 to [MaxNetworkRequests].
	Requests uint64
	// MaxRequest and MaxResponse are the most bytes of one body, from 1 to
	// [MaxNetworkBody].
	MaxRequest, MaxResponse Bytes
	// Total is how many bytes of headers and bodies one call may send and receive
	// together, from 1 to [MaxNetworkTotal].
	Total Bytes
	// Timeout is the time of one request with its redirects, from [MinTimeout] to
	// [MaxNetworkTimeout]. The call's own timeout ends it too.
	Timeout Duration
	// Private lists the addresses that may be connected to although they are not
	// public.
	Private []netip.AddrPort
	// Headers are placed by the host, with values the program never sees.
	Headers []Header
}

// Header is a header that the host adds to requests. Its value is a secret that
// the operator keeps in a variable of sandboxd's own environment or in a file;
// policy files hold none, as they are shown and shared.
type Header struct {
	// Match says which requests get it. It has no methods.
	Match Pattern
	// Name is the header's name.
	Name string
	// Prefix precedes the secret in the header, such as "Bearer ".
	Prefix string
	// Env names the variable, or File the file, by its absolute path, that holds
	// the secret. One of the two is empty.
	Env, File string
}

// source says where the secret comes from, as it is shown to people.
func (h Header) source() string {
	if h.Env != "" {
		return "variable " + h.Env
	}
	return "file " + h.File
}

// builtinNetwork holds what applies where a file grants network and says no more.
func builtinNetwork() Network {
	return Network{
		Requests:    20,
		MaxRequest:  1 << 20,
		MaxResponse: 5 << 20,
		Total:       20 << 20,
		Timeout:     Duration(10 * time.Second),
	}
}

func (n Network) clone() Network {
	n.Allow = slices.Clone(n.Allow)
	n.Private = slices.Clone(n.Private)
	n.Headers = slices.Clone(n.Headers)
	return n
}

// networkLimit describes one limit of the network. A request changes none of
// them, so unlike those of [limits] they are not overridable.
type networkLimit struct {
	key      string
	min, max uint64
	format   func(uint64) string
	read     func(v any) (uint64, error)
	get      func(*Network) uint64
	set      func(*Network, uint64)
}

// networkLimits lists them in the order of the documentation. It is read-only.
var networkLimits = []networkLimit{
	{
		"network.requests", 1, MaxNetworkRequests, formatCount, readCount,
		func(n *Network) uint64 { return n.Requests },
		func(n *Network, v uint64) { n.Requests = v },
	},
	{
		"network.max_request", 1, uint64(MaxNetworkBody), formatSize, readSize,
		func(n *Network) uint64 { return uint64(n.MaxRequest) },
		func(n *Network, v uint64) { n.MaxRequest = Bytes(v) },
	},
	{
		"network.max_response", 1, uint64(MaxNetworkBody), formatSize, readSize,
		func(n *Network) uint64 { return uint64(n.MaxResponse) },
		func(n *Network, v uint64) { n.MaxResponse = Bytes(v) },
	},
	{
		"network.total", 1, uint64(MaxNetworkTotal), formatSize, readSize,
		func(n *Network) uint64 { return uint64(n.Total) },
		func(n *Network, v uint64) { n.Total = Bytes(v) },
	},
	{
		"network.timeout", uint64(MinTimeout), uint64(MaxNetworkTimeout), formatTime, readTime,
		func(n *Network) uint64 { return nanoseconds(n.Timeout) },
		func(n *Network, v uint64) { n.Timeout = timeOf(v) },
	},
}

// check refuses what is out of the key's bounds.
func (l networkLimit) check(v uint64) error {
	return limit{min: l.min, max: l.max, format: l.format}.check(amount{v, l.format(v)})
}

// ReservedHeader says whether a header belongs to whoever speaks HTTP, so that
// neither a program nor a profile sets it: those that frame a message or name its
// target, those of proxies, and those by which some servers exchange the method or
// the path for another. A name with an underscore is one of them, for many servers
// take it for a hyphen.
func ReservedHeader(name string) bool {
	name = strings.ToLower(name)
	for _, prefix := range []string{"proxy-", "x-forwarded-"} {
		if strings.HasPrefix(name, prefix) {
			return true
		}
	}
	return strings.Contains(name, "_") || slices.Contains(reservedHeaders, name)
}

var reservedHeaders = []string{
	"accept-encoding", "connection", "content-length", "expect", "forwarded", "host",
	"http2-settings", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "via",
	"x-http-method", "x-http-method-override", "x-method-override",
	"x-original-method", "x-original-url", "x-rewrite-url",
}

// IsHeaderName says whether s can name a header: a token of RFC 9110, at most 128
// bytes.
func IsHeaderName(s string) bool {
	ok := s != "" && len(s) <= 128
	for i := range len(s) {
		c := s[i]
		ok = ok && ('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
			strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0)
	}
	return ok
}
