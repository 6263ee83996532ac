"""The instructors' side: release, bundle, collect and grade; the students' edition does not hold this package."""
