"""The demo: a tenant with everything in it, made by the same operations that a person would use."""

from services.demo.making import Demo, demo_settings, make_demo, serving_settings

__all__ = ["Demo", "demo_settings", "make_demo", "serving_settings"]
