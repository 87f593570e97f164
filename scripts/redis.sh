# A Redis in a folder of its own, that ends when the input does. What it logs is the output. `$0` is
# the program, `$1` the port; more are flags of its own.
#
# Commands are names of signals, and `start`. Asked to end, it saves what it has; unasked, it would not
# before the end of a day.

port=$1
shift
trap : INT
home=$(mktemp -d) && cd "$home" || exit
start() {
    "$0" --port "$port" --bind 127.0.0.1 --save 86400 1 --shutdown-timeout 0 "$@" </dev/null &
    id=$!
}
start "$@"
while read -r command; do
    case $command in
        start) start "$@" ;;
        STOP | CONT) kill -s "$command" "$id"; echo done ;;
        *) kill -s "$command" "$id"; wait "$id" 2>/dev/null; echo done ;;
    esac
done
kill -s KILL "$id"
rm -rf "$home"
