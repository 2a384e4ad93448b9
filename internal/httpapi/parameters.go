package httpapi

import (
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/snapshot"
)

// write says who writes, why, on the strength of what, and whether only to try.
// ifMatch and comment are nil where the request does not have them.
func write(r *http.Request, ifMatch *gen.IfMatch, comment *gen.Comment) (control.Write, error) {
	w := control.Write{Once: onceOf(r)}
	w.Actor, _ = r.Context().Value(actorKey{}).(string)
	var err error
	if ifMatch != nil {
		if w.IfMatch, err = parseIfMatch(*ifMatch); err != nil {
			return w, err
		}
	}
	if comment != nil {
		if w.Comment, err = parseComment(*comment); err != nil {
			return w, err
		}
	}
	w.DryRun, err = parseDryRun(r.URL.Query()[dryRunName])
	return w, err
}

const dryRunName = "dryRun"

// parseDryRun reads a parameter that every write has.
func parseDryRun(values []string) (bool, error) {
	if len(values) == 0 || (len(values) == 1 && values[0] == "false") {
		return false, nil
	}
	if len(values) == 1 && values[0] == "true" {
		return true, nil
	}
	return false, fault.InvalidField(dryRunName, "it must be true or false, once")
}

// parseIfMatch reads a quoted position; a star is no condition.
func parseIfMatch(value string) (snapshot.Position, error) {
	const name = "If-Match"
	value = strings.TrimSpace(value)
	if value == "*" {
		return snapshot.Position{}, nil
	}
	if strings.HasPrefix(value, "W/") {
		return snapshot.Position{}, fault.InvalidField(name, "a weak tag cannot be a condition; give the ETag as it was received, without W/")
	}
	quoted, opened := strings.CutPrefix(value, `"`)
	text, closed := strings.CutSuffix(quoted, `"`)
	position, err := snapshot.ParsePosition(text)
	if !opened || !closed || err != nil || position.IsZero() {
		return snapshot.Position{}, fault.InvalidField(name,
			`%.100q is not one quoted position; give the ETag as it was received, such as "0197f3c2-9c01:42" with its quotes, or *`, value)
	}
	return position, nil
}

// maxComment is the greatest length of a comment, in characters.
const maxComment = 500

// extended begins a comment that is percent-encoded UTF-8, as in RFC 8187.
// Browsers need it: they send no more than Latin-1 in a header.
const extended = "UTF-8''"

// parseComment reads UTF-8, plain or extended.
func parseComment(value string) (string, error) {
	const name = "Wigwag-Comment"
	if len(value) >= len(extended) && strings.EqualFold(value[:len(extended)], extended) {
		decoded, err := url.PathUnescape(value[len(extended):])
		if err != nil {
			return "", fault.InvalidField(name, "what follows UTF-8'' is not percent-encoded").Because(err)
		}
		value = decoded
	}
	switch {
	case !utf8.ValidString(value):
		return "", fault.InvalidField(name, "it is not UTF-8; send UTF-8, or UTF-8'' and the text percent-encoded")
	case strings.ContainsFunc(value, unicode.IsControl):
		return "", fault.InvalidField(name, "it has control characters, such as a line break; leave them out")
	case utf8.RuneCountInString(value) > maxComment:
		return "", fault.InvalidField(name, "it has %d characters; at most %d are kept", utf8.RuneCountInString(value), maxComment)
	}
	return value, nil
}

// The parameters of a page of the history.
const (
	limitName    = "limit"
	defaultLimit = 100
	maxLimit     = 1000
	limitMessage = "it must be a whole number from 1 to 1000"
)

func parseLimit(limit *int) (int, error) {
	switch {
	case limit == nil:
		return defaultLimit, nil
	case *limit < 1 || *limit > maxLimit:
		return 0, fault.InvalidField(limitName, limitMessage)
	default:
		return *limit, nil
	}
}

const afterName = "after"

func parseAfter(after *string) (snapshot.Position, error) {
	if after == nil {
		return snapshot.Position{}, nil
	}
	position, err := snapshot.ParsePosition(*after)
	if err != nil || position.IsZero() {
		return snapshot.Position{}, fault.InvalidField(afterName,
			"%.100q is no position; give one that this API answered with, or leave it out to begin at the beginning", *after)
	}
	return position, nil
}
