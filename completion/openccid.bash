# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of the command openccid for bash. The verbs and their options are asked of the command itself.

_openccid() {
	local word=${COMP_WORDS[COMP_CWORD]} verb=${COMP_WORDS[1]-} words
	COMPREPLY=()
	if [ "$COMP_CWORD" = 1 ]; then
		words=$(openccid help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')
		[[ $word != -* ]] || words="--help --version"
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	if [[ $word == -* ]]; then
		words=$(openccid "$verb" --help 2>/dev/null | grep -oE -- '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,' | sort -u)
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		return
	fi
	case $verb in
	help) mapfile -t COMPREPLY < <(compgen -W "$(openccid help 2>/dev/null | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p')" -- "$word") ;;
	describe | doctor | adopt)
		words=$(openccid list 2>/dev/null | grep -oE '[0-9a-f]{4}:[0-9a-f]{4}' | sort -u)
		mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
		[ "$verb" != describe ] || mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
		;;
	decode | replay | redact | capture) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	esac
}
complete -o filenames -o nosort -F _openccid openccid
