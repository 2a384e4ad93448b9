package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"sync"
	"time"
)

// patience bounds every wait; it is met only where something is broken.
const patience = 60 * time.Second

// process is the program, running in the background.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{} // closed once state is set
	state *os.ProcessState

	mu       sync.Mutex // guards what follows
	out, err bytes.Buffer
	changed  chan struct{} // closed at the next output
}

// start runs the program with its arguments in a folder and an environment.
func start(dir string, env []string, args ...string) (*process, error) {
	p := &process{ended: make(chan struct{}), changed: make(chan struct{})}
	p.cmd = exec.Command("wigwag", args...)
	p.cmd.Dir, p.cmd.Env = dir, env
	p.cmd.Stdout, p.cmd.Stderr = &stream{p, &p.out}, &stream{p, &p.err}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait() // the state says it
		p.state = p.cmd.ProcessState
		close(p.ended)
	}()
	return p, nil
}

// stream is one of a process's outputs.
type stream struct {
	process *process
	to      *bytes.Buffer
}

func (s *stream) Write(b []byte) (int, error) {
	s.process.mu.Lock()
	defer s.process.mu.Unlock()
	close(s.process.changed)
	s.process.changed = make(chan struct{})
	return s.to.Write(b)
}

// output returns what was written so far, and a channel that is closed at the
// next output.
func (p *process) output() (out, err string, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String(), p.err.String(), p.changed
}

// await waits until an output matches, and returns the groups of the match.
func (p *process) await(pattern *regexp.Regexp) ([]string, error) {
	timeout := time.After(patience)
	for ended := false; ; {
		out, problems, changed := p.output()
		for _, text := range []string{out, problems} {
			if found := pattern.FindStringSubmatch(text); found != nil {
				return found, nil
			}
		}
		if ended {
			return nil, fmt.Errorf("%v ended (%v) and did not print %s\n%s%s", p.cmd.Args, p.state, pattern, out, problems)
		}
		select {
		case <-changed:
		case <-p.ended:
			ended = true // its last words are looked at once more
		case <-timeout:
			return nil, fmt.Errorf("%v did not print %s\n%s%s", p.cmd.Args, pattern, out, problems)
		}
	}
}

var urlPattern = regexp.MustCompile(`running at (http://\S+)`)

// url waits until a server says where it serves.
func (p *process) url() (string, error) {
	found, err := p.await(urlPattern)
	if err != nil {
		return "", err
	}
	return found[1], nil
}

// stop sends a signal and waits for the end.
func (p *process) stop(signal os.Signal) error {
	if err := p.cmd.Process.Signal(signal); err != nil {
		return err
	}
	select {
	case <-p.ended:
		return nil
	case <-time.After(patience):
		p.kill()
		out, problems, _ := p.output()
		return fmt.Errorf("%v did not end after %v\n%s%s", p.cmd.Args, signal, out, problems)
	}
}

// kill ends the process, if it runs, and waits for it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}
