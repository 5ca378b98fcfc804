# SPDX-License-Identifier: BSD-2-Clause
"""The cases of bench/path.py that are not one call and one answer."""
PARTS = {}
