"""The date that results carry."""

import os
import time


def build_date() -> str:
    """Now; SOURCE_DATE_EPOCH, where set, stands for it, so that a build can be repeated bit for bit."""
    now = float(os.environ.get("SOURCE_DATE_EPOCH", time.time()))
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
