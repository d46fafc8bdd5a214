"""Lets a plain `pytest proofs/` in a clone find the plugin; after `-p proofs.machinery.plugin` this changes nothing."""

import pytest


def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    pluginmanager.import_plugin("proofs.machinery.plugin")
