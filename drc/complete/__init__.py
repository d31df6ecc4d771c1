"""What is missing from a set: drawn, in the colours of the set, as files."""
