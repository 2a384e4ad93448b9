// Command wigwag runs a flag server and speaks to one; see wigwag --help.
package main

import (
	"os"

	"github.com/wigwag/wigwag/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, os.Stdout, os.Stderr))
}
