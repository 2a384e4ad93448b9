package feature

// Validate checks a segment by itself: names, limits, values, and that no
// targeting key is listed twice. The segments that its condition names are for
// [CheckReferences]. The error is a [*ValidationError] with all problems, up to
// [MaxProblems].
func (s *Segment) Validate() error {
	var v validator
	if !ValidKey(s.Key) {
		v.add("key", keyShape)
	}
	v.name("name", s.Name)
	v.segmentList("included", s.Included, s.Shards.Included)
	v.segmentList("excluded", s.Excluded, s.Shards.Excluded)
	if len(s.Included) <= MaxSegmentKeys && len(s.Excluded) <= MaxSegmentKeys {
		where := make(map[string]string, len(s.Included)+len(s.Excluded))
		v.targetingKeys("included", s.Included, where)
		v.targetingKeys("excluded", s.Excluded, where)
	}
	if s.When != nil {
		v.condition("when", s.When, 1)
	}
	return v.err()
}

func (v *validator) segmentList(path string, keys []string, shards int) {
	if len(keys) > MaxSegmentKeys {
		v.add(path, "a list of a segment has at most %d targeting keys, not %d", MaxSegmentKeys, len(keys))
	}
	switch at := "shards." + path; {
	case shards == 0:
	case shards < 0 || shards > MaxSegmentKeys || shards&(shards-1) != 0:
		v.add(at, "must be a power of two, not %d", shards)
	case len(keys) > 0:
		v.add(at, "a list that is cut into shards is empty in the segment; give the list or the shards")
	}
}
