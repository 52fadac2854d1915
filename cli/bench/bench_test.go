package bench

import (
	"context"
	"errors"
	"testing"
	"time"
)

// TestEveryRowDoesWhatItSays runs each once: a row that fails would be a figure for nothing.
func TestEveryRowDoesWhatItSays(t *testing.T) {
	rows, err := primitives()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, r := range rows {
		if names[r.name] {
			t.Errorf("two rows are called %q", r.name)
		}
		names[r.name] = true
		if err := r.do(); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
	}
}

func TestMeasureTellsEachRowOnceWithItsMedian(t *testing.T) {
	calls := 0
	rows := []row{{name: "a", bytes: 7, batch: 2, do: func() error { calls++; return nil }}, {name: "b", do: func() error { return nil }}}
	var got []Result
	err := measure(context.Background(), rows, 3, time.Microsecond, func(r Result) error {
		got = append(got, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || got[0].Name != "a" || got[0].Bytes != 7 || got[0].Rounds != 3 || got[0].Wall <= 0 || got[0].PerSecond <= 0 {
		t.Errorf("measure told %+v", got)
	}
	if want := got[0].Ops * 4; calls != want { // once to count, three rounds
		t.Errorf("a was done %d times, want %d", calls, want)
	}
}

func TestAPromiseIsOfTheProcessorsWhereTheyAreKnown(t *testing.T) {
	for _, row := range []struct {
		r    Result
		want bool
	}{
		{Result{Wall: 9, CPU: 3}, true},
		{Result{Wall: 9, CPU: 5}, true},
		{Result{Wall: 3, CPU: 6}, false},
		{Result{Wall: 3}, true},
		{Result{Wall: 9}, false},
	} {
		if got := row.r.Kept(5); got != row.want {
			t.Errorf("%+v keeps 5: %v", row.r, got)
		}
	}
}

func TestWhatWasPromisedIsMeasured(t *testing.T) {
	rows, err := primitives()
	if err != nil {
		t.Fatal(err)
	}
	promised := 0
	for _, r := range rows {
		if r.must > 0 && r.goal > 0 && r.goal < r.must {
			promised++
		} else if r.must > 0 || r.goal > 0 {
			t.Errorf("%s must take %v and should take %v", r.name, r.must, r.goal)
		}
	}
	if promised != 5 { // two handshakes, a message alone, in a burst, and its check
		t.Errorf("%d rows have a promise", promised)
	}
}

func TestMeasureEndsWithTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	err := measure(context.Background(), []row{{name: "a", do: func() error { return broken }}}, 1, 1, func(Result) error { return nil })
	if !errors.Is(err, broken) {
		t.Errorf("measure = %v, want %v", err, broken)
	}
}

func TestMedianIsTheMiddleOne(t *testing.T) {
	if got := median([]float64{5, 1, 3}); got != 3 {
		t.Errorf("median = %v, want 3", got)
	}
}
