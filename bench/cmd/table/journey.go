package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
)

// metrics are the figures of one benchmark, by unit.
type metrics map[string]float64

// journeys runs the benchmarks that go through a whole installation.
func journeys(ctx context.Context, binary string) (map[string]metrics, []byte, error) {
	var everything bytes.Buffer
	all := map[string]metrics{}
	for _, run := range []struct{ name, times string }{{"CommitToCallback", "1000x"}, {"Start", "5x"}} {
		fmt.Fprintln(os.Stderr, run.name, run.times)
		cmd := exec.CommandContext(ctx, binary, "-test.run=^$", "-test.bench=^Benchmark"+run.name+"$",
			"-test.benchtime="+run.times, "-test.cpu=2", "-test.timeout=10m")
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, io.Discard // what the SDK logs
		if err := cmd.Run(); err != nil {
			io.Copy(os.Stderr, &output)
			return nil, nil, fmt.Errorf("run %s: %w", run.name, err)
		}
		everything.Write(output.Bytes())
		all[run.name] = parseMetrics(output.Bytes())
	}
	return all, everything.Bytes(), nil
}

func parseMetrics(output []byte) metrics {
	m := metrics{}
	scanner := bufio.NewScanner(bytes.NewReader(output))
	for scanner.Scan() {
		fields := strings.Fields(scanner.Text())
		if len(fields) < 2 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				m[fields[i+1]] = value
			}
		}
	}
	return m
}

// reportJourneys writes the table of whole installations and returns how many
// bounds are missed.
func reportJourneys(w io.Writer, all map[string]metrics) (missed int) {
	commit, start := all["CommitToCallback"], all["Start"]
	fmt.Fprint(w, "\n## From a change to a callback, and from a start to being ready (SQLite)\n\n| | | owed |\n|---|---:|---:|\n")
	for _, row := range []struct {
		name        string
		got, at     float64
		unit, limit string
	}{
		{"API request sent → callback in a streaming SDK, 1,000 flags, median", commit["p50-ms"], 5, "ms", "5 ms"},
		{"the same, 99th percentile", commit["p99-ms"], 15, "ms", "15 ms"},
		{"its median with 1,000 flags over that with 10", commit["p50-1000/10"], 1.2, "", "1.2"},
		{"bytes sent to the SDK for it", commit["wire-B/change"], 1.2*commit["item-B"] + 400, "B", "1.2 × the item + 400 B"},
		{"server start → ready, 1,000 flags, 100 segments, 100,000 keys", start["server-ms"], 2000, "ms", "2 s"},
		{"SDK start → ready, with the same", start["sdk-ms"], 0, "ms", "–"},
	} {
		got := strings.TrimSpace(fmt.Sprintf("%.3g %s", row.got, row.unit))
		if row.got == 0 || row.at > 0 && row.got > row.at {
			missed++
			got = "**" + got + "**"
		}
		fmt.Fprintf(w, "| %s | %s | %s |\n", row.name, got, row.limit)
	}
	return missed
}
