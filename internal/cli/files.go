package cli

import (
	"errors"
	"fmt"
	"os"

	"github.com/wigwag/wigwag/internal/flagfile"
)

// shownFaults is how many faults of files are shown.
const shownFaults = 50

// readFiles reads flags files and folders of them as one document. What is wrong in
// them is an error of type flagfile.Faults.
func readFiles(names []string) (*flagfile.Document, int, error) {
	files, err := flagfile.Read(os.Stdin, names...)
	if err != nil {
		return nil, 0, err
	}
	document, err := flagfile.Parse(files...)
	return document, len(files), err
}

// faulty shows the faults of files, one a line, by print, and returns the error
// that counts them; other errors it returns as they are.
func faulty(err error, print func(format string, args ...any)) error {
	var faults flagfile.Faults
	if !errors.As(err, &faults) {
		return err
	}
	for _, fault := range faults[:min(len(faults), shownFaults)] {
		print("%s", plain(fault.String()))
	}
	if more := len(faults) - shownFaults; more > 0 {
		print("… and %d more", more)
	}
	files := map[string]bool{}
	for _, fault := range faults {
		files[fault.File] = true
	}
	return fmt.Errorf("%s in %s", counted(len(faults), "fault"), counted(len(files), "file"))
}

// problem prints a line on standard error.
func (s *screen) problem(format string, args ...any) { fmt.Fprintf(s.err, format+"\n", args...) }

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
