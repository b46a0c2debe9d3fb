# SPDX-License-Identifier: Apache-2.0
# Bash completion of chatgate(1).

_chatgate_words() {
    # For "" the verbs, else what can follow that verb.
    local common='--config --set --help'
    case $1 in
    '') echo 'serve migrate check-config config doctor verify backfill moderation token user version help' ;;
    serve) echo "$common --address --port --admin-port --name --log-level" ;;
    migrate) echo "up status adopt $common --database-url --json" ;;
    check-config | doctor) echo "$common --json" ;;
    verify) echo "$common --verbose --database-url --json" ;;
    backfill) echo "$common --batch --sleep --database-url --json" ;;
    config) echo "$common --show --example --man --json" ;;
    moderation)
        echo "check rules backtest list show test import export enable shadow disable drop history" \
            "rollback $common --rules --json --jsonl --sequences --stats --days --shipped --replace" \
            "--dry-run --note --limit --since --until --samples --batch --sleep --booked"
        ;;
    token) echo "mint verify $common --user --role --ttl --json" ;;
    user) echo "add passwd $common --email --role --first-name --last-name --json" ;;
    version) echo '--json --help' ;;
    help) echo 'serve migrate check-config config doctor verify backfill moderation token user version' ;;
    esac
}

_chatgate() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} words
    case $previous in
    -c | --config)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    -r | --role) words='student teacher moderator admin' ;;
    -l | --log-level) words='error warning notice info debug' ;;
    -s | --set | -u | --user | -t | --ttl | -e | --email | -f | --first-name | --last-name | \
        -a | --address | -p | --port | --admin-port | -n | --name | --database-url | --batch | --sleep | \
        -m | --note | --days | --limit | --since | --until | --samples)
        words=''
        ;;
    *)
        if ((COMP_CWORD == 1)); then
            words=$(_chatgate_words '')
        else
            words=$(_chatgate_words "${COMP_WORDS[1]}")
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}

complete -F _chatgate chatgate
