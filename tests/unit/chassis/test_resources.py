"""Limits and the collector, each in a process of its own, since they are the process's."""

import subprocess
import sys


def output_of(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60).stdout


def test_file_limit_is_raised_to_the_hard_one() -> None:
    assert output_of(
        "import resource\n"
        "from chassis.resources import raise_file_limit\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))\n"
        "print(raise_file_limit() == hard, raise_file_limit() == hard)\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard))\n"
    ).split() == ["True", "True", "True"]


def test_what_lives_is_frozen_and_collections_become_rare() -> None:
    assert output_of(
        "import gc\n"
        "from chassis.resources import COLLECTOR_THRESHOLDS, settle_collector\n"
        "settle_collector()\n"
        "print(gc.get_freeze_count() > 1000, gc.get_threshold() == COLLECTOR_THRESHOLDS)\n"
    ).split() == ["True", "True"]
