package stream

import (
	"net/http"
	"strconv"
	"time"

	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/hub"
)

// noStreamsFor is how long a reader that is to poll waits before it asks for a
// stream again.
const noStreamsFor = 5 * time.Minute

// refuse returns why a flag set is not served, if it is not.
func refuse(set hub.Set, terms hub.Terms) error {
	switch {
	case terms.Removed:
		return errNotServed
	case terms.Archived == "project":
		return fault.New(fault.Forbidden, "Project %q is archived and serves no flags; restore it, or use a key of another.", set.Project)
	case terms.Archived != "":
		return fault.New(fault.Forbidden, "Environment %q of project %q is archived and serves no flags; restore it, or use a key of another.",
			set.Environment, set.Project)
	}
	return nil
}

// refuseStream returns why a flag set is served no stream, if it is not.
func refuseStream(w http.ResponseWriter, set hub.Set, terms hub.Terms) error {
	if err := refuse(set, terms); err != nil {
		return err
	}
	if terms.NoStreams {
		w.Header().Set("Retry-After", strconv.Itoa(int(noStreamsFor.Seconds())))
		return fault.New(fault.Conflict, "Streaming is switched off in environment %q of project %q; poll /sdk/v1/snapshot instead.",
			set.Environment, set.Project)
	}
	return nil
}

// farewell returns the reason for which a reader is sent away, empty where it may
// stay.
func farewell(terms hub.Terms) string {
	switch {
	case terms.Removed:
		return "deleted"
	case terms.Archived != "":
		return "archived"
	case terms.NoStreams:
		return "streaming-off"
	}
	return ""
}
