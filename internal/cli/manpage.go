package cli

import (
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
)

// manName is the name of a command's manual page.
func manName(n *kong.Node) string { return strings.ReplaceAll(n.FullPath(), " ", "-") }

// manPage is the manual page of a command, in the man macros of roff.
func manPage(n *kong.Node) string {
	var out strings.Builder
	fmt.Fprintf(&out, ".TH %s 1 \"\" \"Wigwag\" \"Wigwag manual\"\n", roffWord(strings.ToUpper(manName(n))))
	fmt.Fprintf(&out, ".SH NAME\n%s \\- %s\n", roff(manName(n)), roff(strings.TrimSuffix(n.Help, ".")))
	fmt.Fprintf(&out, ".SH SYNOPSIS\n%s\n", roff(usage(n)))
	out.WriteString(".SH DESCRIPTION\n")
	roffText(&out, n.Help)
	if n.Detail != "" {
		roffText(&out, n.Detail)
	}
	if len(n.Positional) > 0 {
		out.WriteString(".SH ARGUMENTS\n")
		for _, p := range n.Positional {
			fmt.Fprintf(&out, ".TP\n\\fB%s\\fP\n%s\n", roff(p.Summary()), roff(p.Help))
		}
	}
	if len(n.Children) > 0 {
		out.WriteString(".SH COMMANDS\n")
		for _, child := range visible(n.Children) {
			fmt.Fprintf(&out, ".TP\n\\fB%s\\fP\n%s\n", roff(child.FullPath()), roff(child.Help))
		}
	}
	if flags := options(n); len(flags) > 0 {
		out.WriteString(".SH OPTIONS\n")
		for _, flag := range flags {
			fmt.Fprintf(&out, ".TP\n\\fB%s\\fP\n%s\n", roff(spelling(flag)), roff(flag.Help))
			for _, name := range flag.Envs {
				fmt.Fprintf(&out, "Environment: \\fB%s\\fP.\n", roff(name))
			}
		}
	}
	out.WriteString(".SH EXIT STATUS\n0; 1 for a failure; 2 for a mistake in the call or the configuration.\n")
	var related []string
	if n.Parent != nil {
		related = append(related, manName(n.Parent))
	}
	for _, child := range visible(n.Children) {
		related = append(related, manName(child))
	}
	if len(related) > 0 {
		out.WriteString(".SH SEE ALSO\n")
		for i, name := range related {
			comma := ","
			if i == len(related)-1 {
				comma = ""
			}
			fmt.Fprintf(&out, ".BR %s (1)%s\n", roff(name), comma)
		}
	}
	return out.String()
}

// roffText writes paragraphs; what is indented stays as it is.
func roffText(out *strings.Builder, text string) {
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if strings.HasPrefix(block, "    ") {
			fmt.Fprintf(out, ".PP\n.RS 4\n.nf\n")
			for line := range strings.Lines(block) {
				out.WriteString(roff(strings.TrimPrefix(strings.TrimRight(line, "\n"), "    ")) + "\n")
			}
			out.WriteString(".fi\n.RE\n")
			continue
		}
		out.WriteString(".PP\n" + roff(strings.Join(strings.Fields(block), " ")) + "\n")
	}
}

// roff is a text as it stands: nothing in it is a request or an escape.
func roff(text string) string {
	var out strings.Builder
	for _, r := range text {
		switch {
		case r == '\\':
			out.WriteString("\\e")
		case r == '-':
			out.WriteString("\\-")
		case r == '\n':
			out.WriteByte(' ')
		case r > '~': // not every roff reads UTF-8
			fmt.Fprintf(&out, "\\[u%04X]", r)
		default:
			out.WriteRune(r)
		}
	}
	text = out.String()
	if strings.HasPrefix(text, ".") || strings.HasPrefix(text, "'") {
		text = "\\&" + text
	}
	return text
}

// roffWord is a text as one argument of a request.
func roffWord(text string) string { return `"` + strings.ReplaceAll(roff(text), `"`, `\(dq`) + `"` }
