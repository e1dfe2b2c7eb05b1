# Read by the scripts beside it: a private folder, free loopback ports, a certificate, and the end of all that was started.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=${BENCH_BIN:-$root/bench/.cache}
[ -x "$bin/seed" ] || { echo "$0: build first: bench/run does" >&2; exit 69; }
folder=$(mktemp -d "${BENCH_TMP:-${TMPDIR:-/tmp}}/palabre-bench-XXXXXX")
server=

finish() {
  if [ -n "$server" ]; then
    kill -TERM "$server" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "$server" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf "$folder"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# A port below those that the system gives to connections.
free_port() {
  local port
  while port=$((20000 + RANDOM % 12000)); (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do :; done
  echo "$port"
}

make_certificate() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost -keyout "$folder/key.pem" -out "$folder/cert.pem" 2>/dev/null
  cat "$folder/cert.pem" "$folder/key.pem" >"$folder/both.pem"
  chmod 644 "$folder"/*.pem
}

await_port() {
  for _ in $(seq 600); do
    kill -0 "$server" 2>/dev/null || { cat "$folder"/*.log >&2; echo "$0: the server has ended" >&2; exit 70; }
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.1
  done
  echo "$0: nobody listens at port $1" >&2
  exit 70
}

# The process of the private PostgreSQL cluster of test/with-postgres.
postmaster() { head -1 "$(psql -X -At "$PALABRE_TEST_POSTGRES" -c 'show data_directory')/postmaster.pid"; }

# Gives the cluster what one has that has run for a day: segments of its log to use again. A new one makes each of 16 MB as it goes, and all wait for it.
season_postgres() {
  {
    echo "alter system set min_wal_size = '1GB'; "
    echo "select pg_reload_conf();"
    for _ in $(seq 62); do echo "select pg_logical_emit_message(false, 'bench', 'x'); select pg_switch_wal();"; done
    echo "checkpoint; checkpoint;"
  } | psql -X -q -o /dev/null "$PALABRE_TEST_POSTGRES"
}

# Tells the caller where the server is, and waits until standard input ends.
serve_until_eof() {
  printf '%s\n' "$@" "folder=$folder" ready
  cat >/dev/null
}
