# SPDX-License-Identifier: BSD-2-Clause
"""What the network tests share: namespaces, packets by hand, TAP, the library."""
