#!/bin/sh
# A stand-in for AvePoint's service: nginx with its Lua module on free local ports.
# This file is the command line and the life of one instance (a folder with its configuration,
# logs, certificates, scenarios and journal). Finding nginx is engine.sh, the certificates are
# certificates.sh, what the service answers is the Lua beside them; README.md is the manual.
# SPDX-License-Identifier: MIT
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
. "$here/engine.sh"
. "$here/certificates.sh"

usage() {
  cat <<USAGE
usage: simulator.sh install ROOT      find nginx with Lua, or unpack one under ROOT
       simulator.sh start DIR [ROOT]  start an instance; DIR/env holds what to export
       simulator.sh stop DIR          stop it
       simulator.sh run DIR [ROOT]    start, print the exports, stop at Ctrl-C
ROOT is build/simulator of the checkout unless SIMULATOR_ROOT or the argument says otherwise.
SIMULATOR_CUSTOMERS is the number of customers of the default scenario (137).
USAGE
}

die() {
  printf 'simulator: %s\n' "$*" >&2
  exit 1
}

absolute() {
  mkdir -p -- "$1" || die "cannot make $1"
  (CDPATH='' cd -- "$1" && pwd)
}

root_of() {
  root=${1:-${SIMULATOR_ROOT:-}}
  if [ -z "$root" ]; then
    root=$(CDPATH='' cd -- "$here/../../.." && pwd)/build/simulator
  fi
  absolute "$root"
}

# The process of the pid file, if it is still ours: after a crash the number may belong to
# somebody else, and a process that nobody reaps has an empty command line.
pid_of() {
  pid=$(cat "$1/nginx.pid" 2>/dev/null) || return 1
  [ -n "$pid" ] || return 1
  if [ -d /proc/self ]; then
    command=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || return 1
  else
    command=$(ps -p "$pid" -o args= 2>/dev/null) || return 1
  fi
  case $command in
  *"$1/nginx.conf"*) printf '%s\n' "$pid" ;;
  *) return 1 ;;
  esac
}

# Below the range from which systems take the ports of outgoing connections.
random_port() {
  number=$(od -An -N2 -tu2 /dev/urandom | tr -d ' ')
  echo $((20000 + number % 12000))
}

port_taken() {
  [ -r /proc/net/tcp ] || return 1
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
    grep -qi "^ *[0-9]*: [0-9A-F]*:$(printf '%04X' "$1") "
}

# Sets port to one that nobody listens on and that was not picked before.
free_port() {
  while :; do
    port=$(random_port)
    case " $ports " in *" $port "*) continue ;; esac
    port_taken "$port" || break
  done
  ports="$ports $port"
}

pick_ports() {
  ports=""
  free_port && https_port=$port
  free_port && http1_port=$port
  free_port && http_port=$port
  free_port && untrusted_port=$port
}

has_ipv6() {
  if [ -r /proc/net/if_inet6 ]; then
    grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6
  else
    ifconfig lo0 2>/dev/null | grep -q 'inet6 ::1'
  fi
}

escaped() {
  printf '%s' "$1" | sed 's/[\\&|]/\\&/g'
}

write_configuration() {
  user=""
  [ "$(id -u)" -ne 0 ] || user="user root;"
  ipv6="#"
  ! has_ipv6 || ipv6=""
  sed -e "s|@USER@|$user|" -e "s|@IPV6@|$ipv6|" \
    -e "s|@MODULES@|$(escaped "$ENGINE_MODULES")|" \
    -e "s|@LUA_PATH@|$(escaped "$here/?.lua;$ENGINE_LUA_PATH")|" \
    -e "s|@LUA_CPATH@|$(escaped "$ENGINE_LUA_CPATH")|" \
    -e "s|@DIR@|$(escaped "$1")|g" -e "s|@CUSTOMERS@|${SIMULATOR_CUSTOMERS:-137}|" \
    -e "s|@HTTPS_PORT@|$https_port|" -e "s|@HTTP1_PORT@|$http1_port|" \
    -e "s|@HTTP_PORT@|$http_port|" -e "s|@UNTRUSTED_PORT@|$untrusted_port|" \
    "$here/nginx.conf.in" >"$1/nginx.conf"
}

