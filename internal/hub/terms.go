package hub

// Terms are on which conditions a flag set is served. The zero Terms are those of
// a set that is served to everybody in every way.
type Terms struct {
	// Archived is what is archived, "project" or "environment", so that nobody is
	// served; empty where neither is.
	Archived string
	// NoStreams says that readers are to poll.
	NoStreams bool
	// Removed says that the set is no longer served here; it is what readers see
	// who joined before.
	Removed bool
}

// SetTerms changes the terms of a set, which need not be served yet, and wakes
// its readers where they are new.
func (h *Hub) SetTerms(id Set, terms Terms) {
	h.mu.Lock()
	before := h.terms[id]
	if terms == (Terms{}) {
		delete(h.terms, id)
	} else {
		h.terms[id] = terms
	}
	set := h.sets[id]
	if set != nil {
		set.terms.Store(&terms)
	}
	h.mu.Unlock()
	if set != nil && before != terms {
		set.wake()
	}
}

// Terms returns the terms of a set.
func (h *Hub) Terms(id Set) Terms {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.terms[id]
}

// Remove ends the service of a set and wakes its readers, who see that in their
// terms. A set of that name that is published later has none of them.
func (h *Hub) Remove(id Set) {
	h.mu.Lock()
	set := h.sets[id]
	delete(h.sets, id)
	if set != nil {
		set.terms.Store(&Terms{Removed: true})
	}
	h.mu.Unlock()
	if set != nil {
		set.wake()
	}
}

// wake wakes the readers of both projections.
func (s *flagSet) wake() {
	s.server.wake()
	s.client.wake()
}

// Terms returns the present terms of what the reader reads.
func (r *Reader) Terms() Terms { return *r.set.terms.Load() }
