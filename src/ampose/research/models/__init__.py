"""The lifters, one readable file each; `zoo` is the list."""
