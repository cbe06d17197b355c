"""Engines that a warehouse can run on; each meets the port in engine.py and the same contract tests."""
