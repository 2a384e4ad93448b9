package apidoc

import (
	"html/template"
	"strings"
)

// typeOf says in a few words what values a schema allows, with links to the
// schemas that it names.
func (r *reader) typeOf(n node) template.HTML {
	if ref := n.at("$ref").text(); ref != "" {
		name, ok := strings.CutPrefix(ref, schemaRef)
		if !ok {
			return r.typeOf(r.follow(n))
		}
		name = template.HTMLEscapeString(name)
		return template.HTML(`<a href="#schema-` + name + `">` + name + `</a>`)
	}
	var text template.HTML
	switch of := n.at("type").text(); {
	case n.at("allOf").exists():
		text = r.each(n.at("allOf").items(), " and ")
	case n.at("oneOf").exists():
		text = r.each(n.at("oneOf").items(), " or ")
	case n.at("anyOf").exists():
		text = r.each(n.at("anyOf").items(), " or ")
	case of == "array":
		text = "list of " + r.typeOf(n.at("items"))
	case of == "object" && n.at("additionalProperties", "$ref").exists():
		text = "object of " + r.typeOf(n.at("additionalProperties"))
	case of == "":
		text = "any value"
	default:
		text = escape(of)
	}
	if format := n.at("format").text(); format != "" {
		text += " (" + escape(format) + ")"
	}
	return text + limits(n)
}

func (r *reader) each(list []node, between template.HTML) template.HTML {
	var text template.HTML
	for i, one := range list {
		if i > 0 {
			text += between
		}
		text += r.typeOf(one)
	}
	return text
}

// limits are what a schema says besides the type.
func limits(n node) template.HTML {
	var text template.HTML
	if values := n.at("enum").items(); len(values) > 0 {
		text += ": "
		for i, v := range values {
			if i > 0 {
				text += ", "
			}
			text += code(plainText(v))
		}
	}
	for _, limit := range []struct {
		name string
		says template.HTML
	}{
		{"minimum", ", at least "},
		{"maximum", ", at most "},
		{"minLength", ", characters at least "},
		{"maxLength", ", characters at most "},
		{"minItems", ", items at least "},
		{"maxItems", ", items at most "},
		{"pattern", ", matching "},
		{"default", ", by default "},
	} {
		if v := n.at(limit.name); v.exists() {
			text += limit.says + code(plainText(v))
		}
	}
	if n.at("nullable").isTrue() {
		text += ", or null"
	}
	if n.at("readOnly").isTrue() {
		text += ", only in answers"
	}
	return text
}

func escape(text string) template.HTML { return template.HTML(template.HTMLEscapeString(text)) }

func code(text string) template.HTML { return "<code>" + escape(text) + "</code>" }
