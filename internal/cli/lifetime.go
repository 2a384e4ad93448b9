package cli

import (
	"strconv"
	"strings"
	"time"
)

// Expiry is when something that is made expires.
type Expiry struct {
	Expires string `placeholder:"WHEN" help:"When it expires: a time from now such as 90d or 12h, or a date such as 2030-12-31. Default ${expiry}."`
}

// at returns the time, zero where none is given.
func (e *Expiry) at(now time.Time) (time.Time, error) {
	if e.Expires == "" {
		return time.Time{}, nil
	}
	if span, err := parseSpan(e.Expires); err == nil && span > 0 {
		return now.Add(span), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.Parse(layout, e.Expires); err == nil {
			return at, nil
		}
	}
	return time.Time{}, misused("--expires %.40q is neither a time from now such as 90d or 12h, nor a date such as 2030-12-31", e.Expires)
}

// parseSpan reads a duration, also in days.
func parseSpan(text string) (time.Duration, error) {
	if number, ok := strings.CutSuffix(text, "d"); ok {
		days, err := strconv.ParseUint(number, 10, 16)
		return time.Duration(days) * 24 * time.Hour, err
	}
	return time.ParseDuration(text)
}

// Overlap is how long what is replaced goes on.
type Overlap struct {
	Overlap string `default:"24h" placeholder:"TIME" help:"How long the old one is still honoured, such as 1h or 7d, or 0s for not at all. Default ${default}."`
}

// text returns the duration as the API takes it.
func (o *Overlap) text() (string, error) {
	span, err := parseSpan(o.Overlap)
	if err != nil || span < 0 {
		return "", misused("--overlap %.40q is no duration such as 1h or 7d", o.Overlap)
	}
	return span.Round(time.Second).String(), nil
}

// moment is a time for people, or a word for none.
func moment(at time.Time, none string) string {
	if at.IsZero() {
		return none
	}
	return at.Local().Format("2006-01-02 15:04")
}

// expiryOf is when something expires, for people.
func expiryOf(at time.Time, replacedBy string, now time.Time) string {
	text := moment(at, "never")
	if !at.IsZero() && !now.Before(at) {
		text = "expired " + text
	}
	if replacedBy != "" {
		text += ", replaced by " + replacedBy
	}
	return text
}
