# SPDX-License-Identifier: BSD-2-Clause
# tap.sh - TAP for shell tests. Source it, call ok/skip, end with `plan`.
# shellcheck shell=sh
tap_n=0 tap_bad=0

# ok STATUS SITUATION [WHAT TO DO, on failure]: one result; the advice may have lines
ok() {
	tap_n=$((tap_n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_n - $2"
		return 0
	fi
	tap_bad=1
	echo "not ok $tap_n - $2"
	[ -z "$3" ] || printf '%s\n' "$3" | sed 's/^/# /'
	return 1
}

# none TEXT SITUATION WHAT-TO-DO: TEXT lists the offenders and must be empty
none() {
	[ -z "$1" ]
	ok $? "$2" "$1
$3"
}

# same WANTED GOT SITUATION
same() {
	[ "$1" = "$2" ]
	ok $? "$3" "wanted: $1
got:    $2"
}

skip() { # SITUATION REASON
	tap_n=$((tap_n + 1))
	echo "ok $tap_n - $1 # SKIP $2"
}

skip_all() { # REASON
	echo "1..0 # SKIP $1"
	exit 0
}

plan() {
	echo "1..$tap_n"
	exit $tap_bad
}
