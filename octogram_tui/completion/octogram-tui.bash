# Completion of octogram-tui for bash:  source <(octogram-tui completion bash)
# What there is to complete is asked of the program at each time; nothing that it says but that is shown.

_octogram_tui() {
    local program piece=${COMP_WORDS[COMP_CWORD]} quote= mode reply value
    COMPREPLY=()
    program=$(type -P -- "$1") || program=octogram-tui
    mapfile -t reply < <(command "$program" complete bash "${COMP_LINE:0:COMP_POINT}" "$piece" 2>/dev/null </dev/null)
    mode=${reply[0]-}
    reply=("${reply[@]:1}")
    [[ $piece == [\"\']* ]] && quote=${piece:0:1}
    [[ $mode == *nospace* ]] && compopt -o nospace 2>/dev/null
    case $mode in
        *files* | *scenario*)
            # Readline knows best how names of files are written, and completes them where nothing else fits.
            compopt -o default 2>/dev/null
            if [[ $mode == *scenario* && ${#reply[@]} -gt 0 ]]; then
                compopt -o filenames 2>/dev/null
                COMPREPLY=("${reply[@]}")
                while read -r value; do
                    [[ $value == *.yml || $value == *.yaml || $value == *.json || -d $value ]] && COMPREPLY+=("$value")
                done < <(compgen -f -- "$piece")
                return
            fi
            ;;
        *dirs*) compopt -o dirnames 2>/dev/null ;;
    esac
    for value in "${reply[@]}"; do
        if [[ -n $quote ]]; then
            [[ $quote == \' && $value == *\'* ]] && continue
            [[ $quote == \" ]] && value=${value//\\/\\\\} && value=${value//\"/\\\"} && value=${value//\$/\\\$} && value=${value//\`/\\\`}
        else
            printf -v value %q "$value"
        fi
        COMPREPLY+=("$value")
    done
}

complete -F _octogram_tui octogram-tui
