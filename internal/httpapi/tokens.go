package httpapi

import (
	"net/http"

	"github.com/wigwag/wigwag/internal/control"
	"github.com/wigwag/wigwag/internal/gen"
	"github.com/wigwag/wigwag/internal/web"
)

func (a *api) Whoami(w http.ResponseWriter, r *http.Request) {
	serve(w, r, func() (answer, error) {
		return answer{body: control.TokenOf(&caller(r).Token)}, nil
	})
}

func (a *api) ListTokens(w http.ResponseWriter, r *http.Request) {
	serve(w, r, func() (answer, error) {
		tokens, err := a.control.Tokens(r.Context(), caller(r))
		return answer{body: gen.TokenList{Items: tokens}}, err
	})
}

func (a *api) CreateToken(w http.ResponseWriter, r *http.Request, _ gen.CreateTokenParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, nil)
		if err != nil {
			return answer{}, err
		}
		var wanted gen.NewToken
		if err := web.ReadJSON(w, r, MaxBody, &wanted); err != nil {
			return answer{}, err
		}
		return tokenIssued(a.control.CreateToken(r.Context(), by, caller(r), control.NewToken{
			Name: wanted.Name, Scope: wanted.Scope, Projects: wanted.Projects, ExpiresAt: wanted.ExpiresAt,
		}))
	})
}

func (a *api) RotateToken(w http.ResponseWriter, r *http.Request, token string, _ gen.RotateTokenParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, nil)
		if err != nil {
			return answer{}, err
		}
		rotation, err := readRotation(w, r)
		if err != nil {
			return answer{}, err
		}
		return tokenIssued(a.control.RotateToken(r.Context(), by, caller(r), token, rotation))
	})
}

func (a *api) RevokeToken(w http.ResponseWriter, r *http.Request, token string, _ gen.RevokeTokenParams) {
	serve(w, r, func() (answer, error) {
		by, err := write(r, nil, nil)
		if err != nil {
			return answer{}, err
		}
		revoked, err := a.control.RevokeToken(r.Context(), by, caller(r), token)
		return answer{body: gen.TokenRevoked{Item: revoked.Item}}, err
	})
}

// tokenIssued is the only answer that tells a token's secret.
func tokenIssued(issued control.Issued[control.Token], err error) (answer, error) {
	return answer{
		status: http.StatusCreated,
		body:   gen.TokenIssued{Item: issued.Item, Secret: string(issued.Secret), Replaced: issued.Replaced},
	}, err
}
