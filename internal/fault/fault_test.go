package fault_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wigwag/wigwag/internal/fault"
)

func TestWhatIsNotMeantForCallersIsNotToldThem(t *testing.T) {
	cause := errors.New("dial postgres://admin:hunter2@db")
	e := fault.From(fmt.Errorf("reading: %w", cause))
	if e.Kind != fault.Internal || e.Status() != http.StatusInternalServerError {
		t.Errorf("%s, %d", e.Kind, e.Status())
	}
	if strings.Contains(e.Error(), "hunter2") || !errors.Is(e, cause) {
		t.Errorf("the caller is told %q; the cause is kept: %v", e, errors.Is(e, cause))
	}
}

func TestAnErrorForCallersIsFoundThroughWrapping(t *testing.T) {
	e := fault.InvalidField("rules[0].when", "no such segment %q", "x")
	wrapped := fmt.Errorf("transaction: %w", e)
	if got := fault.From(wrapped); got != e || !fault.Is(wrapped, fault.Invalid) || fault.Is(wrapped, fault.NotFound) {
		t.Errorf("%v", got)
	}
	if e.Error() != `rules[0].when: no such segment "x"` || e.Fields[0].Path != "rules[0].when" {
		t.Errorf("%+v", e)
	}
}

func TestAKindThatTheTableDoesNotHaveIsAnInternalError(t *testing.T) {
	if status := fault.New("no-such-kind", "x").Status(); status != http.StatusInternalServerError {
		t.Errorf("%d", status)
	}
}
