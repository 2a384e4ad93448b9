#compdef wigwag
# zsh completion for wigwag

_wigwag() {
  local -a suggested
  local line text files=
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
      continue
    fi
    text=${line%%$'\t'*}
    if [[ $line == *$'\t'* ]]; then
      suggested+=("${text//:/\\:}:${line#*$'\t'}")
    else
      suggested+=("${text//:/\\:}")
    fi
  done < <("${words[1]}" complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)
  (( ${#suggested} )) && _describe -V wigwag suggested
  [[ -n $files ]] && _files
}

# As a file of $fpath this is the body of the function, else it is sourced.
if [[ ${funcstack[1]} == _wigwag ]]; then
  _wigwag "$@"
else
  compdef _wigwag wigwag
fi
