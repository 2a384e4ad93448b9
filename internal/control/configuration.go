package control

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/wigwag/wigwag/feature"
)

// initialFlag returns a flag as it is in an environment in which nobody has
// configured it: disabled, and ready to serve its first variant (that which is
// true for a boolean) to everybody once it is enabled.
func initialFlag(d feature.Definition) *feature.Flag {
	flag := &feature.Flag{Definition: d, Configuration: feature.Configuration{State: feature.StateDisabled}}
	if len(d.Variants) == 0 {
		return flag
	}
	flag.Default.Variant = d.Variants[0].Key
	flag.OffVariant = d.Variants[len(d.Variants)-1].Key
	if d.Type != feature.TypeBoolean {
		return flag
	}
	if v := firstBool(d.Variants, true); v != nil {
		flag.Default.Variant = v.Key
	}
	if v := firstBool(d.Variants, false); v != nil {
		flag.OffVariant = v.Key
	}
	return flag
}

func firstBool(variants feature.Variants, want bool) *feature.Variant {
	for i := range variants {
		if b, ok := variants[i].Value.Bool(); ok && b == want {
			return &variants[i]
		}
	}
	return nil
}

// onOff is what a boolean flag that names no variants gets.
func onOff() feature.Variants {
	return feature.Variants{
		{Key: "on", Value: feature.BoolValue(true)},
		{Key: "off", Value: feature.BoolValue(false)},
	}
}

// complete fills what people may leave out of a changed configuration: ids of
// rules, and salts. A rule that comes back with its id but without its salt keeps
// the salt it had, because another would serve people other variants.
func complete(flag, before *feature.Flag) {
	taken := make(map[string]bool)
	salts := make(map[string]string)
	for i := range before.Rules {
		rule := &before.Rules[i]
		taken[rule.ID] = true
		if rule.Serve.Split != nil {
			salts[rule.ID] = rule.Serve.Split.Salt
		}
	}
	for i := range flag.Rules {
		taken[flag.Rules[i].ID] = true
	}
	for i := range flag.Rules {
		rule := &flag.Rules[i]
		if rule.ID == "" {
			rule.ID = freshRuleID(taken)
		}
		fillSalt(rule.Serve.Split, salts[rule.ID], flag.Key)
	}
	kept := ""
	if before.Default.Split != nil {
		kept = before.Default.Split.Salt
	}
	fillSalt(flag.Default.Split, kept, flag.Key)
}

func fillSalt(split *feature.Split, kept, flag string) {
	switch {
	case split == nil || split.Salt != "":
	case kept != "":
		split.Salt = kept
	default:
		split.Salt = defaultSalt(flag)
	}
}

// defaultSalt returns the flag key and a full stop. Of a key that is too long it
// keeps the beginning, and a hash so that keys that begin alike split apart.
func defaultSalt(flag string) string {
	if len(flag) < feature.MaxSaltBytes {
		return flag + "."
	}
	const digits = 8
	sum := sha256.Sum256([]byte(flag))
	return flag[:feature.MaxSaltBytes-digits-2] + "-" + hex.EncodeToString(sum[:digits/2]) + "."
}

// freshRuleID returns an id that is not taken, and takes it.
func freshRuleID(taken map[string]bool) string {
	for {
		id := "r-" + strings.ToLower(rand.Text()[:6])
		if !taken[id] {
			taken[id] = true
			return id
		}
	}
}
