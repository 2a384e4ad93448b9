# bash completion for wigwag

_wigwag() {
  # Bash cuts words at = and :, wherever they stand; what has no space in between
  # is put together again.
  local line=$COMP_LINE words=() piece gap count
  for piece in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
    gap=${line%%"$piece"*}
    line=${line:${#gap}+${#piece}}
    count=${#words[@]}
    if [[ $count -gt 0 && -z $gap && -n $piece ]]; then
      words[count-1]+=$piece
    else
      words+=("$piece")
    fi
  done

  # Of a word that was cut, bash replaces what is behind the last cut.
  local word=${words[${#words[@]}-1]} cut=
  if [[ $word == *[=:]* ]]; then
    cut=${word%"${word##*[=:]}"}
  fi

  local suggestion
  COMPREPLY=()
  while IFS= read -r suggestion; do
    if [[ $suggestion == :files ]]; then
      compopt -o default 2>/dev/null
    else
      suggestion=${suggestion%%$'\t'*}
      COMPREPLY+=("${suggestion#"$cut"}")
    fi
  done < <("${words[0]}" complete -- "${words[@]:1}" 2>/dev/null)
}

complete -F _wigwag wigwag
