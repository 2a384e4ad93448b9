package auth_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wigwag/wigwag/internal/auth"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/store"
	"github.com/wigwag/wigwag/internal/store/memory"
	"github.com/wigwag/wigwag/snapshot"
)

var production = store.SetID{Project: "default", Environment: "production"}

// broken is a store whose credentials cannot be read.
type broken struct{ store.Store }

func (broken) Credential(context.Context, [32]byte) (store.Credential, error) {
	return store.Credential{}, errors.New("the database is away")
}

func keep(t *testing.T, st store.Store, credential store.Credential) {
	t.Helper()
	if err := st.Update(t.Context(), func(tx store.Tx) error { return tx.AddCredential(t.Context(), credential) }); err != nil {
		t.Fatal(err)
	}
}

func request(path, header, value string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	if header != "" {
		r.Header.Set(header, value)
	}
	return r
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	for _, kind := range []string{auth.KindServer, auth.KindClient, auth.KindToken} {
		secret := auth.NewSecret(kind)
		if secret.Kind() != kind || len(secret) != len(kind)+1+32 {
			t.Errorf("a secret of %s is %d characters of kind %q", kind, len(secret), secret.Kind())
		}
		credential := auth.NewCredential(secret, "name", production, time.Now())
		var logged strings.Builder
		slog.New(slog.NewTextHandler(&logged, nil)).Info("text", "secret", secret, "credential", credential)
		slog.New(slog.NewJSONHandler(&logged, nil)).Info("json", "secret", secret, "credential", credential)
		encoded, err := json.Marshal(map[string]any{"secret": secret})
		if err != nil {
			t.Fatal(err)
		}
		for _, printed := range []string{
			fmt.Sprint(secret), fmt.Sprintf("%v %+v %#v %s %q", secret, secret, secret, secret, secret), fmt.Sprintf("%+v", credential),
			logged.String(), string(encoded),
		} {
			if strings.Contains(printed, string(secret)[3:]) {
				t.Errorf("printed as %s", printed)
			}
		}
		if again := auth.NewSecret(kind); again == secret {
			t.Error("two secrets are the same")
		}
	}
}

func TestWhatIsNoSecretOfOurs(t *testing.T) {
	for _, s := range []auth.Secret{"", "sk", "sk_", "_x", "xx_abc", "Bearer sk_x", "SK_abc"} {
		if kind := s.Kind(); kind != "" {
			t.Errorf("%q is of kind %q", string(s), kind)
		}
	}
}

func TestEachKindReachesItsOwnPathsAlone(t *testing.T) {
	st := memory.New()
	defer st.Close()
	keys := auth.NewKeyring(st)
	secrets := map[string]auth.Secret{}
	for _, kind := range []string{auth.KindServer, auth.KindClient, auth.KindToken} {
		secrets[kind] = auth.NewSecret(kind)
		set := production
		if kind == auth.KindToken {
			set = store.SetID{}
		}
		keep(t, st, auth.NewCredential(secrets[kind], "ci", set, time.Now()))
	}
	for _, c := range []struct {
		kind       string
		projection snapshot.Projection
		reads      fault.Kind // empty for fine
		manages    fault.Kind
	}{
		{auth.KindServer, snapshot.ProjectionServer, "", fault.Forbidden},
		{auth.KindClient, snapshot.ProjectionClient, "", fault.Forbidden},
		{auth.KindToken, "", fault.Forbidden, ""},
	} {
		for _, r := range []*http.Request{
			request("/", "Authorization", "Bearer "+string(secrets[c.kind])),
			request("/", "Authorization", "bearer  "+string(secrets[c.kind])),
			request("/", "X-API-Key", string(secrets[c.kind])),
		} {
			reader, err := keys.Reader(r)
			if !is(err, c.reads) || err == nil && (reader.Projection != c.projection || reader.Set != production) {
				t.Errorf("%s reads: %+v, %v", c.kind, reader, err)
			}
			caller, err := keys.Manager(r)
			if !is(err, c.manages) || err == nil && !strings.HasPrefix(caller.Actor, "ci (tk-") {
				t.Errorf("%s manages: %q, %v", c.kind, caller.Actor, err)
			}
		}
	}
	// A management token never counts in a URL, where logs would keep it.
	if _, err := keys.Manager(request("/?key="+string(secrets[auth.KindToken]), "", "")); !is(err, fault.Unauthenticated) {
		t.Errorf("a token in the URL: %v", err)
	}
	// A header is not overruled by the URL.
	if _, err := keys.Reader(request("/?key="+string(secrets[auth.KindClient]), "X-API-Key", "sk_unknown")); !is(err, fault.Unauthenticated) {
		t.Errorf("an unknown key beside a known one in the URL: %v", err)
	}
}

func is(err error, kind fault.Kind) bool {
	if kind == "" {
		return err == nil
	}
	return fault.Is(err, kind)
}

func TestAnExpiredKeyIsRefusedFromThatMomentOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New()
		defer st.Close()
		keys := auth.NewKeyring(st)
		secret := auth.NewSecret(auth.KindServer)
		credential := auth.NewCredential(secret, "short", production, time.Now())
		credential.ExpiresAt = time.Now().Add(time.Minute)
		keep(t, st, credential)
		r := request("/", "X-API-Key", string(secret))
		time.Sleep(time.Minute - time.Millisecond)
		if _, err := keys.Reader(r); err != nil {
			t.Errorf("a moment before: %v", err)
		}
		time.Sleep(2 * time.Millisecond) // the cache still holds it
		if _, err := keys.Reader(r); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("a moment after: %v", err)
		}
	})
}

func TestADeletedKeyIsRefusedWithinTheCachesTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		st := memory.New()
		defer st.Close()
		keys := auth.NewKeyring(st)
		secret := auth.NewSecret(auth.KindServer)
		credential := auth.NewCredential(secret, "old", production, time.Now())
		keep(t, st, credential)
		r := request("/", "X-API-Key", string(secret))
		if _, err := keys.Reader(r); err != nil {
			t.Fatal(err)
		}
		if err := st.Update(t.Context(), func(tx store.Tx) error { return tx.DeleteCredential(t.Context(), credential.ID) }); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2*time.Second + time.Millisecond)
		if _, err := keys.Reader(r); !fault.Is(err, fault.Unauthenticated) {
			t.Errorf("two seconds after it was deleted: %v", err)
		}
	})
}

func TestAStoreThatFailsIsNotARefusalOfTheKey(t *testing.T) {
	keys := auth.NewKeyring(broken{})
	// An SDK would take 401 for final, and wait for minutes.
	if _, err := keys.Reader(request("/", "X-API-Key", string(auth.NewSecret(auth.KindServer)))); !fault.Is(err, fault.Unavailable) {
		t.Errorf("%v", err)
	}
}
