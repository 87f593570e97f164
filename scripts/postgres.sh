# A Postgres in a folder of its own, without a port, that ends when the input does. Says where it is,
# once it serves; `stop` or `crash` end it, and `start` starts it again. `$0` is where the programs are, `$1`
# this script: Postgres refuses to be run by root.
#
# The locale is one that orders texts unlike their bytes, and without `fsync` nothing waits for a
# disk that has nothing to keep.

if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid=nobody --regid="$(id -g nobody)" --clear-groups sh -c "$1" "$0" "$1"
fi
export LC_ALL=C
trap : INT
home=$(mktemp -d) && cd "$home" || exit
start() {
    "$0/pg_ctl" -D data -l log -w -o "-p 5432 -k $home -c listen_addresses= -c fsync=off -c jit=off -c max_connections=300" start
}
"$0/initdb" -D data -U rollcall --no-sync -E UTF8 --locale-provider=icu --icu-locale=en-US >initdb 2>&1 || cat initdb >&2
start >started || cat started log >&2
echo "$home"
while read -r command; do
    case $command in
        stop) "$0/pg_ctl" -D data -m fast -w stop >stopped ;;
        crash) "$0/pg_ctl" -D data -m immediate -w stop >stopped ;;
        start) start >started ;;
    esac
    echo done
done
"$0/pg_ctl" -D data -m immediate -w stop >stopped 2>&1
rm -rf "$home"
