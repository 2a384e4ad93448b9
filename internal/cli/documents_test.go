package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// commandLine is a line of a document that calls the program: in a block of
// code, or between backquotes with something behind the name.
var commandLine = regexp.MustCompile("(?m)^(?:    |\\$ )?(?:go run \\./cmd/wigwag|wigwag) +(.+)$|`wigwag ([^`]+)`|<\\(wigwag ([^)]+)\\)")

// TestDocumentsCallCommandsThatExist reads each command of the documents as the
// program would, without running it.
func TestDocumentsCallCommandsThatExist(t *testing.T) {
	found := 0
	for _, document := range documents(t) {
		if filepath.Base(document) == "cli.md" {
			continue // it is made of the commands
		}
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range commandLine.FindAllStringSubmatch(string(text), -1) {
			line := match[1] + match[2] + match[3]
			found++
			parser, _, err := model()
			if err != nil {
				t.Fatal(err)
			}
			if err := understood(parser, shellWords(line)); err != nil {
				t.Errorf("%s: wigwag %s: %v", filepath.Base(document), line, err)
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d commands were found", found)
	}
}

// documents are those that people read first.
func documents(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(found) == 0 {
		t.Fatalf("%d documents, %v", len(found), err)
	}
	return append(found, "../../README.md", "../../CONTRIBUTING.md", "../../ARCHITECTURE.md")
}

// TestLinksOfDocumentsLeadSomewhere wants that what a document links to in the
// repository is there.
func TestLinksOfDocumentsLeadSomewhere(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	for _, document := range documents(t) {
		text, err := os.ReadFile(document)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(document), link[1])); err != nil {
				t.Errorf("%s links to %s: %v", filepath.Base(document), link[1], err)
			}
		}
	}
}

// understood reports what is wrong with the words of a command. One that only
// names commands, or says COMMAND for any of them, need not be whole.
func understood(parser *kong.Kong, words []string) error {
	if words[0] == "COMMAND" {
		return nil
	}
	line, err := kong.Trace(parser, words)
	if err != nil {
		return err
	}
	if line.Error != nil && !strings.HasPrefix(line.Error.Error(), "expected") {
		return line.Error
	}
	return nil
}

// shellWords cuts a line as a shell does, without expanding anything, up to a
// comment, a pipe or a redirection.
func shellWords(line string) []string {
	var words []string
	var word strings.Builder
	begun, quote := false, rune(0)
	end := func() {
		if begun {
			words = append(words, word.String())
		}
		word.Reset()
		begun = false
	}
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '"' || r == '\'':
			quote, begun = r, true
		case r == ' ':
			end()
		case !begun && strings.ContainsRune("#|>&;", r):
			return words
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	end()
	return words
}
