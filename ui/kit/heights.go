package kit

// heights are the heights of the rows of a list, in whole pixels, as a Fenwick tree: from a row to its place, and from a place to
// the row there, in the logarithm of their number. The zero value holds no row.
type heights struct {
	tree []int // tree[i] is the sum of the i&-i rows before row i
	each []int
}

// newHeights takes the heights over.
func newHeights(each []int) heights {
	h := heights{tree: make([]int, len(each)+1), each: each}
	for i, x := range each {
		h.tree[i+1] += x
		if j := i + 1 + (i+1)&-(i+1); j < len(h.tree) {
			h.tree[j] += h.tree[i+1]
		}
	}
	return h
}

// set changes the height of row i.
func (h *heights) set(i, x int) {
	d := x - h.each[i]
	h.each[i] = x
	for j := i + 1; d != 0 && j < len(h.tree); j += j & -j {
		h.tree[j] += d
	}
}

// push adds a row.
func (h *heights) push(x int) {
	if len(h.tree) == 0 {
		h.tree = []int{0}
	}
	i := len(h.tree)
	sum := x
	for j := i - 1; j > i-i&-i; j -= j & -j {
		sum += h.tree[j]
	}
	h.each = append(h.each, x)
	h.tree = append(h.tree, sum)
}

// before is the sum of the rows before row i.
func (h *heights) before(i int) int {
	sum := 0
	for ; i > 0; i -= i & -i {
		sum += h.tree[i]
	}
	return sum
}

// total is the sum of all.
func (h *heights) total() int { return h.before(len(h.each)) }

// at is the row that covers y; the last one where y is beyond all.
func (h *heights) at(y int) int {
	step := 1
	for step*2 < len(h.tree) {
		step *= 2
	}
	i := 0
	for ; step > 0; step /= 2 {
		if i+step < len(h.tree) && h.tree[i+step] <= y {
			i += step
			y -= h.tree[i]
		}
	}
	return max(min(i, len(h.each)-1), 0)
}
