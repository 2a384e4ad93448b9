package memory

import (
	"context"
	"testing"
	"time"

	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/storetest"
	"github.com/wigwag/wigwag/snapshot"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) {
	storetest.Exercise(t, func(*testing.T) store.Store { return New() })
}

// A clock that was set back does not show in the log.
func TestTimeNeverGoesBack(t *testing.T) {
	ctx := context.Background()
	st := New()
	id := store.SetID{Project: "p", Environment: "e"}
	if err := st.Update(ctx, func(tx store.Tx) error { return tx.CreateSet(ctx, id) }); err != nil {
		t.Fatal(err)
	}
	future := store.KeptTime(time.Now().Add(time.Hour))
	st.state.Load().sets[id].CommittedAt = future
	err := st.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Commit(ctx, id, store.Commit{Put: []store.Item{{Ref: snapshot.Ref{Kind: "flag", Key: "a"}, Body: []byte("1")}}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := st.Changes(ctx, id, 0, 0)
	if err != nil || len(changes) != 1 || !changes[0].At.Equal(future) {
		t.Errorf("changes are %+v, %v, want one of %s", changes, err, future)
	}
}
