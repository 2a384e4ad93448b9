package httpapi_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// exercised are the operations that succeeded in some test, by operationId.
var exercised sync.Map

// noteAnswer notes what an operation answered.
func noteAnswer(operation string, status int) {
	if status < 300 {
		exercised.Store(operation, true)
	}
}

// TestMain fails where all tests passed and some operation of the contract did not
// succeed in any: nobody knows then whether its answers are those of the contract.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 && allRan() {
		if missing, err := notExercised(); err != nil || len(missing) > 0 {
			fmt.Fprintf(os.Stderr, "no test called these operations with success: %s %v\n", strings.Join(missing, ", "), err)
			code = 1
		}
	}
	os.Exit(code)
}

// allRan reports whether the tests were not asked to leave some out.
func allRan() bool {
	for _, name := range []string{"run", "skip", "list", "fuzz"} {
		if given := flag.Lookup("test." + name); given != nil && given.Value.String() != "" {
			return false
		}
	}
	return !testing.Short()
}

func notExercised() ([]string, error) {
	document, err := description()
	if err != nil {
		return nil, err
	}
	var missing []string
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			if operation.OperationID == "" {
				return nil, fmt.Errorf("%s %s has no operationId", method, path)
			}
			if _, ok := exercised.Load(operation.OperationID); !ok {
				missing = append(missing, operation.OperationID)
			}
		}
	}
	slices.Sort(missing)
	return missing, nil
}
