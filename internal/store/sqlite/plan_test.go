package sqlite

import (
	"slices"
	"strings"
	"testing"
)

// No statement walks through a table that grows with the items or with the
// history, but for those that return all of it.
func TestPlans(t *testing.T) {
	st := openTemp(t)
	allowed := map[statement]string{
		selectSets:        "SCAN sets USING INDEX sqlite_autoindex_sets_2", // in order, not sorted
		selectCredentials: "SCAN credentials",
		// There are few credentials, and deleting an environment is rare.
		deleteCredentialsOf: "SCAN credentials",
	}
	sorted := map[statement]bool{
		selectCredentials:  true,
		selectNamedItemsAt: true, // what was asked for
		selectTouched:      true, // a batch
	}
	for s := range statements {
		if s == begin || s == commit || s == rollback {
			continue
		}
		for _, step := range plan(t, st, text[s]) {
			if strings.HasPrefix(step, "SCAN") && step != allowed[s] && !scansNoTable(step) {
				t.Errorf("%s\n\tscans: %s", text[s], step)
			}
			if !sorted[s] && strings.Contains(step, "TEMP B-TREE") {
				t.Errorf("%s\n\tsorts: %s", text[s], step)
			}
		}
	}
	want := "SEARCH change_items USING COVERING INDEX change_items_by_name (set_id=?)"
	if steps := plan(t, st, text[selectItemsAt]); !slices.Contains(steps, want) {
		t.Errorf("past snapshots read bodies that do not count: %q", steps)
	}
}

// scansNoTable reports whether a step walks through what an earlier one selected,
// or through the arguments.
func scansNoTable(step string) bool {
	return step == "SCAN latest" || step == "SCAN CONSTANT ROW" || strings.HasPrefix(step, "SCAN json_each VIRTUAL TABLE") ||
		strings.HasPrefix(step, "SCAN name VIRTUAL TABLE")
}

// plan returns the steps of a statement. Arguments do not matter: parameters
// without one are null.
func plan(t *testing.T, st *Store, query string) []string {
	t.Helper()
	args := make([]any, strings.Count(query, "?"))
	rows, err := st.writer.session.conn.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close() //nolint:errcheck // read to its end below
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var detail string
		if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, detail)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return steps
}
