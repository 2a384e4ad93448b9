package apidoc

import (
	"html/template"
	"regexp"
	"strings"
)

// prose makes HTML of the few forms of Markdown that contracts use: paragraphs,
// lists of hyphens, code, strong and emphasised words. All else, HTML included, is
// text.
func prose(text string) template.HTML {
	var out strings.Builder
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		if strings.TrimSpace(block) == "" {
			continue
		}
		if items, ok := listItems(block); ok {
			out.WriteString("<ul>")
			for _, item := range items {
				out.WriteString("<li>" + string(inline(item)) + "</li>")
			}
			out.WriteString("</ul>")
			continue
		}
		out.WriteString("<p>" + string(inline(block)) + "</p>")
	}
	return template.HTML(out.String())
}

// listItems are those of a block that is a list, each begun by a hyphen.
func listItems(block string) ([]string, bool) {
	var items []string
	for line := range strings.Lines(block) {
		line = strings.TrimSpace(line)
		if item, ok := strings.CutPrefix(line, "- "); ok {
			items = append(items, item)
		} else if len(items) > 0 {
			items[len(items)-1] += " " + line
		} else {
			return nil, false
		}
	}
	return items, len(items) > 0
}

// marks are looked for in a text that is already escaped, in this order from each
// place on: what is code is nothing else.
var marks = regexp.MustCompile("`([^`]+)`|\\*\\*([^*`]+)\\*\\*|\\*([^*\\s`][^*`]*)\\*")

// inline makes HTML of a text without blocks.
func inline(text string) template.HTML {
	escaped := template.HTMLEscapeString(strings.Join(strings.Fields(text), " "))
	return template.HTML(marks.ReplaceAllStringFunc(escaped, func(found string) string {
		parts := marks.FindStringSubmatch(found)
		switch {
		case parts[1] != "":
			return "<code>" + parts[1] + "</code>"
		case parts[2] != "":
			return "<strong>" + parts[2] + "</strong>"
		default:
			return "<em>" + parts[3] + "</em>"
		}
	}))
}
