package flagfile

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/wigwag/wigwag/feature"
)

// Initial returns what the server makes of a flag in an environment in which
// nobody has configured it: disabled, ready to serve its first variant (of a
// boolean flag, the one that is true), and off is its last (the one that is
// false).
func Initial(d feature.Definition) feature.Configuration {
	configuration := feature.Configuration{State: feature.StateDisabled}
	fill(&configuration, d)
	return configuration
}

// fill gives a configuration the variants that it leaves out.
func fill(c *feature.Configuration, d feature.Definition) {
	if len(d.Variants) == 0 {
		return
	}
	on, off := d.Variants[0].Key, d.Variants[len(d.Variants)-1].Key
	if d.Type == feature.TypeBoolean {
		on, off = firstOf(d.Variants, true, on), firstOf(d.Variants, false, off)
	}
	if c.Default.Variant == "" && c.Default.Split == nil {
		c.Default.Variant = on
	}
	if c.OffVariant == "" {
		c.OffVariant = off
	}
}

// firstOf returns the first variant of a value, another where there is none.
func firstOf(variants feature.Variants, want bool, otherwise string) string {
	for i := range variants {
		if b, ok := variants[i].Value.Bool(); ok && b == want {
			return variants[i].Key
		}
	}
	return otherwise
}

// onOff is what a boolean flag that names no variants has.
func onOff() feature.Variants {
	return feature.Variants{
		{Key: "on", Value: feature.BoolValue(true)},
		{Key: "off", Value: feature.BoolValue(false)},
	}
}

// Complete returns a configuration with the ids of rules and the salts of splits
// that the files leave out. What is there before, nil for nothing, keeps its own:
// a rule without an id is the one before that is equal to it, else the one of its
// name, else the one with its condition, else a new one. A split without a salt has
// the salt that its rule, or the default, had before, else the flag's key and a
// full stop. Completing what is complete changes nothing.
func Complete(flag string, c feature.Configuration, before *feature.Configuration) feature.Configuration {
	if before == nil {
		before = &feature.Configuration{}
	}
	c.Rules = slices.Clone(c.Rules)
	nameRules(flag, c.Rules, before.Rules)
	for i := range c.Rules {
		var kept *feature.Split
		for n := range before.Rules {
			if before.Rules[n].ID == c.Rules[i].ID {
				kept = before.Rules[n].Serve.Split
			}
		}
		c.Rules[i].Serve.Split = salted(flag, c.Rules[i].Serve.Split, kept)
	}
	c.Default.Split = salted(flag, c.Default.Split, before.Default.Split)
	return c
}

// salted returns a split with a salt: its own, the one that was kept, or the
// flag's.
func salted(flag string, split, kept *feature.Split) *feature.Split {
	if split == nil || split.Salt != "" {
		return split
	}
	with := *split
	if kept != nil {
		with.Salt = kept.Salt
	} else {
		with.Salt = defaultSalt(flag)
	}
	return &with
}

// defaultSalt returns the flag's key and a full stop; of a key that is too long the
// beginning, and a hash so that keys that begin alike split apart.
func defaultSalt(flag string) string {
	if len(flag) < feature.MaxSaltBytes {
		return flag + "."
	}
	const digits = 8
	sum := sha256.Sum256([]byte(flag))
	return flag[:feature.MaxSaltBytes-digits-2] + "-" + hex.EncodeToString(sum[:digits/2]) + "."
}

// nameRules gives ids to the rules that have none.
func nameRules(flag string, rules, before []feature.Rule) {
	taken := map[string]bool{}
	for i := range rules {
		taken[rules[i].ID] = true
	}
	same := []func(a, b *feature.Rule) bool{
		func(a, b *feature.Rule) bool { return a.Name == b.Name && sameRule(flag, a, b) },
		func(a, b *feature.Rule) bool { return a.Name != "" && a.Name == b.Name },
		func(a, b *feature.Rule) bool { return sameJSON(a.When, b.When) },
	}
	for _, same := range same {
		for i := range rules {
			if rules[i].ID != "" {
				continue
			}
			for n := range before {
				if !taken[before[n].ID] && same(&rules[i], &before[n]) {
					rules[i].ID = before[n].ID
					taken[rules[i].ID] = true
					break
				}
			}
		}
	}
	for i := range before {
		taken[before[i].ID] = true
	}
	next := 1
	for i := range rules {
		for rules[i].ID == "" {
			if id := "r" + strconv.Itoa(next); !taken[id] {
				rules[i].ID = id
				taken[id] = true
			}
			next++
		}
	}
}

// sameRule reports whether two rules do the same, when a missing salt is taken
// from the other.
func sameRule(flag string, a, b *feature.Rule) bool {
	serve := a.Serve
	serve.Split = salted(flag, serve.Split, b.Serve.Split)
	return sameJSON(a.When, b.When) && sameJSON(serve, b.Serve)
}

func sameJSON(a, b any) bool {
	left, err := feature.Encode(a)
	if err != nil {
		return false
	}
	right, err := feature.Encode(b)
	return err == nil && string(left) == string(right)
}
