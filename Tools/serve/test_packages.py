"""Packages that are absent are installed, or the reason why not is said."""

import json
import sys

import pytest

import packages


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """An environment of its own, which is not there yet."""
    monkeypatch.setattr(packages, "FOLDER", tmp_path / "python")
    monkeypatch.setattr(packages, "PYTHON", tmp_path / "python/bin/python")
    monkeypatch.setattr(packages, "MODULES", tmp_path / "python/modules")
    return tmp_path


def test_what_is_here_is_imported():
    assert packages.needed("json") is json


def test_large_packages_are_installed_when_asked_for(monkeypatch):
    monkeypatch.delenv("BITBUDGET_INSTALL", raising=False)
    assert "BITBUDGET_INSTALL=all" in packages.install("lm_eval")


def test_an_unreachable_registry_skips_with_its_reason(elsewhere, monkeypatch):
    monkeypatch.setitem(packages.SMALL, "absent_here", ("absent-here", 60))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    with pytest.raises(pytest.skip.Exception, match="absent_here is not installed, and cannot be: "):
        packages.needed("absent_here")


def test_an_installation_takes_no_longer_than_it_may(elsewhere, monkeypatch):
    monkeypatch.setitem(packages.SMALL, "absent_here", ("absent-here", 0.01))
    assert "timed out" in packages.install("absent_here")


def test_an_interpreter_without_environments_is_a_reason(elsewhere, monkeypatch):
    monkeypatch.setitem(packages.SMALL, "absent_here", ("absent-here", 60))
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "cannot be" in packages.install("absent_here")
