# fish completion for wigwag

function __wigwag_complete
    set -l before (commandline -opc)
    set -l word (commandline -ct)
    set -l files
    for line in ($before[1] complete -- $before[2..-1] "$word" 2>/dev/null)
        if test "$line" = :files
            set files 1
        else
            echo $line
        end
    end
    if test -n "$files"
        __fish_complete_path "$word"
    end
end

complete -c wigwag -f -a '(__wigwag_complete)'
