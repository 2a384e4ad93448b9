package cli

import (
	"fmt"
	"os"
	"strings"
)

// secretOptions are given only in the environment, or in a file: arguments show
// in lists of processes.
var secretOptions = []string{"bootstrap-token", "bootstrap-server-key", "bootstrap-client-key"}

// variable is the environment variable of an option.
func variable(option string) string {
	return "WIGWAG_" + strings.ToUpper(strings.ReplaceAll(option, "-", "_"))
}

// largestSecret bounds what is read from a file that holds a secret, in bytes.
const largestSecret = 4 << 10

// secret returns an option's secret: the value, or what the file holds. Both is a
// mistake; neither gives the empty string. No error tells the secret.
func secret(option, value, file string) (string, error) {
	if value != "" && file != "" {
		return "", misused("%s and %s_FILE are both given; leave one out", variable(option), variable(option))
	}
	if file == "" {
		return value, nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%s_FILE: %w", variable(option), err)
	}
	text := strings.TrimRight(string(content), "\r\n")
	if text == "" || len(text) > largestSecret || plain(text) != text || strings.Contains(text, " ") {
		return "", fmt.Errorf("%s_FILE: %s must hold the secret alone, on one line", variable(option), file)
	}
	return text, nil
}
