"""What every test stands on: a quiet TensorFlow on the CPU, and reproducible Hypothesis runs in CI."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Read once, when TensorFlow and Keras are imported, hence before any test module is.
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# A shell has its background jobs ignore it; tests send themselves this signal.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadlines: the first example that touches TensorFlow pays for tracing.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("default"), derandomize=True, database=None, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")


@pytest.fixture(autouse=True)
def own_path() -> Iterator[None]:
    """Modules that a user names bring their folder along; the next test is to find none of theirs."""
    before = list(sys.path)
    yield
    sys.path[:] = before
