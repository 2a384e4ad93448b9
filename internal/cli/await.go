package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/wigwag/wigwag/internal/gen"
)

const (
	// waitTime bounds how long a write is waited for.
	waitTime = 30 * time.Second
	// waitPause is how often it is looked for.
	waitPause = 100 * time.Millisecond
)

// reached are the positions that a write answers with.
type reached struct {
	Position     gen.Position            `json:"position"`
	Environments map[string]gen.Position `json:"environments"`
}

// servedSets is what is read of the status of a server.
type servedSets struct {
	FlagSets []struct {
		Position gen.Position `json:"position"`
		Stored   gen.Position `json:"stored"`
	} `json:"flagSets"`
}

// behind reports whether a server serves less than a write reached. Positions tell
// by their epoch which flag set they are of; those of none are of the project.
func (r *reached) behind(status *servedSets) bool {
	for _, position := range append(mapValues(r.Environments), r.Position) {
		for _, set := range status.FlagSets {
			if set.Stored.Epoch == position.Epoch && set.Position.Before(position) {
				return true
			}
		}
	}
	return false
}

func mapValues(positions map[string]gen.Position) []gen.Position {
	values := make([]gen.Position, 0, len(positions)+1)
	for _, position := range positions {
		values = append(values, position)
	}
	return values
}

// awaitServed waits until a server serves to SDKs what a write reached.
func awaitServed(ctx context.Context, server string, answer []byte) error {
	var write reached
	if err := json.Unmarshal(answer, &write); err != nil {
		return unlike(server, err)
	}
	ctx, cancel := context.WithTimeout(ctx, waitTime)
	defer cancel()
	client := httpClient()
	defer client.CloseIdleConnections()
	pause := time.NewTicker(waitPause)
	defer pause.Stop()
	for {
		status, err := statusOf(ctx, client, server)
		if err == nil && !write.behind(status) {
			return nil
		}
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("the change is made, at position %s, but what is served cannot be seen: %w", write.Position, err)
		}
		select {
		case <-pause.C:
		case <-ctx.Done():
			return fmt.Errorf("the change is made, at position %s, but %s does not serve it yet; see %s/status", write.Position, server, server)
		}
	}
}

// statusOf asks a server what it serves.
func statusOf(ctx context.Context, client *http.Client, server string) (*servedSets, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/status", nil)
	if err != nil {
		return nil, err
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, unreachable(server, err)
	}
	body, err := read(server, response)
	if err != nil {
		return nil, err
	}
	status := new(servedSets)
	if err := json.Unmarshal(body, status); err != nil {
		return nil, unlike(server, err)
	}
	return status, nil
}
