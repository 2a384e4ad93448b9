package app

import (
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/wigwag/wigwag/internal/auth"
)

// Check says what is wrong with a configuration, all of it, as far as that can be
// told without opening or starting anything; nil where nothing is. Its errors tell
// no secret.
func (c Config) Check() error {
	c = c.withDefaults()
	_, _, err := cutDatabase(c.Database)
	problems := []error{checkAddr("addr", c.Addr), err}
	if c.OpsAddr != "off" {
		problems = append(problems, checkAddr("ops-addr", c.OpsAddr))
	}
	for _, b := range []struct{ option, value, kind string }{
		{"bootstrap-token", c.BootstrapToken, auth.KindToken},
		{"bootstrap-server-key", c.BootstrapServerKey, auth.KindServer},
		{"bootstrap-client-key", c.BootstrapClientKey, auth.KindClient},
	} {
		if b.value != "" {
			problems = append(problems, checkSecret(b.option, auth.Secret(b.value), b.kind))
		}
	}
	return errors.Join(problems...)
}

func checkAddr(option, addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("%s %q is no address; write one such as :8080 or 127.0.0.1:8080", option, addr)
	}
	return nil
}

// cutDatabase returns the parts of a database's name: sqlite and a path, or memory.
func cutDatabase(database string) (scheme, path string, err error) {
	scheme, path, _ = strings.Cut(database, ":")
	if scheme == "sqlite" && path != "" || scheme == "memory" {
		return scheme, path, nil
	}
	return "", "", fmt.Errorf("database %q: write sqlite:PATH", database)
}

// checkSecret wants of a secret that an operator chose that it is of a kind and
// long enough.
func checkSecret(option string, secret auth.Secret, kind string) error {
	if secret.Kind() != kind || len(secret) < shortest {
		return fmt.Errorf("%s must be %s_ and at least %d more characters that nobody can guess", option, kind, shortest-len(kind)-1)
	}
	return nil
}
