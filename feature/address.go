package feature

import (
	"net/netip"
	"strings"
)

// ParseAddress reads an IPv4 or IPv6 address without a zone, as
// [netip.ParseAddr] does; an IPv4 address in IPv6 form becomes IPv4. Unlike
// netip's, it allocates nothing for what is no address.
func ParseAddress(s string) (netip.Addr, bool) {
	addr, ok := parseAddress(s)
	return addr.Unmap(), ok
}

// ParsePrefix reads a block of addresses in CIDR form, or one address, which is
// a block of itself. Bits past the prefix are cleared. A block of IPv4 addresses
// in IPv6 form becomes one of IPv4; a larger block around them is refused,
// because it could hold no address that [ParseAddress] returns. It never
// allocates.
func ParsePrefix(s string) (netip.Prefix, bool) {
	text, length, hasLength := strings.Cut(s, "/")
	addr, ok := parseAddress(text)
	if !ok {
		return netip.Prefix{}, false
	}
	bits := addr.BitLen()
	if hasLength {
		if bits, ok = parseSmall(length, bits); !ok {
			return netip.Prefix{}, false
		}
	}
	if addr.Is4In6() {
		bits -= 96
	}
	if bits < 0 {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr.Unmap(), bits).Masked(), true
}

func parseAddress(s string) (netip.Addr, bool) {
	if strings.IndexByte(s, ':') >= 0 {
		return parseIPv6(s)
	}
	octets, ok := parseIPv4(s)
	return netip.AddrFrom4(octets), ok
}

func parseIPv4(s string) (octets [4]byte, ok bool) {
	for i := range octets {
		part, rest, more := strings.Cut(s, ".")
		n, ok := parseSmall(part, 255)
		if !ok || more != (i < len(octets)-1) {
			return octets, false
		}
		octets[i], s = byte(n), rest //nolint:gosec // at most 255
	}
	return octets, true
}

func parseIPv6(s string) (netip.Addr, bool) {
	var b [16]byte
	n, gap := 0, -1 // gap is where :: stands, in bytes
	if strings.HasPrefix(s, "::") {
		gap = 0
		s = s[2:]
	}
	for s != "" {
		if n == len(b) {
			return netip.Addr{}, false
		}
		part, rest, more := strings.Cut(s, ":")
		if strings.IndexByte(part, '.') >= 0 {
			octets, ok := parseIPv4(part)
			if !ok || more || n > len(b)-len(octets) {
				return netip.Addr{}, false
			}
			n += copy(b[n:], octets[:])
			break
		}
		group, ok := parseHex(part)
		if !ok {
			return netip.Addr{}, false
		}
		b[n], b[n+1] = byte(group>>8), byte(group) //nolint:gosec // the halves of 16 bits
		n += 2
		switch {
		case more && rest == "":
			return netip.Addr{}, false // a single colon at the end
		case more && rest[0] == ':':
			if gap >= 0 {
				return netip.Addr{}, false
			}
			gap = n
			rest = rest[1:]
		}
		s = rest
	}
	switch {
	case gap < 0 && n < len(b), gap >= 0 && n == len(b):
		return netip.Addr{}, false
	case gap >= 0:
		copy(b[gap+len(b)-n:], b[gap:n])
		clear(b[gap : gap+len(b)-n])
	}
	return netip.AddrFrom16(b), true
}

// parseSmall reads a decimal of up to three digits without leading zeros.
func parseSmall(s string, most int) (n int, ok bool) {
	if len(s) > 3 || !isNumeric(s) || len(s) > 1 && s[0] == '0' {
		return 0, false
	}
	for i := range len(s) {
		n = n*10 + int(s[i]-'0')
	}
	return n, n <= most
}

// parseHex reads one to four hexadecimal digits.
func parseHex(s string) (n uint32, ok bool) {
	if s == "" || len(s) > 4 {
		return 0, false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case isDigit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		n = n<<4 | uint32(c)
	}
	return n, true
}
