package store

import "math"

// newestWith finds the newest segment of a log for which ok holds, where it holds for all older ones too. It looks back from the
// head in growing steps, and then halves: a log of a million segments costs forty looks, and what is near the head two.
func (r *Reader) newestWith(log int64, ok func(Segment) bool) (best Segment, found bool, err error) {
	s, here, err := r.segmentUpTo(log, math.MaxInt64)
	if err != nil || !here {
		return best, false, err
	}
	high := s.K
	for step := int64(1); here && !ok(s); step *= 2 {
		high = s.K - 1
		if s, here, err = r.segmentUpTo(log, s.K-step); err != nil {
			return best, false, err
		}
	}
	low := int64(-1) // of what is above high it holds for none; up to low, best is the newest for which it does
	if here {
		best, found, low = s, true, s.K
	}
	for low < high {
		middle := low + (high-low+1)/2
		s, here, err = r.segmentUpTo(log, middle)
		switch {
		case err != nil:
			return best, false, err
		case here && s.K > low && !ok(s):
			high = s.K - 1
		case here && s.K > low:
			best, found, low = s, true, middle
		default: // none lies between
			low = middle
		}
	}
	return best, found, nil
}

// segmentUpTo is the newest segment of a log up to k.
func (r *Reader) segmentUpTo(log, k int64) (s Segment, found bool, err error) {
	found, err = r.one("SELECT "+segmentColumns+" FROM segments WHERE log = ? AND k <= ? ORDER BY k DESC LIMIT 1", scanSegment(&s), log, k)
	return s, found, err
}
