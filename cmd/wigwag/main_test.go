package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"
)

// TestMain lets scripts and tests run this program as wigwag.
func TestMain(m *testing.M) {
	testscript.Main(leakFree{m}, map[string]func(){"wigwag": main})
}

// leakFree runs the tests and fails where they leave a goroutine behind.
type leakFree struct{ m *testing.M }

func (l leakFree) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}
