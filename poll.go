package wigwag

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// fetchTimeout bounds one fetch, unless the application's client says otherwise.
	fetchTimeout = 30 * time.Second
	// maxSnapshot bounds the body of a fetch, after decompression.
	maxSnapshot = 256 << 20
)

// fetch asks for the snapshot, unless nothing has changed since what is held, and
// puts it into force.
func (c *Client) fetch(ctx context.Context) error {
	c.count(&c.stats.Fetches)
	timeout := fetchTimeout
	if c.settings.http.Timeout > 0 {
		timeout = c.settings.http.Timeout
	}
	fetching, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := c.fetchSnapshot(fetching)
	if err != nil && ctx.Err() == nil {
		c.failed(err)
	}
	return err
}

func (c *Client) fetchSnapshot(ctx context.Context) error {
	// Compression is the transport's business: net/http's asks for gzip and undoes it.
	req, err := c.newRequest(ctx, snapshotPath, typeJSON)
	if err != nil {
		return err
	}
	if held := c.view.Load().position; !held.IsZero() {
		req.Header.Set("If-None-Match", `"`+held.String()+`"`)
	}
	resp, err := c.do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		c.unchanged()
		return nil
	}
	document, err := io.ReadAll(io.LimitReader(resp.Body, maxSnapshot+1))
	if err != nil {
		return fmt.Errorf("reading the snapshot: %w", err)
	}
	if len(document) > maxSnapshot {
		return fmt.Errorf("the snapshot is larger than %d MiB", maxSnapshot>>20)
	}
	announced := strings.Trim(strings.TrimPrefix(resp.Header.Get("ETag"), "W/"), `"`)
	return c.applySnapshot(document, announced)
}
