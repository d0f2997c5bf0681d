"""From frames to motion: identities, repairs, filters, steady bones, and a place in the world.

Functions here take the arrays of one person over T frames. Absent is NaN. Each step is a function
of its own and says what it changed.
"""
