package wigwag

import (
	"time"

	"github.com/wigwag/wigwag/snapshot"
)

// Stats is what a client knows of itself, for a status page or a log line. It
// holds no secret.
type Stats struct {
	Mode     Mode
	Status   Status
	Position Position // zero before anything was loaded
	// PollInterval and MaxAge are as they are in force, [Never] where switched off.
	PollInterval time.Duration
	MaxAge       time.Duration
	// Streaming says whether the stream is delivering at this moment.
	Streaming bool
	// LastContact is when the server last confirmed what is held; zero if it never
	// did.
	LastContact time.Time
	// LastError is what the last attempt failed with; empty after a success.
	LastError string
	// Fetches counts requests for the snapshot, Reconnects the streams opened after
	// the first, Rejected the documents that were dropped because they were
	// damaged, foreign, older, or did not lead to the digest they promised.
	Fetches, Reconnects, Rejected uint64
}

// Stats returns what the client knows of itself now.
func (c *Client) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	stats := c.stats
	stats.Mode = c.settings.mode
	stats.Status = c.Status()
	stats.Position = c.view.Load().position
	stats.PollInterval = c.settings.pollInterval
	stats.MaxAge = c.settings.maxAge
	stats.Streaming = c.streaming.Load()
	if c.pinned != (snapshot.Header{}) {
		stats.LastContact = c.contact
	}
	if c.lastErr != nil {
		stats.LastError = c.settings.key.redact(c.lastErr.Error())
	}
	return stats
}

// Status returns whether the client's answers can be relied upon.
func (c *Client) Status() Status { return Status(c.status.Load()) }

// Endpoints returns the URLs that the client asks, for lists of what a network
// lets through. It asks no others, unless the server redirects it.
func (c *Client) Endpoints() []string {
	endpoints := []string{c.settings.base.JoinPath(snapshotPath).String()}
	if c.settings.mode != ModePolling {
		endpoints = append(endpoints, c.settings.base.JoinPath(streamPath).String())
	}
	return endpoints
}
