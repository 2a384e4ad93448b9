package httpapi

import (
	"net/http"
	"time"

	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/fault"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

func (a *api) ListKeys(w http.ResponseWriter, r *http.Request, project, environment string) {
	serve(w, r, func() (answer, error) {
		keys, err := a.control.Keys(r.Context(), project, environment)
		return answer{body: gen.SDKKeyList{Items: keys}}, err
	})
}

func (a *api) CreateKey(w http.ResponseWriter, r *http.Request, project, environment string, _ gen.CreateKeyParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, nil)
		if err != nil {
			return answer{}, err
		}
		var wanted gen.NewSDKKey
		if err := web.ReadJSON(w, r, MaxBody, &wanted); err != nil {
			return answer{}, err
		}
		return keyIssued(a.control.CreateKey(r.Context(), by, project, environment, control.NewKey{
			Kind: wanted.Kind, Name: wanted.Name, ExpiresAt: wanted.ExpiresAt,
		}))
	})
}

func (a *api) RotateKey(w http.ResponseWriter, r *http.Request, project, environment, key string, _ gen.RotateKeyParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, nil)
		if err != nil {
			return answer{}, err
		}
		rotation, err := readRotation(w, r)
		if err != nil {
			return answer{}, err
		}
		return keyIssued(a.control.RotateKey(r.Context(), by, project, environment, key, rotation))
	})
}

func (a *api) RevokeKey(w http.ResponseWriter, r *http.Request, project, environment, key string, _ gen.RevokeKeyParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, nil)
		if err != nil {
			return answer{}, err
		}
		revoked, err := a.control.RevokeKey(r.Context(), by, project, environment, key)
		return answer{body: gen.SDKKeyRevoked{Item: revoked.Item}}, err
	})
}

// keyIssued is the only answer that tells a key's secret.
func keyIssued(issued control.Issued[control.Key], err error) (answer, error) {
	return answer{
		status: http.StatusCreated,
		body:   gen.SDKKeyIssued{Item: issued.Item, Secret: string(issued.Secret), Replaced: issued.Replaced},
	}, err
}

// readRotation reads how a key or token is to be replaced.
func readRotation(w http.ResponseWriter, r *http.Request) (control.Rotation, error) {
	rotation := control.Rotation{Overlap: control.DefaultOverlap}
	var wanted gen.Rotation
	if err := web.ReadJSON(w, r, MaxBody, &wanted); err != nil {
		return rotation, err
	}
	rotation.ExpiresAt = wanted.ExpiresAt
	if wanted.Overlap == "" {
		return rotation, nil
	}
	var err error
	if rotation.Overlap, err = time.ParseDuration(wanted.Overlap); err != nil {
		return rotation, fault.InvalidField("overlap", "%.40q is no duration; write such as 24h, or 0s for none", wanted.Overlap)
	}
	return rotation, nil
}
