"""Tests in a real browser: Debian's Chromium, with a microphone that beeps."""