launch() {
  attempts=0
  while :; do
    pick_ports
    write_configuration "$1"
    ! run_engine -p "$1/" -e "$1/error.log" -c "$1/nginx.conf" \
      </dev/null >"$1/start.log" 2>&1 || return 0
    attempts=$((attempts + 1))
    if [ "$attempts" -ge 10 ] || ! grep -q 'Address already in use' "$1/start.log"; then
      cat "$1/start.log" >&2
      die "nginx did not start (see $1/error.log)"
    fi
  done
}

# The sockets listen as soon as nginx returns; the worker behind them needs a moment more.
await_answer() {
  attempts=0
  until printf 'GET / HTTP/1.0\r\n\r\n' |
    openssl s_client -quiet -connect "127.0.0.1:$http1_port" -servername localhost \
      -CAfile "$1/tls/ca.pem" -verify_return_error 2>/dev/null | grep -q '^HTTP/1'; do
    attempts=$((attempts + 1))
    [ "$attempts" -lt 100 ] || die "nginx does not answer (see $1/error.log)"
    sleep 0.1
  done
}

export_line() {
  printf "export %s='%s'\n" "$1" "$(printf '%s' "$2" | sed "s/'/'\\\\''/g")"
}

write_env() {
  {
    export_line AVEPOINT_BASE_URL "https://localhost:$https_port"
    export_line AVEPOINT_TOKEN_URL "https://localhost:$https_port/connect/token"
    export_line AVEPOINT_CA_FILE "$1/tls/ca.pem"
    export_line AVEPOINT_CLIENT_ID demo-client
    export_line AVEPOINT_CLIENT_SECRET demo-secret
    export_line SIMULATOR_DIR "$1"
    export_line SIMULATOR_HTTPS_PORT "$https_port"
    export_line SIMULATOR_HTTP1_PORT "$http1_port"
    export_line SIMULATOR_HTTP_PORT "$http_port"
    export_line SIMULATOR_UNTRUSTED_PORT "$untrusted_port"
  } >"$1/env.new"
  mv "$1/env.new" "$1/env"
}

start() {
  case ${SIMULATOR_CUSTOMERS:-137} in
  *[!0-9]* | ????????*) die "SIMULATOR_CUSTOMERS must be a number up to 1000000" ;;
  esac
  if pid_of "$1" >/dev/null; then
    echo "simulator: already running, see $1/env" >&2
    return 0
  fi
  install_engine "$2"
  load_engine "$2"
  # Counters start again with the process, so must what was written about them.
  rm -rf "$1/journal" "$1/error.log" "$1/env"
  mkdir -p "$1/scenarios" "$1/journal" "$1/registered" "$1/tmp"
  make_certificates "$1/tls"
  launch "$1"
  await_answer "$1"
  write_env "$1"
}

stop() {
  if pid=$(pid_of "$1"); then
    kill -TERM "$pid" 2>/dev/null || :
    attempts=0
    while pid_of "$1" >/dev/null; do
      attempts=$((attempts + 1))
      [ "$attempts" -lt 200 ] || die "process $pid does not end"
      sleep 0.05
    done
  fi
  rm -f "$1/env" "$1/nginx.pid"
}

end_run() {
  trap '' INT TERM HUP
  [ -z "$sleeper" ] || kill "$sleeper" 2>/dev/null || :
  stop "$dir"
}

run() {
  dir=$1
  sleeper=""
  if pid_of "$1" >/dev/null; then # somebody else's, who stops it
    start "$1" "$2"
    cat "$1/env"
    exit 0
  fi
  trap 'end_run; exit 0' INT TERM HUP
  start "$1" "$2"
  cat "$1/env"
  while pid_of "$1" >/dev/null; do
    sleep 1 &
    sleeper=$!
    wait "$sleeper" || :
  done
  die "nginx ended on its own (see $1/error.log)"
}

case "$#:${1:-}" in
2:install | 2:start | 3:start | 2:stop | 2:run | 3:run) ;;
*)
  usage >&2
  exit 2
  ;;
esac
# Stopping what was never started makes no folder.
[ "$1" != stop ] || [ -d "$2" ] || exit 0
target=$(absolute "$2")
case $1 in
install) install_engine "$target" ;;
stop) stop "$target" ;;
*)
  root=$(root_of "${3:-}")
  "$1" "$target" "$root"
  ;;
esac
