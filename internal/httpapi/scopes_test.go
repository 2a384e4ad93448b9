package httpapi

import (
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// Every operation of the contract has a row, under its own route, and no row is
// of an operation that there is not.
func TestEveryOperationHasAScope(t *testing.T) {
	document, err := openapi3.NewLoader().LoadFromFile("../../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	promised := map[string]string{}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			promised[operation.OperationID] = method + " " + path
		}
	}
	for id, route := range promised {
		switch row, ok := operations[id]; {
		case !ok:
			t.Errorf("%s (%s) has no row in operations: say which scope it needs", id, route)
		case row.route != route:
			t.Errorf("%s is %s in the contract, and %s in its row", id, route, row.route)
		case !row.needs.Valid():
			t.Errorf("%s needs the scope %q, which there is not", id, row.needs)
		}
	}
	for id := range operations {
		if promised[id] == "" {
			t.Errorf("%s has a row, and is not in the contract", id)
		}
	}
}
