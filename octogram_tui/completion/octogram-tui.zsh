#compdef octogram-tui
# Completion of octogram-tui for zsh:  source <(octogram-tui completion zsh)   or, as a file _octogram-tui, in $fpath
# What there is to complete is asked of the program at each time; nothing that it says but that is shown.

_octogram_tui() {
    local program=${(Q)words[1]} mode line
    local -a reply values shown space
    program=${program/#\~\//$HOME/}
    (( $+commands[$program] )) || [[ $program == */* && -x $program ]] || program=octogram-tui
    reply=("${(@f)$(command $program complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}")
    mode=$reply[1]
    for line in "${(@)reply[2,-1]}"; do
        [[ -n $line ]] || continue
        values+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  -- }")
    done
    [[ $mode == *nospace* ]] && space=(-S '')
    (( ${#values} )) && compadd -l -d shown "${space[@]}" -a values
    [[ $mode == *files* || $mode == *scenario* || $mode == *dirs* ]] || return 0
    [[ $PREFIX == -*=* ]] && compset -P '*='
    case $mode in
        (*scenario*) _files -g '*.(yml|yaml|json)(-.)' ;;
        (*dirs*) _files -/ ;;
        (*) _files ;;
    esac
}

if [[ ${funcstack[1]} == _octogram-tui ]]; then
    _octogram_tui "$@"
else
    compdef _octogram_tui octogram-tui
fi
