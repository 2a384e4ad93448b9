package bench

import (
	"fmt"
	"testing"
	"time"
)

// subject is what every contender is asked about. Its attributes stand for what
// an application takes from a request.
type subject struct {
	key     string
	plan    string
	country string
	device  string
	age     float64
	build   float64
	beta    bool
}

// asked is the subject of the timed calls. It is a variable so that no contender
// can have its context folded at compile time.
var asked = subject{
	key: "user-5000", plan: "pro", country: "FR", device: "phone",
	age: 34, build: 1250, beta: true,
}

// The flags that each contender defines, in its own terms. All are boolean and
// answer true to the subject asked about.
const (
	// flagPlain serves true to everybody; it has no rules.
	flagPlain = "plain"
	// flagRules has five rules of two conditions. Of the first four the first
	// condition holds for the subject asked about and the second does not, so that
	// all ten are looked at; the fifth rule serves true, otherwise false:
	//
	//	plan in enterprise, pro      and country in US, CA
	//	country in FR, DE, IT        and age < 18
	//	age >= 21                    and device in tablet
	//	device in phone, watch       and plan in free, team
	//	beta in true                 and build >= 1200
	flagRules = "rules"
	// flagSplit serves true to half of all keys. The halves are not the same from
	// one contender to the next: the salts are chosen so that the subject asked
	// about is in the half that gets true.
	flagSplit = "split"
	// flagSegment serves true to the 10,000 keys of a segment.
	flagSegment = "segment"
	// flagDependent serves true where flagPlain does.
	flagDependent = "dependent"
)

const segmentSize = 10_000

// fillers is how many more flags, without rules, each contender holds: a flag is
// looked up among a hundred, as it would be in an application.
const fillers = 95

func fillerKey(i int) string { return fmt.Sprintf("filler-%d", i) }

// segmentKeys returns the keys user-0 to user-9999; the subject asked about is
// the middle one.
func segmentKeys() []string {
	keys := make([]string, segmentSize)
	for i := range keys {
		keys[i] = fmt.Sprintf("user-%d", i)
	}
	return keys
}

// contender is an engine with the flags above. Each writes its own timed loops,
// so that what is timed is a direct call and not one through this interface.
type contender interface {
	name() string
	// ask resolves a flag outside of any timing.
	ask(flag string, s subject) bool
	// ready times calls for a context that was made before.
	ready(b *testing.B, flag string)
	// built times calls that make their context from the subject's attributes.
	built(b *testing.B, flag string)
	// shared times calls from all cores; the configuration is replaced meanwhile.
	shared(pb *testing.PB, flag string)
	// replace puts a changed configuration with the same answers in force.
	replace()
}

func contenders(t testing.TB) []contender {
	return []contender{newLimit(), newWigwag(t), newWigwagDetails(t), newLaunchDarkly(), newGrowthBook(t)}
}

// cases are the single-threaded cases, by the names under which they are reported.
var cases = []struct{ name, flag string }{
	{"F1", flagPlain},
	{"F2", flagRules},
	{"F3", flagSplit},
	{"F4", flagSegment},
	{"F5", flagDependent},
}

// replaceEvery is how often P2 replaces the configuration.
const replaceEvery = 10 * time.Millisecond

// BenchmarkEvaluate runs the contenders of each case one after the other, so that
// a drift of the machine meets all of them.
func BenchmarkEvaluate(b *testing.B) {
	all := contenders(b)
	each := func(b *testing.B, flag string, run func(*testing.B, contender)) {
		for _, c := range all {
			b.Run(c.name(), func(b *testing.B) {
				if !c.ask(flag, asked) {
					b.Fatalf("%s answers false to %s", c.name(), flag)
				}
				b.ReportAllocs()
				run(b, c)
			})
		}
	}
	for _, c := range cases {
		b.Run(c.name+"/ready", func(b *testing.B) {
			each(b, c.flag, func(b *testing.B, engine contender) { engine.ready(b, c.flag) })
		})
		b.Run(c.name+"/built", func(b *testing.B) {
			each(b, c.flag, func(b *testing.B, engine contender) { engine.built(b, c.flag) })
		})
	}
	b.Run("P2/ready", func(b *testing.B) {
		each(b, flagRules, func(b *testing.B, engine contender) {
			stop := replaceRegularly(engine)
			defer stop()
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) { engine.shared(pb, flagRules) })
			b.StopTimer()
		})
	})
}

// replaceRegularly replaces the contender's configuration until stop is called,
// which returns when it has ended.
func replaceRegularly(c contender) (stop func()) {
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(replaceEvery)
		defer ticker.Stop()
		for {
			select {
			case <-quit:
				return
			case <-ticker.C:
				c.replace()
			}
		}
	}()
	return func() {
		close(quit)
		<-done
	}
}
