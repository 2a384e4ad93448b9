package wigwag

import "fmt"

// Status says whether a client's answers can be relied upon.
type Status uint8

// The statuses of a client.
const (
	// StatusNotReady: nothing has been loaded; callers get their defaults.
	StatusNotReady Status = iota
	// StatusReady: the flags are what the server confirmed within the maximum age.
	StatusReady
	// StatusStale: the flags are older than that, or from a bootstrap document that
	// no server has confirmed. They keep being served.
	StatusStale
	// StatusError: the server refuses the key. What was loaded before keeps being
	// served; the client asks again every 5 minutes.
	StatusError

	statusCount = iota
)

var statusNames = [statusCount]string{"NOT_READY", "READY", "STALE", "ERROR"}

// String returns the status as OpenFeature spells it, such as NOT_READY.
func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// MarshalText returns [Status.String].
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// event is what can happen to a status.
type event uint8

const (
	// eventBootstrapped: a document was given at the start.
	eventBootstrapped event = iota
	// eventConfirmed: the server gave or confirmed what is held.
	eventConfirmed
	// eventExpired: the last confirmation is older than the maximum age.
	eventExpired
	// eventRefused: the server refused the key.
	eventRefused
	// eventFailed: the server could not be reached or sent something unusable. Only
	// time makes of this a status.
	eventFailed

	eventCount = iota
)

// transitions is the whole state machine: the status that follows, by the status
// that is and the event.
var transitions = [statusCount][eventCount]Status{
	StatusNotReady: {
		eventBootstrapped: StatusStale,
		eventConfirmed:    StatusReady,
		eventExpired:      StatusNotReady,
		eventRefused:      StatusError,
		eventFailed:       StatusNotReady,
	},
	StatusReady: {
		eventBootstrapped: StatusReady,
		eventConfirmed:    StatusReady,
		eventExpired:      StatusStale,
		eventRefused:      StatusError,
		eventFailed:       StatusReady,
	},
	StatusStale: {
		eventBootstrapped: StatusStale,
		eventConfirmed:    StatusReady,
		eventExpired:      StatusStale,
		eventRefused:      StatusError,
		eventFailed:       StatusStale,
	},
	StatusError: {
		eventBootstrapped: StatusError,
		eventConfirmed:    StatusReady,
		eventExpired:      StatusError,
		eventRefused:      StatusError,
		eventFailed:       StatusError,
	},
}

// after returns the status that follows an event.
func (s Status) after(e event) Status { return transitions[s][e] }
