package cli

import (
	"runtime"
	"runtime/debug"
)

// versionCmd prints the version.
type versionCmd struct{}

// Run prints it.
func (versionCmd) Run(s *screen) error {
	s.line("wigwag %s %s %s/%s", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// version is what the go command wrote into the program.
func version() string {
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" {
		return build.Main.Version
	}
	return "(devel)"
}
