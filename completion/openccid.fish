# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of the command openccid for fish. The verbs and their options are asked of the command itself.

function __openccid_verbs
    openccid help 2>/dev/null | string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2'
end

function __openccid_verb
    set -l words (commandline -opc)
    test (count $words) -gt 1; and echo $words[2]
end

function __openccid_options
    set -l verb (__openccid_verb); or return
    openccid $verb --help 2>/dev/null | string match -r '^  (?:-[a-z]|  ) --.*' | while read -l row
        string replace -rf '^ *(?:-[a-z] )?(--[a-z-]+)(?: [A-Z]+)? +(.*)' '$1\t$2' -- $row
        string replace -rf '^ *(-[a-z]) --[a-z-]+(?: [A-Z]+)? +(.*)' '$1\t$2' -- $row
    end
end

function __openccid_readers
    openccid list 2>/dev/null | string replace -rf '^([0-9a-f]{4}:[0-9a-f]{4}) (.*)' '$1\t$2'
end

function __openccid_is
    contains -- (__openccid_verb) $argv
end

complete -c openccid -f
complete -c openccid -n 'not __openccid_verb' -a '(__openccid_verbs)'
complete -c openccid -n 'not __openccid_verb' -l help -s h -d 'show what it can do'
complete -c openccid -n 'not __openccid_verb' -l version -d 'show the version'
complete -c openccid -n '__openccid_verb; and string match -q -- "-*" (commandline -ct)' -a '(__openccid_options)'
complete -c openccid -n '__openccid_is help' -a '(__openccid_verbs)'
complete -c openccid -n '__openccid_is describe doctor adopt' -a '(__openccid_readers)'
complete -c openccid -n '__openccid_is decode replay redact capture describe' -F
