# Completion of octogram-tui for fish:  octogram-tui completion fish | source
# What there is to complete is asked of the program at each time; nothing that it says but that is shown.

function __octogram_tui_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l plain (string unescape -- $current 2>/dev/null); or set plain (string trim --left --chars '"\'' -- $current)
    set -l program (command -s -- $words[1]); or set program octogram-tui
    set -l reply (command $program complete fish $words[2..] "$plain" 2>/dev/null </dev/null)
    set -l mode $reply[1]
    for line in $reply[2..]
        echo -- $line
    end
    switch "$mode"
        case '*files*' '*scenario*' '*dirs*'
            set -l option (string match -r -- '^--[a-z-]+=' "$plain")
            set -q option[1]; or set option '' # nothing before a path is not the same as no path
            for path in (__fish_complete_path (string replace -r -- '^--[a-z-]+=' '' "$plain"))
                echo -- $option$path
            end
    end
end

complete -c octogram-tui -f -k -a '(__octogram_tui_complete)'
