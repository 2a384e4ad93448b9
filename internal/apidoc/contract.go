package apidoc

import (
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// contract is what the page shows of an OpenAPI document, in its order.
type contract struct {
	Title, Version, Base string
	Description          template.HTML
	Access               []field
	Tags                 []*tag
	Schemas              []schema
}

// tag is a group of operations.
type tag struct {
	Name        string
	Description template.HTML
	Operations  []operation
}

type operation struct {
	ID, Method, Path, Summary string
	Description               template.HTML
	Deprecated                bool
	Parameters                []field
	Body                      *body
	Answers                   []answer
}

// field is something with a name: a parameter, a header, a property.
type field struct {
	Name        string
	In          string // of a parameter: path, query or header
	Required    bool
	Type        template.HTML
	Description template.HTML
	Example     string
}

type body struct {
	Required    bool
	Description template.HTML
	Media       []media
}

// media is a body in one media type.
type media struct {
	Type     string
	Schema   template.HTML
	Examples []example
}

type example struct{ Name, Text string }

type answer struct {
	Status      string
	Success     bool
	Description template.HTML
	Headers     []field
	Media       []media
}

type schema struct {
	Name        string
	Description template.HTML
	Forms       []form
	Example     string
}

// form is one of the forms that a schema has; most have one.
type form struct {
	Title       string
	Description template.HTML
	Type        template.HTML
	Fields      []field
}

// methods are the operations that a path can have, in the order of reading.
var methods = []string{"get", "head", "post", "put", "patch", "delete", "options", "trace"}

func parse(text string) (*contract, error) {
	var document yaml.Node
	if err := yaml.Load([]byte(text), &document); err != nil {
		return nil, fmt.Errorf("the contract: %w", err)
	}
	if document.Kind != yaml.DocumentNode || len(document.Content) == 0 {
		return nil, errors.New("the contract is empty")
	}
	r := &reader{wrap(document.Content[0])}
	c := &contract{
		Title:       r.root.at("info", "title").text(),
		Version:     r.root.at("info", "version").text(),
		Description: prose(r.root.at("info", "description").text()),
	}
	if servers := r.root.at("servers").items(); len(servers) > 0 {
		c.Base = servers[0].at("url").text()
	}
	for _, scheme := range r.root.at("components", "securitySchemes").entries() {
		c.Access = append(c.Access, field{Name: scheme.name, Description: prose(scheme.value.at("description").text())})
	}
	for _, t := range r.root.at("tags").items() {
		c.Tags = append(c.Tags, &tag{Name: t.at("name").text(), Description: prose(t.at("description").text())})
	}
	for _, path := range r.root.at("paths").entries() {
		for _, method := range methods {
			if found := path.value.at(method); found.exists() {
				t := c.tag(found.at("tags").texts())
				t.Operations = append(t.Operations, r.operation(method, c.Base+path.name, path.value, found))
			}
		}
	}
	c.Tags = slices.DeleteFunc(c.Tags, func(t *tag) bool { return len(t.Operations) == 0 })
	if len(c.Tags) == 0 {
		return nil, errors.New("the contract has no operations")
	}
	for _, s := range r.root.at("components", "schemas").entries() {
		c.Schemas = append(c.Schemas, r.schema(s.name, s.value))
	}
	return c, nil
}

// tag returns the group of an operation, which is the first that it names.
func (c *contract) tag(names []string) *tag {
	name := "other"
	if len(names) > 0 {
		name = names[0]
	}
	for _, t := range c.Tags {
		if t.Name == name {
			return t
		}
	}
	t := &tag{Name: name}
	c.Tags = append(c.Tags, t)
	return t
}

// reader reads parts of a document, of which some refer to others.
type reader struct{ root node }

const schemaRef = "#/components/schemas/"

// follow returns what a node refers to, itself where to nothing, and nothing where
// references lead in a circle.
func (r *reader) follow(n node) node {
	const most = 8 // references to references; a circle ends here
	for range most {
		ref := n.at("$ref").text()
		if ref == "" {
			return n
		}
		n = r.root.at(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	return node{}
}

func (r *reader) operation(method, path string, shared, n node) operation {
	o := operation{
		ID: n.at("operationId").text(), Method: strings.ToUpper(method), Path: path,
		Summary: n.at("summary").text(), Description: prose(n.at("description").text()),
		Deprecated: n.at("deprecated").isTrue(),
	}
	for _, p := range slices.Concat(shared.at("parameters").items(), n.at("parameters").items()) {
		p = r.follow(p)
		o.Parameters = append(o.Parameters, r.field(p.at("name").text(), p))
	}
	if b := r.follow(n.at("requestBody")); b.exists() {
		o.Body = &body{b.at("required").isTrue(), prose(b.at("description").text()), r.media(b)}
	}
	for _, a := range n.at("responses").entries() {
		said := r.follow(a.value)
		one := answer{
			Status: a.name, Success: strings.HasPrefix(a.name, "2") || strings.HasPrefix(a.name, "3"),
			Description: prose(said.at("description").text()), Media: r.media(said),
		}
		for _, h := range said.at("headers").entries() {
			one.Headers = append(one.Headers, r.field(h.name, r.follow(h.value)))
		}
		o.Answers = append(o.Answers, one)
	}
	return o
}

// field reads a parameter or a header.
func (r *reader) field(name string, n node) field {
	f := field{
		Name: name, In: n.at("in").text(), Required: n.at("required").isTrue(),
		Type: r.typeOf(n.at("schema")), Description: prose(n.at("description").text()),
	}
	if e := n.at("example"); e.exists() {
		f.Example = plainText(e)
	}
	return f
}

// plainText is an example as a request carries it, outside of a body.
func plainText(n node) string {
	if text := n.text(); text != "" {
		return text
	}
	return n.json()
}

func (r *reader) media(n node) []media {
	var list []media
	for _, m := range n.at("content").entries() {
		one := media{Type: m.name, Schema: r.typeOf(m.value.at("schema"))}
		write := node.json
		if !strings.HasSuffix(m.name, "json") {
			write = plainText
		}
		if e := m.value.at("example"); e.exists() {
			one.Examples = append(one.Examples, example{Text: write(e)})
		}
		for _, e := range m.value.at("examples").entries() {
			value := r.follow(e.value)
			name := value.at("summary").text()
			if name == "" {
				name = e.name
			}
			one.Examples = append(one.Examples, example{name, write(value.at("value"))})
		}
		list = append(list, one)
	}
	return list
}

func (r *reader) schema(name string, n node) schema {
	s := schema{Name: name, Description: prose(n.at("description").text())}
	if e := n.at("example"); e.exists() {
		s.Example = e.json()
	}
	forms := slices.Concat(n.at("oneOf").items(), n.at("anyOf").items())
	if len(forms) == 0 {
		s.Forms = []form{r.form(n)}
		s.Forms[0].Description = "" // it is that of the schema
	}
	for _, one := range forms {
		s.Forms = append(s.Forms, r.form(one))
	}
	return s
}

func (r *reader) form(n node) form {
	f := form{Title: n.at("title").text(), Description: prose(n.at("description").text()), Type: r.typeOf(n)}
	for _, part := range append(n.at("allOf").items(), n) {
		part = r.follow(part)
		required := part.at("required").texts()
		for _, p := range part.at("properties").entries() {
			f.Fields = append(f.Fields, field{
				Name: p.name, Required: slices.Contains(required, p.name),
				Type: r.typeOf(p.value), Description: prose(p.value.at("description").text()),
			})
		}
	}
	return f
}
