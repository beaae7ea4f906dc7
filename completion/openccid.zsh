#compdef openccid
# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of the command openccid for zsh. The verbs and their options are asked of the command itself.

# "verb:what it does"
_openccid_verbs() {
	local -a verbs
	verbs=(${(f)"$($words[1] help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\)  *\(.*\)/\1:\2/p')"})
	_describe -t verbs verb verbs
}

# "--option:what it does", and the same for its letter
_openccid_options() {
	local -a options
	options=(${(f)"$($words[1] $words[2] --help 2>/dev/null | sed -n \
		-e 's/^  \(-[a-z]\) \(--[a-z-]*\)\( [A-Z]*\)\{0,1\}  *\(.*\)/\2:\4\n\1:\4/p' \
		-e 's/^     \(--[a-z-]*\)\( [A-Z]*\)\{0,1\}  *\(.*\)/\1:\3/p')"})
	_describe -o -t options option options
}

_openccid_readers() {
	local -a readers
	readers=(${(f)"$($words[1] list 2>/dev/null | sed -n 's/^\([0-9a-f]\{4\}\):\([0-9a-f]\{4\}\) \(.*\)/\1\\:\2:\3/p')"})
	_describe -t readers reader readers
}

_openccid() {
	if (( CURRENT == 2 )); then
		_openccid_verbs
		[[ $words[2] != -* ]] || compadd -- --help --version
		return
	fi
	if [[ $words[CURRENT] == -* ]]; then
		_openccid_options
		return
	fi
	case $words[2] in
	help) _openccid_verbs ;;
	doctor | adopt) _openccid_readers ;;
	describe) _openccid_readers; _files ;;
	decode | replay | redact | capture) _files ;;
	esac
}

_openccid "$@"
