package feature

import "math"

// The instants that conditions compare, in milliseconds since 1970: the first
// and the last of the years 0001 to 9999 in UTC.
const (
	minInstant = -62_135_596_800_000
	maxInstant = 253_402_300_799_999
)

// InstantOfSeconds returns an instant given as seconds since 1970, in whole
// milliseconds, rounded down. It is ok within the years 0001 to 9999.
func InstantOfSeconds(seconds float64) (ms int64, ok bool) {
	f := math.Floor(seconds * 1000)
	if f >= minInstant && f <= maxInstant { // false for NaN
		return int64(f), true
	}
	return 0, false
}

// ParseInstant reads an RFC 3339 date and time, with Z or an offset, as
// milliseconds since 1970. A fraction of any length is cut after the third digit.
// Leap seconds, the year 0000 and days that the month does not have are refused.
// It never allocates.
func ParseInstant(s string) (ms int64, ok bool) {
	// 2006-01-02T15:04:05, then an optional fraction, then the offset.
	if len(s) < len("2006-01-02T15:04:05Z") || s[4] != '-' || s[7] != '-' || s[10]|0x20 != 't' ||
		s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	century, ok1 := twoDigits(s, 0, 99)
	yearOfCentury, ok2 := twoDigits(s, 2, 99)
	month, ok3 := twoDigits(s, 5, 12)
	day, ok4 := twoDigits(s, 8, 31)
	hour, ok5 := twoDigits(s, 11, 23)
	minute, ok6 := twoDigits(s, 14, 59)
	second, ok7 := twoDigits(s, 17, 59)
	year := 100*century + yearOfCentury
	if !(ok1 && ok2 && ok3 && ok4 && ok5 && ok6 && ok7) ||
		year == 0 || month == 0 || day == 0 || day > daysIn(year, month) {
		return 0, false
	}
	fraction, rest, ok := milliseconds(s[19:])
	if !ok {
		return 0, false
	}
	offset, ok := offsetMinutes(rest)
	if !ok {
		return 0, false
	}
	minutes := (daysSince1970(year, month, day)*24+hour)*60 + minute - offset
	return (minutes*60+second)*1000 + fraction, true
}

// twoDigits reads the two digits at i, up to a greatest value.
func twoDigits(s string, i int, most int64) (n int64, ok bool) {
	a, b := s[i]-'0', s[i+1]-'0'
	n = int64(a)*10 + int64(b)
	return n, a <= 9 && b <= 9 && n <= most
}

// milliseconds reads an optional fraction of a second and returns what follows.
func milliseconds(s string) (ms int64, rest string, ok bool) {
	if s[0] != '.' {
		return 0, s, true
	}
	s = s[1:]
	n := 0
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	if n < 1 {
		return 0, "", false
	}
	for i := range 3 {
		ms *= 10
		if i < n {
			ms += int64(s[i] - '0')
		}
	}
	return ms, s[n:], true
}

func offsetMinutes(s string) (minutes int64, ok bool) {
	if s == "Z" || s == "z" {
		return 0, true
	}
	if len(s) != len("+00:00") || s[0] != '+' && s[0] != '-' || s[3] != ':' {
		return 0, false
	}
	h, ok1 := twoDigits(s, 1, 23)
	m, ok2 := twoDigits(s, 4, 59)
	minutes = h*60 + m
	if s[0] == '-' {
		minutes = -minutes
	}
	return minutes, ok1 && ok2
}

func daysIn(year, month int64) int64 {
	switch {
	case month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0):
		return 29
	case month == 2:
		return 28
	case month == 4 || month == 6 || month == 9 || month == 11:
		return 30
	default:
		return 31
	}
}

// daysSince1970 counts in years that begin in March, so that the leap day is the
// last day of its year.
func daysSince1970(year, month, day int64) int64 {
	month -= 3
	if month < 0 {
		month += 12
		year--
	}
	const marchYear0To1970 = 719_468
	return 365*year + year/4 - year/100 + year/400 + (153*month+2)/5 + day - 1 - marchYear0To1970
}
