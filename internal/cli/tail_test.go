package cli

import (
	"testing"

	"github.com/wigwag/wigwag/internal/sse"
)

func TestReadChange(t *testing.T) {
	const head = `{"format":1,"project":"p","environment":"e","projection":"server","createdAt":"2026-01-02T03:04:05.123456Z","digest":"d",`
	tests := map[string]struct{ event, data, position, text string }{
		"a snapshot": {
			"snapshot", head + `"position":"e:3","flags":[{"key":"a"},{"key":"b"}],"segments":[{"key":"s"}],"keys":[]}`,
			"e:3", "snapshot of p/e: 2 flags, 1 segments",
		},
		"a delta of everything": {
			"delta", head + `"from":"e:3","to":"e:4","put":{"flags":[{"key":"a"}],"segments":[{"key":"s"}],"keys":[{"segment":"s","list":"included","shard":3,"keys":["u"]}]},` +
				`"delete":{"flags":["b"],"segments":["t"],"keys":["s/excluded/0"]}}`,
			"e:4", "a, segment s, keys s/included/3, deleted b, deleted segment t, deleted keys s/excluded/0",
		},
		"a delta of nothing": {
			"delta", head + `"from":"e:3","to":"e:4","put":{"flags":[],"segments":[],"keys":[]},"delete":{"flags":[],"segments":[],"keys":[]}}`,
			"e:4", "no item changed",
		},
	}
	for name, test := range tests {
		c, err := readChange(sse.Event{Name: test.event, Data: []byte(test.data)})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if c.Position != test.position || c.text() != test.text {
			t.Errorf("%s: %s %s", name, c.Position, c.text())
		}
	}
	for _, wrong := range []sse.Event{
		{Name: "message", Data: []byte(head + `"position":"e:3"}`)},
		{Name: "delta", Data: []byte(`{`)},
		{Name: "delta", Data: []byte(`{}`)},
	} {
		if c, err := readChange(wrong); err == nil {
			t.Errorf("%s %s was read as %v", wrong.Name, wrong.Data, c)
		}
	}
}
