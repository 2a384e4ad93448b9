package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"unicode"

	"charm.land/lipgloss/v2"
	"charm.land/lipgloss/v2/table"
	"golang.org/x/term"
)

// screen is where a command writes. Colours and lines are for terminals; a pipe
// or NO_COLOR gets aligned text.
type screen struct {
	out, err io.Writer
	rich     bool
}

func newScreen(out, err io.Writer) *screen {
	file, ok := out.(*os.File)
	rich := ok && term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	return &screen{out: out, err: err, rich: rich}
}

// plain replaces what could steer a terminal: texts of a server are data.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

func (s *screen) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if s.rich {
		_, _ = lipgloss.Fprintln(s.out, text) // nobody is left to be told
		return
	}
	fmt.Fprintln(s.out, text)
}

// tone is what a text means, for its colour.
type tone int

const (
	neutral tone = iota
	good
	bad
	faint
	strong
)

var styles = map[tone]lipgloss.Style{
	good:   lipgloss.NewStyle().Foreground(lipgloss.Green),
	bad:    lipgloss.NewStyle().Foreground(lipgloss.Red),
	faint:  lipgloss.NewStyle().Faint(true),
	strong: lipgloss.NewStyle().Bold(true),
}

// paint returns a text, which may be of a server, in the colour of a tone.
func (s *screen) paint(t tone, text string) string {
	text = plain(text)
	if style, ok := styles[t]; ok && s.rich {
		return style.Render(text)
	}
	return text
}

// state paints the state of a flag.
func (s *screen) state(state string) string {
	if state == "ENABLED" {
		return s.paint(good, state)
	}
	return s.paint(faint, state)
}

// table prints painted cells under headers.
func (s *screen) table(headers []string, rows [][]string) {
	if s.rich {
		cell := lipgloss.NewStyle().PaddingRight(2)
		t := table.New().Border(lipgloss.HiddenBorder()).
			BorderTop(false).BorderBottom(false).BorderLeft(false).BorderRight(false).BorderColumn(false).BorderHeader(false).
			Wrap(false).Headers(headers...).Rows(rows...).
			StyleFunc(func(row, _ int) lipgloss.Style {
				if row == table.HeaderRow {
					return cell.Bold(true)
				}
				return cell
			})
		s.line("%s", t.Render())
		return
	}
	s.aligned(append([][]string{headers}, rows...))
}

// fields prints names and painted values.
func (s *screen) fields(rows ...[]string) {
	if !s.rich {
		s.aligned(rows)
		return
	}
	width := 0
	for _, row := range rows {
		width = max(width, len(row[0]))
	}
	for _, row := range rows {
		s.line("%s  %s", s.paint(faint, fmt.Sprintf("%-*s", width, row[0])), row[1])
	}
}

func (s *screen) aligned(rows [][]string) {
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.TrimRight(strings.Join(row, "\t"), "\t"))
	}
	_ = w.Flush() // nobody is left to be told
}

// json prints an answer as the API gave it.
func (s *screen) json(body []byte) {
	fmt.Fprintln(s.out, strings.TrimRight(string(body), "\n"))
}
