package cli

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the reference of the commands")

// TestReferenceIsUpToDate compares docs/cli.md with what the commands say.
func TestReferenceIsUpToDate(t *testing.T) {
	parser, _, err := model()
	if err != nil {
		t.Fatal(err)
	}
	const file = "../../docs/cli.md"
	want := reference(parser.Model.Node)
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/cli.md is not what the commands say; run go test ./internal/cli -run TestReference -update")
	}
}

// TestReferenceNamesEverything wants each command, argument, option and variable.
func TestReferenceNamesEverything(t *testing.T) {
	parser, _, err := model()
	if err != nil {
		t.Fatal(err)
	}
	text := reference(parser.Model.Node)
	anchors := map[string]bool{}
	for _, heading := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(text, -1) {
		name := strings.ReplaceAll(strings.ToLower(heading[1]), " ", "-")
		if anchors[name] {
			t.Errorf("two headings are linked as #%s", name)
		}
		anchors[name] = true
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]+)\)`).FindAllStringSubmatch(text, -1) {
		if !anchors[link[1]] {
			t.Errorf("the link #%s leads nowhere", link[1])
		}
	}
	for _, leaf := range parser.Model.Leaves(true) {
		_, part, found := strings.Cut(text, "# "+leaf.FullPath()+"\n")
		if !found {
			t.Errorf("%s is not in the reference", leaf.FullPath())
			continue
		}
		part, _, _ = strings.Cut(part, "\n#")
		for _, p := range leaf.Positional {
			if p.Help == "" || !strings.Contains(part, p.Help) {
				t.Errorf("%s: %s has no help there", leaf.FullPath(), p.Name)
			}
		}
		for _, option := range options(leaf) {
			if !strings.Contains(part, "--"+option.Name) {
				t.Errorf("%s: --%s is not there", leaf.FullPath(), option.Name)
			}
			for _, variable := range option.Envs {
				if !strings.Contains(text, "`"+variable+"`") {
					t.Errorf("%s: %s is not in the reference", leaf.FullPath(), variable)
				}
			}
		}
	}
	if strings.Contains(text, "wigwag complete`") {
		t.Error("a hidden command is in the reference")
	}
}

// TestEveryCommandHasHelp keeps the reference, the manual and completion useful.
func TestEveryCommandHasHelp(t *testing.T) {
	parser, _, err := model()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range commands(parser.Model.Node) {
		if n.Help == "" {
			t.Errorf("%s has no help", n.FullPath())
		}
		for _, option := range options(n) {
			if option.Help == "" {
				t.Errorf("%s --%s has no help", n.FullPath(), option.Name)
			}
		}
	}
}

func TestRoff(t *testing.T) {
	for text, want := range map[string]string{
		"plain":         "plain",
		".TH":           `\&.TH`,
		"'x":            `\&'x`,
		`a\b --c`:       `a\eb \-\-c`,
		"two\n.lines":   "two .lines",
		"tk_…":          `tk_\[u2026]`,
		"<key> [flags]": "<key> [flags]",
	} {
		if got := roff(text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

// TestManualPagesAreRoff has groff read each page with all warnings.
func TestManualPagesAreRoff(t *testing.T) {
	groff, err := exec.LookPath("groff")
	if err != nil {
		t.Skip("groff is not installed")
	}
	parser, _, err := model()
	if err != nil {
		t.Fatal(err)
	}
	arguments := []string{"-ww", "-man", "-Tutf8"}
	for _, n := range commands(parser.Model.Node) {
		file := filepath.Join(t.TempDir(), manName(n)+".1")
		if err := os.WriteFile(file, []byte(manPage(n)), 0o600); err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, file)
	}
	out, err := exec.CommandContext(t.Context(), groff, arguments...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "warning:") {
		t.Errorf("%v\n%s", err, out)
	}
	for _, leaf := range parser.Model.Leaves(true) {
		if !strings.Contains(string(out), strings.ToUpper(manName(leaf))+"(1)") {
			t.Errorf("%s has no page", leaf.FullPath())
		}
	}
}
