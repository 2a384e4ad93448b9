package cli

import (
	"strings"
	"testing"
)

func TestDeletingAsksForTheKey(t *testing.T) {
	for typed, deletes := range map[string]bool{
		"shop\n": true, "  shop \r\n": true, "shop": true,
		"\n": false, "": false, "y\n": false, "yes\n": false, "Shop\n": false, "shop-2\nshop\n": false,
	} {
		var asked strings.Builder
		err := askFor(strings.NewReader(typed), &asked, "project", "shop")
		if deletes != (err == nil) {
			t.Errorf("%q: %v", typed, err)
		}
		if !strings.Contains(asked.String(), "project shop cannot be undone") {
			t.Errorf("it asks %q", asked.String())
		}
	}
}
