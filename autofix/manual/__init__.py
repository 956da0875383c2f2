"""The manual: what the sources themselves say of each symptom and strategy, so that it is never out of date."""
