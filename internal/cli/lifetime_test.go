package cli

import (
	"testing"
	"time"
)

func TestExpiry(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Time{
		"":                          {},
		"90d":                       now.AddDate(0, 0, 90),
		"12h":                       now.Add(12 * time.Hour),
		"1h30m":                     now.Add(90 * time.Minute),
		"2030-12-31":                time.Date(2030, 12, 31, 0, 0, 0, 0, time.UTC),
		"2030-12-31T08:00:00+02:00": time.Date(2030, 12, 31, 6, 0, 0, 0, time.UTC),
	} {
		e := Expiry{text}
		if got, err := e.at(now); err != nil || !got.Equal(want) {
			t.Errorf("%q: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"soon", "d", "-1d", "-1h", "0d", "0s", "1.5d", "99999d", "2030-13-01", "90"} {
		e := Expiry{text}
		if got, err := e.at(now); err == nil {
			t.Errorf("%q: %s", text, got)
		}
	}
}

func TestOverlap(t *testing.T) {
	for text, want := range map[string]string{"0s": "0s", "7d": "168h0m0s", "90m": "1h30m0s", "0.5h": "30m0s"} {
		o := Overlap{text}
		if got, err := o.text(); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "-1h", "long", "d"} {
		o := Overlap{text}
		if got, err := o.text(); err == nil {
			t.Errorf("%q: %q", text, got)
		}
	}
}
