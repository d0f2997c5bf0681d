"""The thesis's tables and figures beside what this code measures."""
