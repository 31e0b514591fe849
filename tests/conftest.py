"""Before anything is imported: no telemetry, no downloads. Properties get no deadline: the machine may be busy."""

import os

os.environ["GX_ANALYTICS_ENABLED"] = "False"
os.environ["HF_HUB_OFFLINE"] = "1"

from hypothesis import settings

settings.register_profile("callwright", deadline=None, max_examples=80)
settings.load_profile("callwright")
