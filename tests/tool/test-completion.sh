#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# The completion of each shell names every verb and every option that the command has, and readers and files where they can stand.
set -u
. "$top_srcdir/tests/tool/lib.sh"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 130' INT TERM
folder=$top_srcdir/completion
openccid help | sed -n 's/^  \([a-z][a-z]*\) .*/\1/p' | sort >"$stage/verbs"
mkdir "$stage/here"
: >"$stage/here/a.pcap"
cd "$stage/here" || exit 1

# With a reader plugged in, as test-list.sh shows it.
mkdir "$stage/bin"
cat >"$stage/bin/openccid" <<TXT
#!/bin/sh
[ "\$*" != list ] || exec echo '04e6:5116 SCM Microsystems Inc. SCR 3310'
exec "$top_builddir/src/tool/openccid" "\$@"
TXT
chmod +x "$stage/bin/openccid"
PATH=$stage/bin:$PATH

# What a shell offers for a line that ends where it is completed: one word a line
by_bash() {
	bash -c '. "$1/openccid.bash"; read -ra COMP_WORDS <<<"$2"; [ "${2% }" = "$2" ] || COMP_WORDS+=("")
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _openccid; [ ${#COMPREPLY[@]} = 0 ] || printf "%s\n" "${COMPREPLY[@]}"' - "$folder" "$1"
}
# The functions of its own completion are those of a terminal; ours is asked through others of the same names.
by_zsh() {
	zsh -fc 'emulate -R zsh; words=(${(s: :)2}); [[ $2 != *" " ]] || words+=(""); CURRENT=$#words
		_describe() { local name=${@[-1]}; print -rl -- ${${(P)name}//\\:/;} | sed -e "s/:.*//" -e "s/;/:/" }
		_files() { print -rl -- *(N) }; compadd() { shift; print -rl -- $@ }
		. $1/openccid.zsh' - "$folder" "$1" | grep -e "^${1##* }"
}
by_fish() {
	HOME=$stage fish --no-config -c '. $argv[1]/openccid.fish; complete -C $argv[2]' "$folder" "$1" | cut -f 1
}

offers() { # SHELL LINE FILE: exactly the words of the file
	"by_$1" "$2" 2>"$stage/complaints" | sort -u >"$stage/said"
	cmp -s "$3" "$stage/said" && [ ! -s "$stage/complaints" ] || {
		name="$1 completes \"$2\""
		diff "$3" "$stage/said" >>"$stage/complaints"
		cp "$stage/complaints" "$stage/said"
		wrong 'other words are offered'
	}
	rows=$((rows + 1))
}

for shell in bash zsh fish; do
	command -v $shell >/dev/null || {
		echo "not tried: $shell is not installed"
		continue
	}
	offers $shell 'openccid ' "$stage/verbs"
	offers $shell 'openccid help ' "$stage/verbs"
	grep '^de' "$stage/verbs" >"$stage/some"
	offers $shell 'openccid de' "$stage/some"
	printf '%s\n' --help --version >"$stage/some"
	offers $shell 'openccid --' "$stage/some"
	while read -r verb; do
		openccid "$verb" --help | sed -n 's/^  \(-[a-z]\|  \) \(--[a-z-]*\).*/\1\n\2/p' | grep -e - | sort -u >"$stage/options"
		[ "$(wc -l <"$stage/options")" -ge 2 ] || { name=$verb; wrong "has no options"; }
		offers $shell "openccid $verb -" "$stage/options"
	done <"$stage/verbs"
	echo a.pcap >"$stage/some"
	for verb in decode replay redact capture; do
		offers $shell "openccid $verb a" "$stage/some"
	done
	echo 04e6:5116 >"$stage/some"
	for verb in describe doctor adopt; do
		offers $shell "openccid $verb 04e6:5" "$stage/some"
	done
done
end
