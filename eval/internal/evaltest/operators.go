package evaltest

import (
	"bytes"
	"math"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var operators = []string{
	"in", "contains", "starts_with", "ends_with", "matches", "lt", "lte", "gt", "gte", "before", "after",
	"semver_eq", "semver_lt", "semver_lte", "semver_gt", "semver_gte", "in_cidr", "exists",
}

func isNumber(v any) bool { _, ok := v.(float64); return ok }

// operand reports whether an operator takes a value.
func operand(op string, value any) bool {
	ok := false
	switch op {
	case "in":
		ok = isText(value) || isNumber(value) || isBool(value)
	case "contains", "starts_with", "ends_with":
		ok = isText(value)
	case "matches":
		pattern, _ := value.(string)
		ok = isText(value) && portable(pattern)
	case "lt", "lte", "gt", "gte":
		ok = isNumber(value)
	case "before", "after":
		_, ok = instant(value)
	case "semver_eq", "semver_lt", "semver_lte", "semver_gt", "semver_gte":
		_, ok = parseVersion(value)
	case "in_cidr":
		_, _, ok = parsePrefix(value)
	}
	return ok
}

// compare reports whether an attribute that is there passes.
func compare(op string, seen any, values []any) bool {
	if op == "exists" {
		return true
	}
	for _, value := range values {
		if compareOne(op, seen, value) {
			return true
		}
	}
	return false
}

func compareOne(op string, seen, value any) bool {
	switch op {
	case "in":
		if list, ok := seen.([]any); ok {
			return slices.ContainsFunc(list, func(e any) bool { return same(e, value) })
		}
		return same(seen, value)
	case "lt", "lte", "gt", "gte":
		a, ok := seen.(float64)
		b := value.(float64)
		return ok && (op == "lt" && a < b || op == "lte" && a <= b || op == "gt" && a > b || op == "gte" && a >= b)
	case "before", "after":
		a, ok := instant(seen)
		b, _ := instant(value)
		return ok && (op == "before" && a < b || op == "after" && a > b)
	}
	a, ok := seen.(string)
	if !ok {
		return false
	}
	b := value.(string)
	switch op {
	case "contains":
		return strings.Contains(a, b)
	case "starts_with":
		return strings.HasPrefix(a, b)
	case "ends_with":
		return strings.HasSuffix(a, b)
	case "matches":
		return regexp.MustCompile(b).MatchString(a)
	case "in_cidr":
		prefix, length, _ := parsePrefix(b)
		address := parseAddress(a)
		return len(address) == len(prefix) && bytes.Equal(masked(address, length), masked(prefix, length))
	}
	version, ok := parseVersion(a)
	other, _ := parseVersion(b)
	if !ok {
		return false
	}
	c := version.compare(other)
	return op == "semver_eq" && c == 0 || op == "semver_lt" && c < 0 || op == "semver_lte" && c <= 0 ||
		op == "semver_gt" && c > 0 || op == "semver_gte" && c >= 0
}

func same(a, b any) bool {
	switch a.(type) {
	case string, float64, bool:
		return a == b
	default:
		return false
	}
}

var datePattern = regexp.MustCompile(
	`^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))$`)

// instant returns milliseconds since 1970.
func instant(v any) (int64, bool) {
	const first, last = -62135596800000, 253402300799999
	if seconds, ok := v.(float64); ok {
		ms := math.Floor(seconds * 1000)
		if !(ms >= first && ms <= last) {
			return 0, false
		}
		return int64(ms), true
	}
	s, _ := v.(string)
	m := datePattern.FindStringSubmatch(s)
	if m == nil {
		return 0, false
	}
	number := func(i int) int64 {
		n, _ := strconv.ParseInt(m[i], 10, 64)
		return n
	}
	year, month, day := number(1), number(2), number(3)
	hour, minute, second := number(4), number(5), number(6)
	offsetHour, offsetMinute := number(9), number(10)
	if year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) ||
		hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59 {
		return 0, false
	}
	days := int64(0)
	for y := int64(1970); y < year; y++ {
		days += daysIn(y, 0)
	}
	for y := year; y < 1970; y++ {
		days -= daysIn(y, 0)
	}
	for i := int64(1); i < month; i++ {
		days += daysIn(year, i)
	}
	days += day - 1
	offset := (offsetHour*60 + offsetMinute) * 60
	if m[8] == "-" {
		offset = -offset
	}
	fraction, _ := strconv.ParseInt((m[7] + "000")[:3], 10, 64)
	ms := (days*86400+hour*3600+minute*60+second-offset)*1000 + fraction
	return ms, true
}

// daysIn counts the days of a month, of the year where month is 0.
func daysIn(year, month int64) int64 {
	leap := year%4 == 0 && (year%100 != 0 || year%400 == 0)
	lengths := []int64{365, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	if leap && (month == 0 || month == 2) {
		return lengths[month] + 1
	}
	return lengths[month]
}

// parseAddress returns 4 or 16 bytes, nil where there is no address.
func parseAddress(s string) []byte {
	address := net.ParseIP(s)
	if four := address.To4(); four != nil {
		return four
	}
	return address
}

func parsePrefix(v any) (address []byte, length int, ok bool) {
	s, isText := v.(string)
	if !isText {
		return nil, 0, false
	}
	host, digits, isPrefix := strings.Cut(s, "/")
	address = parseAddress(host)
	if address == nil {
		return nil, 0, false
	}
	if !isPrefix {
		return address, 8 * len(address), true
	}
	length, err := strconv.Atoi(digits)
	if err != nil || strconv.Itoa(length) != digits {
		return nil, 0, false
	}
	if len(address) == 4 && strings.Contains(host, ":") {
		length -= 96
	}
	return address, length, length >= 0 && length <= 8*len(address)
}

func masked(address []byte, length int) []byte {
	return net.IP(address).Mask(net.CIDRMask(length, 8*len(address)))
}

type version struct {
	core       [3]string
	prerelease []string
}

var versionPattern = regexp.MustCompile(`^[vV]?(0|[1-9]\d*)(?:\.(0|[1-9]\d*)(?:\.(0|[1-9]\d*)` +
	`(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?)?)?$`)

func parseVersion(v any) (version, bool) {
	s, _ := v.(string)
	m := versionPattern.FindStringSubmatch(s)
	if m == nil {
		return version{}, false
	}
	parsed := version{core: [3]string{m[1], m[2], m[3]}}
	for i := range parsed.core {
		if parsed.core[i] == "" {
			parsed.core[i] = "0"
		}
	}
	if m[4] != "" {
		parsed.prerelease = strings.Split(m[4], ".")
	}
	for _, identifier := range parsed.prerelease {
		if isDigits(identifier) && len(identifier) > 1 && identifier[0] == '0' {
			return version{}, false
		}
	}
	return parsed, true
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func (v version) compare(w version) int {
	for i := range v.core {
		if c := compareDigits(v.core[i], w.core[i]); c != 0 {
			return c
		}
	}
	if v.prerelease == nil || w.prerelease == nil {
		// Without a pre-release a version is the greater one.
		return len(w.prerelease) - len(v.prerelease)
	}
	for i := range min(len(v.prerelease), len(w.prerelease)) {
		a, b := v.prerelease[i], w.prerelease[i]
		c := strings.Compare(a, b)
		switch {
		case isDigits(a) && isDigits(b):
			c = compareDigits(a, b)
		case isDigits(a):
			c = -1
		case isDigits(b):
			c = 1
		}
		if c != 0 {
			return c
		}
	}
	return len(v.prerelease) - len(w.prerelease)
}

// compareDigits compares numbers of any length without leading zeros.
func compareDigits(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
