"""A module that is never imported to its end, as on a network disk that went away."""

import time

time.sleep(3600)
