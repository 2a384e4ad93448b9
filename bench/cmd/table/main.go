// Command table runs the benchmarks of this module in several rounds, prints the
// medians as Markdown beside the ratios that Wigwag owes, and exits with status 1
// where one is missed. Run it from the module's root, on a machine that does
// nothing else.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

func main() {
	rounds := flag.Int("rounds", 6, "how many times the benchmarks are run, one after the other")
	benchtime := flag.Duration("benchtime", 200*time.Millisecond, "how long each benchmark runs in a round")
	raw := flag.String("raw", "", "a `file` for the output of all rounds, in Go's benchmark format")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *rounds, *benchtime, *raw); err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, rounds int, benchtime time.Duration, raw string) error {
	if rounds < 1 {
		return fmt.Errorf("-rounds %d: at least 1", rounds)
	}
	dir, err := os.MkdirTemp("", "wigwag-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)

	// One binary for all rounds, so that none of them contains the compiler.
	binary := filepath.Join(dir, "bench.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", binary, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the benchmarks: %w", err)
	}

	var everything bytes.Buffer
	runs := make([]round, 0, rounds)
	for i := range rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", i+1, rounds)
		output, err := measure(ctx, binary, benchtime)
		if err != nil {
			return err
		}
		everything.Write(output)
		r, err := parse(output)
		if err != nil {
			return err
		}
		runs = append(runs, r)
	}
	installations, output, err := journeys(ctx, binary)
	if err != nil {
		return err
	}
	everything.Write(output)
	if raw != "" {
		if err := os.WriteFile(raw, everything.Bytes(), 0o644); err != nil {
			return err
		}
	}

	fmt.Printf("%s, %d rounds of %v, GOMAXPROCS 2.\n\n", machine(), rounds, benchtime)
	missed := report(os.Stdout, summarize(runs)) + reportJourneys(os.Stdout, installations)
	if missed > 0 {
		return fmt.Errorf("%d of the bounds owed are missed", missed)
	}
	return nil
}

// measure runs one round. Two processors, because one of the cases is about two.
func measure(ctx context.Context, binary string, benchtime time.Duration) ([]byte, error) {
	cmd := exec.CommandContext(ctx, binary, "-test.run=^$", "-test.bench=^BenchmarkEvaluate$",
		"-test.benchtime="+benchtime.String(), "-test.cpu=2", "-test.timeout=30m")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Run(); err != nil {
		io.Copy(os.Stderr, &output)
		return nil, fmt.Errorf("run the benchmarks: %w", err)
	}
	return output.Bytes(), nil
}

// machine says in a line what the figures were taken on.
func machine() string {
	model := runtime.GOARCH
	if info, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(info)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%s, %d cores, %s, %s", model, runtime.NumCPU(), runtime.GOOS, runtime.Version())
}
