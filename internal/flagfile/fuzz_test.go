package flagfile_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wigwag/wigwag/feature"
	"github.com/wigwag/wigwag/internal/flagfile"
)

// FuzzParse wants every text to be a document that can be written and read again,
// or to have faults that say where they are.
func FuzzParse(f *testing.F) {
	for _, folder := range []string{"testdata/good", "testdata/bad"} {
		files, err := flagfile.Read(nil, folder)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			f.Add(string(file.Text), strings.HasSuffix(file.Name, ".json"))
		}
	}
	f.Fuzz(func(t *testing.T, text string, json bool) {
		name := "x.yaml"
		if json {
			name = "x.json"
		}
		document, err := flagfile.Parse(flagfile.Source{Name: name, Text: []byte(text)})
		var faults flagfile.Faults
		switch {
		case err == nil:
			checkWritten(t, document)
			_ = document.Check()
		case !errors.As(err, &faults) || len(faults) == 0:
			t.Errorf("%T is no list of faults", err)
		default:
			for _, fault := range faults {
				if fault.File != name || fault.Line < 1 || fault.Line > strings.Count(text, "\n")+2 || fault.Message == "" {
					t.Errorf("a fault without a place: %+v", fault)
				}
			}
		}
	})
}

// TestWrittenTextsAreRead writes texts of every sort and reads them again.
func TestWrittenTextsAreRead(t *testing.T) {
	text := rapid.OneOf(
		rapid.String(),
		rapid.StringMatching(`[ -~\n]{0,40}`),
		rapid.SampledFrom([]string{
			"", " ", "~", "null", "true", "YES", "no", "1e3", "0x1", ".inf", "-", "- a", "a: b", "a #b", "#a", "*a", "&a", "!a", "<<", "---", "...",
			"a\n", "a\nb", "a\n\nb\n", "a\nb\n\n", "\na", " a\nb", "a \nb", "a\r\nb", "a\u2028b\nc", "a\x85b", "\ufeffa", "a\tb\nc", "2026-01-01", "=", "a:", "'a'", "\"",
			"|\n a", "%a\n%b", "a\n---\nb", "a\n...\nb", "a\n\tb", "\U0001F319\n\U0001F319", "\x7f\n", "a\n b\n  c",
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		word := func(label string) string { return strings.ToValidUTF8(text.Draw(t, label), "?") }
		document := &flagfile.Document{Flags: []flagfile.Flag{{Definition: flagfile.Definition{
			Definition: feature.Definition{
				Key: "a", Type: feature.TypeObject,
				Variants: feature.Variants{{Key: "x", Value: feature.ObjectValue(
					feature.Attribute{Name: word("name"), Value: feature.StringValue(word("value"))},
				)}},
			},
			Description: word("description"), Owner: word("owner"),
		}}}}
		for _, format := range []flagfile.Format{flagfile.YAML, flagfile.JSON} {
			written := flagfile.Encode(document, format)
			again, err := flagfile.Parse(flagfile.Source{Name: "x." + string(format), Text: written})
			if err != nil && !strings.Contains(err.Error(), "shorten it") {
				t.Fatalf("%v\n%s", err, written)
			}
			if got := string(flagfile.Encode(again, flagfile.JSON)); got != string(flagfile.Encode(document, flagfile.JSON)) {
				t.Fatalf("it is read as\n%s\nfrom\n%s", got, written)
			}
		}
	})
}

func TestSmallFilesDoNotUnfold(t *testing.T) {
	var text strings.Builder
	text.WriteString("flags:\n  a: {type: object, variants: {x: {\n    l0: &l0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]")
	for level := range 12 {
		fmt.Fprintf(&text, ",\n    l%d: &l%[1]d [%[2]s]", level+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*l%d, ", level), 10), ", "))
	}
	text.WriteString("}}}\n")
	_, err := flagfile.Parse(flagfile.Source{Name: "x.yaml", Text: []byte(text.String())})
	if err == nil || !strings.Contains(err.Error(), "aliases repeat more than 100000 values") {
		t.Errorf("got %.200v", err)
	}
}

func TestDeepFilesAreRefused(t *testing.T) {
	for _, name := range []string{"x.yaml", "x.json"} {
		for _, levels := range []int{40, 100, 5000} {
			text := `{"flags": {"a": {"type": "object", "variants": {"x": ` + strings.Repeat(`{"a":`, levels) + "1" + strings.Repeat("}", levels) + `}}}}`
			_, err := flagfile.Parse(flagfile.Source{Name: name, Text: []byte(text)})
			if err == nil {
				t.Errorf("%s of %d levels is taken", name, levels)
			}
		}
	}
}

func TestRead(t *testing.T) {
	files, err := flagfile.Read(strings.NewReader("flags: {a: {type: boolean}}"), flagfile.Standard)
	if err != nil || len(files) != 1 || files[0].Name != "standard input" {
		t.Fatalf("%+v, %v", files, err)
	}
	if document, err := flagfile.Parse(files...); err != nil || document.Flag("a") == nil || document.Flag("b") != nil {
		t.Errorf("%+v, %v", document, err)
	}
	if _, err := flagfile.Read(nil, t.TempDir()); err == nil || !strings.Contains(err.Error(), "has no files that end in") {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := flagfile.Read(nil, "testdata/nothing"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
}

func TestFilesOfKeysThatDifferInCase(t *testing.T) {
	document, err := flagfile.Parse(flagfile.Source{Name: "x.yaml", Text: []byte("flags: {a: {type: boolean}, A: {type: boolean}, b: {type: boolean}}")})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, file := range flagfile.Split(document, flagfile.YAML) {
		seen[strings.ToLower(file.Name)] = true
	}
	if len(seen) != 3 || !seen["flags/b.yaml"] {
		t.Errorf("the files are %v", seen)
	}
}
