package feature_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/wigwag/wigwag/feature"
)

func ExampleDecodeStrict() {
	document := `{"key":"new-checkout","type":"boolean","variants":{"on":true,"off":false},
		"state":"ENABLED","offVariant":"off","default":{"variant":"on","weight":1}}`
	var flag feature.Flag
	err := feature.DecodeStrict([]byte(document), &flag)
	var invalid *feature.ValidationError
	if errors.As(err, &invalid) {
		for _, problem := range invalid.Problems {
			fmt.Println(problem)
		}
	}
	// Output:
	// default.weight: unknown field; the fields here are variant, split
}

func ExampleFlag_Validate() {
	flag := feature.Flag{
		Definition: feature.Definition{
			Key:  "new-checkout",
			Type: feature.TypeBoolean,
			Variants: feature.Variants{
				{Key: "on", Value: feature.BoolValue(true)},
				{Key: "off", Value: feature.BoolValue(false)},
			},
		},
		Configuration: feature.Configuration{
			State:      feature.StateEnabled,
			OffVariant: "of",
			Default: feature.Serve{Split: &feature.Split{
				Salt:    "new-checkout.",
				Weights: []feature.Weight{{Variant: "on", Weight: 25_000}, {Variant: "off", Weight: 70_000}},
			}},
		},
	}
	var invalid *feature.ValidationError
	if errors.As(flag.Validate(), &invalid) {
		for _, problem := range invalid.Problems {
			fmt.Println(problem)
		}
	}
	// Output:
	// offVariant: unknown variant "of"; the flag has on, off
	// default.split.weights: the weights must sum to 100000 (thousandths of a percent); these sum to 95000
}

func ExampleCheckReferences() {
	flag := func(key, prerequisite string) *feature.Flag {
		return &feature.Flag{
			Definition: feature.Definition{Key: key, Variants: feature.Variants{{Key: "on", Value: feature.BoolValue(true)}}},
			Configuration: feature.Configuration{
				Prerequisites: []feature.Prerequisite{{Flag: prerequisite, Variants: []string{"on"}}},
			},
		}
	}
	set := &feature.FlagSet{Flags: []*feature.Flag{flag("a", "b"), flag("b", "a"), flag("c", "a")}}
	for _, problem := range feature.CheckReferences(set) {
		fmt.Println(problem)
	}
	// Output:
	// flag "a": prerequisites: the flag depends on itself: a → b → a; remove one of these references
	// flag "b": prerequisites: the flag depends on itself: b → a → b; remove one of these references
}

func ExampleEvaluationContext() {
	ec := feature.NewContext("user-42",
		feature.String("plan", "pro"),
		feature.Object("org", feature.String("country", "FR")),
	)
	country := feature.ParseAttributePath("org.country")
	fmt.Println(ec.TargetingKey(), ec.Lookup(&country))
	body, _ := json.Marshal(ec)
	fmt.Println(string(body))
	// Output:
	// user-42 "FR"
	// {"targetingKey":"user-42","plan":"pro","org":{"country":"FR"}}
}

func ExampleParseSemver() {
	candidate, _ := feature.ParseSemver("2.0.0-rc.10")
	release, _ := feature.ParseSemver("v2")
	fmt.Println(candidate.Compare(release))
	// Output:
	// -1
}

func ExampleBucket() {
	hash := feature.NewMurmurPrefix("fractional-flag").Sum("user-1")
	fmt.Println(feature.Bucket(hash), "of", feature.SplitTotal)
	// Output:
	// 45276 of 100000
}
