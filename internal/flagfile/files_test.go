package flagfile_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wigwag/wigwag/internal/flagfile"
)

var update = flag.Bool("update", false, "write what is found into the golden files")

// golden compares a text with a file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got)\n%s", name, diff)
	}
}

// examples returns the files and folders in a folder, without golden files.
func examples(t *testing.T, folder string) []string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".golden") {
			names = append(names, filepath.Join(folder, entry.Name()))
		}
	}
	if len(names) == 0 {
		t.Fatalf("%s is empty", folder)
	}
	return names
}

func read(t *testing.T, name string) (*flagfile.Document, error) {
	t.Helper()
	files, err := flagfile.Read(nil, name)
	if err != nil {
		t.Fatal(err)
	}
	return flagfile.Parse(files...)
}

func TestGoodFiles(t *testing.T) {
	for _, name := range examples(t, "testdata/good") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			document, err := read(t, name)
			if err != nil {
				t.Fatal(err)
			}
			if err := document.Check(); err != nil {
				t.Error(err)
			}
			golden(t, name+".yaml.golden", string(flagfile.Encode(document, flagfile.YAML)))
			golden(t, name+".json.golden", string(flagfile.Encode(document, flagfile.JSON)))
			checkWritten(t, document)
		})
	}
}

// checkWritten writes a document in every way, and wants what is read to be the
// same and to be written the same.
func checkWritten(t *testing.T, document *flagfile.Document) {
	t.Helper()
	for _, format := range []flagfile.Format{flagfile.YAML, flagfile.JSON} {
		text := flagfile.Encode(document, format)
		again, err := flagfile.Parse(flagfile.Source{Name: "x." + string(format), Text: text})
		if err != nil {
			t.Fatalf("what was written is refused: %v\n%s", err, text)
		}
		if diff := cmp.Diff(string(text), string(flagfile.Encode(again, format))); diff != "" {
			t.Errorf("written again it differs\n%s", diff)
		}
		if diff := cmp.Diff(string(flagfile.Encode(document, flagfile.JSON)), string(flagfile.Encode(again, flagfile.JSON))); diff != "" {
			t.Errorf("%s says something else\n%s", format, diff)
		}
		joined, err := flagfile.Parse(flagfile.Split(document, format)...)
		if err != nil {
			t.Fatalf("the folder that was written is refused: %v", err)
		}
		if diff := cmp.Diff(string(text), string(flagfile.Encode(joined, format))); diff != "" {
			t.Errorf("the folder differs from the file\n%s", diff)
		}
	}
}

func TestBadFiles(t *testing.T) {
	for _, name := range examples(t, "testdata/bad") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			document, err := read(t, name)
			if err == nil {
				err = document.Check()
			}
			if err == nil {
				t.Fatal("nothing is wrong with it")
			}
			for _, fault := range err.(flagfile.Faults) {
				if fault.Line == 0 || fault.Column == 0 {
					t.Errorf("there is no place in %s", fault)
				}
			}
			golden(t, name+".golden", strings.ReplaceAll(err.Error(), "testdata/bad/", "")+"\n")
		})
	}
}

// TestTheGuideIsValid reads the example of the user guide.
func TestTheGuideIsValid(t *testing.T) {
	guide, err := os.ReadFile("../../docs/flags-as-code.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(guide), "```yaml\n")
	example, _, ok := strings.Cut(rest, "```\n")
	if !ok {
		t.Fatal("the guide has no example")
	}
	document, err := flagfile.Parse(flagfile.Source{Name: "example.yaml", Text: []byte(example)})
	if err == nil {
		err = document.Check()
	}
	if err != nil || len(document.Flags) != 1 || len(document.Segments) != 1 {
		t.Errorf("%d flags, %d segments: %v", len(document.Flags), len(document.Segments), err)
	}
}
