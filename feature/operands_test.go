package feature

import (
	"math"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestParseInstant(t *testing.T) {
	for text, want := range map[string]int64{
		"1970-01-01T00:00:00Z":            0,
		"1970-01-01t00:00:00z":            0,
		"1970-01-01T00:00:00.5Z":          500,
		"1970-01-01T00:00:00.0019999Z":    1,
		"1970-01-01T00:00:00.123456789Z":  123,
		"1969-12-31T23:59:59.999Z":        -1,
		"1969-12-31T23:59:59.9991Z":       -1,
		"1970-01-01T01:00:00+01:00":       0,
		"1969-12-31T12:01:00-11:59":       0,
		"1970-01-01T00:00:00-00:00":       0,
		"2000-02-29T00:00:00Z":            951_782_400_000,
		"2024-02-29T23:59:59Z":            1_709_251_199_000,
		"2026-12-31T23:59:59+23:59":       1_798_675_259_000,
		"0001-01-01T00:00:00Z":            minInstant,
		"9999-12-31T23:59:59.999999999Z":  maxInstant,
		"1970-01-01T00:00:01.1234567890Z": 1_123,
	} {
		if got, ok := ParseInstant(text); !ok || got != want {
			t.Errorf("ParseInstant(%q) = %d, %v; want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "2026", "2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-01-01T00:00Z", "2026-1-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-04-31T00:00:00Z",
		"2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2016-12-31T23:59:60Z",
		"0000-01-01T00:00:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z",
		"2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00+01:60", "2026-01-01T00:00:00.5",
		"2026-01-01T00:00:00ZZ", " 2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z ", "+026-01-01T00:00:00Z", "2026-01-01T00:00:00*01:00",
		"2026/01-01T00:00:00Z", "2026-01/01T00:00:00Z", "2026-01-01T00-00:00Z", "2026-01-01T00:00-00Z", "２026-01-01T00:00:00Z",
	} {
		if ms, ok := ParseInstant(text); ok {
			t.Errorf("ParseInstant(%q) = %d; want a refusal", text, ms)
		}
	}
}

func TestParseInstantKnowsEveryDay(t *testing.T) {
	day := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	for day.Year() <= 9999 {
		if got, ok := ParseInstant(day.Format(time.RFC3339)); !ok || got != day.UnixMilli() {
			t.Fatalf("%s: %d, %v; want %d", day, got, ok, day.UnixMilli())
		}
		step := 1
		if day.Year()%100 > 5 && day.Year()%100 < 95 {
			step = 29
		}
		day = day.AddDate(0, 0, step)
	}
}

func TestInstantOfSeconds(t *testing.T) {
	for seconds, want := range map[float64]int64{
		0: 0, 1.5: 1500, 0.0019: 1, -0.0001: -1, -1: -1000, 1.7e9: 1_700_000_000_000,
		-62_135_596_800: minInstant, 253_402_300_799.999: maxInstant,
	} {
		if got, ok := InstantOfSeconds(seconds); !ok || got != want {
			t.Errorf("InstantOfSeconds(%v) = %d, %v; want %d", seconds, got, ok, want)
		}
	}
	for _, seconds := range []float64{-62_135_596_800.001, 253_402_300_800, 1e300, -1e300, 1.7e12, math.NaN(), math.Inf(1)} {
		if ms, ok := InstantOfSeconds(seconds); ok {
			t.Errorf("InstantOfSeconds(%v) = %d; want a refusal", seconds, ms)
		}
	}
}

// strictRFC3339 is the part of what time.Parse accepts that ParseInstant does.
var strictRFC3339 = regexp.MustCompile(
	`^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$`)

func FuzzParseInstant(f *testing.F) {
	for _, text := range []string{
		"2026-05-31T09:30:00Z", "2026-05-31t09:30:00.5z", "2024-02-29T23:59:59.999999999+14:00", "0001-01-01T00:00:00-23:59",
		"2016-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-05-31T9:30:00Z", "2026-05-31T09:30:00,5Z",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := ParseInstant(text)
		want, err := time.Parse(time.RFC3339Nano, strings.ToUpper(text))
		accept := err == nil && strictRFC3339.MatchString(text) && !strings.HasPrefix(text, "0000")
		if ok != accept {
			t.Fatalf("ParseInstant(%q) is %v, time.Parse says %v, %v", text, ok, want, err)
		}
		if ok && got != want.UnixMilli() {
			t.Fatalf("ParseInstant(%q) = %d, want %d", text, got, want.UnixMilli())
		}
	})
}

func TestSemverOrder(t *testing.T) {
	// In ascending order; entries of one line are equal.
	ascending := [][]string{
		{"0", "0.0", "v0.0.0", "0.0.0+build"},
		{"0.0.1"},
		{"0.9.9"},
		{"1.0.0-0"},
		{"1.0.0-9", "1.0.0-9+1"},
		{"1.0.0-10"},
		{"1.0.0-100000000000000000000000"},
		{"1.0.0-100000000000000000000001"},
		{"1.0.0--"},
		{"1.0.0-0a"},
		{"1.0.0-RC"},
		{"1.0.0-alpha", "V1.0.0-alpha+001.x"},
		{"1.0.0-alpha.1"},
		{"1.0.0-alpha.beta"},
		{"1.0.0-beta"},
		{"1.0.0-beta.2"},
		{"1.0.0-beta.11"},
		{"1.0.0-rc.1"},
		{"1", "1.0", "1.0.0", "v1", "V1.0", "1.0.0+a-b.00"},
		{"1.2"},
		{"1.10"},
		{"2"},
		{"18446744073709551616.0.0"},
		{"18446744073709551617.0.0"},
	}
	for i, line := range ascending {
		for _, a := range line {
			v, ok := ParseSemver(a)
			if !ok {
				t.Fatalf("%q is refused", a)
			}
			for j, other := range ascending {
				for _, b := range other {
					w, _ := ParseSemver(b)
					want := 0
					if i < j {
						want = -1
					} else if i > j {
						want = 1
					}
					if got := v.Compare(w); got != want {
						t.Errorf("%s against %s is %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
}

func TestSemverRefused(t *testing.T) {
	for _, text := range []string{
		"", "v", "vv1", "v 1", "01", "1.02", "1.2.03", "1.", ".1", "1..2", "1.2.3.4", "1.2.3.", " 1.2.3", "1.2.3 ", "1.2.3\n", "1.2.x",
		"-1.2.3", "+1", "1.2.3-", "1.2.3+", "1.2.3-+b", "1.2.3-a..b", "1.2.3-a.", "1.2.3-01", "1.2.3-a_b", "1.2.3+a+b", "1.2.3+a..b",
		"1-rc.1", "1.2-rc.1", "1.2+b", "1.2.3-é", "１.2.3", "latest",
	} {
		if v, ok := ParseSemver(text); ok {
			t.Errorf("ParseSemver(%q) = %v; want a refusal", text, v)
		}
	}
}

// The pattern that semver.org suggests, with what we accept besides.
var semverPattern = regexp.MustCompile(`^[vV]?(0|[1-9]\d*)(\.(0|[1-9]\d*)(\.(0|[1-9]\d*)` +
	`(-((0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(\+([0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*))?)?)?$`)

func FuzzParseSemver(f *testing.F) {
	for _, pair := range [][2]string{
		{"1.2.3", "v1"}, {"1.0.0-alpha.1+b", "1.0.0-alpha.beta"}, {"1.0.0-01", "1.0.0--"}, {"2.1-rc.1", "18446744073709551616.0.0"},
	} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		v, ok := ParseSemver(a)
		if want := semverPattern.MatchString(a); ok != want {
			t.Fatalf("ParseSemver(%q) is %v, want %v", a, ok, want)
		}
		w, ok2 := ParseSemver(b)
		if !ok || !ok2 {
			return
		}
		if v.Compare(w) != -w.Compare(v) || v.Compare(v) != 0 {
			t.Fatalf("%q against %q is %d, the other way %d", a, b, v.Compare(w), w.Compare(v))
		}
	})
}

func TestParseAddress(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "0.0.0.0": "0.0.0.0", "::": "::", "::1": "::1", "1::": "1::", "2001:DB8::a": "2001:db8::a",
		"1:2:3:4:5:6:7:8": "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0", "::2:3:4:5:6:7:8": "0:2:3:4:5:6:7:8",
		"::ffff:10.1.2.3": "10.1.2.3", "::ffff:a01:203": "10.1.2.3", "64:ff9b::192.0.2.33": "64:ff9b::c000:221",
		"1:2:3:4:5:6:1.2.3.4": "1:2:3:4:5:6:102:304",
	} {
		if got, ok := ParseAddress(text); !ok || got.String() != want {
			t.Errorf("ParseAddress(%q) = %s, %v; want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "localhost", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", "1.2.3.4 ", "1.2.3.", "1..2.3", "::1%eth0", "fe80::1%", ":", ":::",
		"1:2:3", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "1::2::3", "12345::", "::g", ":1", "1:", "::1.2.3", "1.2.3.4::", "::1.2.3.4:5",
		"1:2:3:4:5:6:7:1.2.3.4", "10.0.0.0/8", "user-42",
	} {
		if got, ok := ParseAddress(text); ok {
			t.Errorf("ParseAddress(%q) = %s; want a refusal", text, got)
		}
	}
}

func TestParsePrefix(t *testing.T) {
	for text, want := range map[string]string{
		"10.0.0.0/8": "10.0.0.0/8", "10.1.2.3/8": "10.0.0.0/8", "0.0.0.0/0": "0.0.0.0/0", "192.0.2.7": "192.0.2.7/32", "192.0.2.7/32": "192.0.2.7/32",
		"2001:db8::1/32": "2001:db8::/32", "::/0": "::/0", "::1": "::1/128", "::ffff:10.1.0.0/104": "10.0.0.0/8", "::ffff:10.1.2.3": "10.1.2.3/32",
		"::ffff:0:0/96": "0.0.0.0/0",
	} {
		if got, ok := ParsePrefix(text); !ok || got.String() != want {
			t.Errorf("ParsePrefix(%q) = %s, %v; want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/+8", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "::/1000", "10.0.0/8",
		"::ffff:10.0.0.0/95", "fe80::1%eth0/64", " 10.0.0.0/8",
	} {
		if got, ok := ParsePrefix(text); ok {
			t.Errorf("ParsePrefix(%q) = %s; want a refusal", text, got)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, text := range []string{"192.0.2.1", "::ffff:1.2.3.4", "1:2:3:4:5:6:7::", "fe80::1%eth0", "1::2::3", "01.2.3.4", "2001:db8::/32", "10.0.0.1/8"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := ParseAddress(text)
		want, err := netip.ParseAddr(text)
		if accept := err == nil && want.Zone() == ""; ok != accept || ok && got != want.Unmap() {
			t.Fatalf("ParseAddress(%q) = %s, %v; netip says %s, %v", text, got, ok, want, err)
		}
		prefix, ok := ParsePrefix(text)
		wantPrefix, err := netip.ParsePrefix(text)
		if err != nil || wantPrefix.Addr().Is4In6() {
			return // an address, a mapped block, or nothing: the tables above
		}
		if !ok || prefix != wantPrefix.Masked() {
			t.Fatalf("ParsePrefix(%q) = %s, %v; netip says %s", text, prefix, ok, wantPrefix)
		}
	})
}

func TestOperandParsersDoNotAllocate(t *testing.T) {
	inputs := []string{
		"", "user-42", "2026-05-31T09:30:00.123456789+02:00", "2026-02-30T09:30:00Z", "v1.2.3-rc.1+build.5", "1.2.3.4.5", "10.1.2.300",
		"10.1.2.3", "10.0.0.0/8", "10.0.0.0/99", "2001:db8::1", "face:off", "::ffff:10.0.0.0/104", "fe80::1%eth0", strings.Repeat("9.", 500),
	}
	a, _ := ParseSemver("1.0.0-alpha.1.x")
	b, _ := ParseSemver("1.0.0-alpha.1.y")
	prefix := NewMurmurPrefix("new-checkout.")
	ec := NewContext("user-42", String("plan", "pro"), Object("org", String("plan", "team")))
	path, whole, missing := ParseAttributePath("org.plan"), ParseAttributePath("plan"), ParseAttributePath("org.no.such")
	for name, run := range map[string]func(string){
		"ParseInstant":     func(s string) { _, _ = ParseInstant(s) },
		"InstantOfSeconds": func(s string) { _, _ = InstantOfSeconds(float64(len(s)) * 1e9) },
		"ParseSemver":      func(s string) { _, _ = ParseSemver(s) },
		"Compare":          func(string) { _ = a.Compare(b) },
		"ParseAddress":     func(s string) { _, _ = ParseAddress(s) },
		"ParsePrefix":      func(s string) { _, _ = ParsePrefix(s) },
		"Murmur3":          func(s string) { _ = Murmur3(s) },
		"MurmurPrefix":     func(s string) { _ = prefix.Sum(s) },
		"Lookup":           func(string) { _, _, _ = ec.Lookup(&path), ec.Lookup(&whole), ec.Lookup(&missing) },
	} {
		for _, input := range inputs {
			if n := testing.AllocsPerRun(10, func() { run(input) }); n != 0 {
				t.Errorf("%s(%.40q) allocates %v times", name, input, n)
			}
		}
	}
}
