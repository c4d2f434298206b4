# Finds an nginx whose Lua module works, or unpacks Debian's packages of one into a folder,
# leaving the system alone. The result is a small shell file, ROOT/engine, written last: an
# interrupted install is simply repeated. Sourced by simulator.sh, which defines die().
# SPDX-License-Identifier: MIT
# shellcheck shell=sh

engine_packages="nginx libnginx-mod-http-lua libnginx-mod-http-ndk lua-resty-core
  lua-resty-lrucache lua-cjson"

# The module needs OpenResty's LuaJIT: a package of its own in Debian 12, the only one in Debian 13.
luajit_package() {
  for package in libluajit2-5.1-2 libluajit-5.1-2; do
    if LC_ALL=C apt-cache policy "$package" 2>/dev/null | grep -q 'Candidate: [^(]'; then
      echo "$package"
      return
    fi
  done
}

load_engine() {
  # shellcheck disable=SC1091 # made by install
  . "$1/engine"
}

# LD_LIBRARY_PATH is for this one process: the LuaJIT in it must not reach anybody else.
run_engine() {
  if [ -n "$ENGINE_LIBRARIES" ]; then
    env LD_LIBRARY_PATH="$ENGINE_LIBRARIES" "$ENGINE_NGINX" "$@"
  else
    "$ENGINE_NGINX" "$@"
  fi
}

quoted() {
  printf "'%s'" "$(printf '%s' "$1" | sed "s/'/'\\\\''/g")"
}

write_engine() {
  {
    echo "ENGINE_NGINX=$(quoted "$ENGINE_NGINX")"
    echo "ENGINE_MODULES=$(quoted "$ENGINE_MODULES")"
    echo "ENGINE_LIBRARIES=$(quoted "$ENGINE_LIBRARIES")"
    echo "ENGINE_LUA_PATH=$(quoted "$ENGINE_LUA_PATH")"
    echo "ENGINE_LUA_CPATH=$(quoted "$ENGINE_LUA_CPATH")"
  } >"$1/engine.new"
  mv "$1/engine.new" "$1/engine"
}

# A configuration test does not run Lua, so the probe is a start that ends itself.
engine_works() {
  probe=$1/probe
  mkdir -p "$probe"
  cat >"$probe/nginx.conf" <<CONF
$ENGINE_MODULES
daemon off;
pid "$probe/nginx.pid";
events {}
http {
  access_log off;
  client_body_temp_path "$probe/body";
  proxy_temp_path "$probe/proxy";
  fastcgi_temp_path "$probe/fastcgi";
  uwsgi_temp_path "$probe/uwsgi";
  scgi_temp_path "$probe/scgi";
  lua_package_path "$ENGINE_LUA_PATH";
  lua_package_cpath "$ENGINE_LUA_CPATH";
  init_by_lua_block {
    assert(jit and require "resty.core" and require "cjson" and require "ffi")
    io.stdout:write("usable") io.stdout:flush() os.exit(0)
  }
}
CONF
  said=$(run_engine -p "$probe/" -e "$probe/error.log" -c "$probe/nginx.conf" 2>"$probe/said") ||
    said=""
  [ "$said" = usable ]
}

# OpenResty, an nginx with the module compiled in, or one with the modules in its usual place.
find_engine() {
  ENGINE_LIBRARIES="" ENGINE_LUA_PATH=";;" ENGINE_LUA_CPATH=";;"
  for name in openresty nginx; do
    ENGINE_NGINX=$(command -v "$name") || continue
    ENGINE_MODULES=""
    ! engine_works "$1" || return 0
    modules=$("$ENGINE_NGINX" -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
    [ -f "$modules/ngx_http_lua_module.so" ] || continue
    use_modules "$modules"
    ! engine_works "$1" || return 0
  done
  return 1
}

use_modules() {
  ENGINE_MODULES=""
  for module in ndk_http_module ngx_http_lua_module; do
    [ ! -f "$1/$module.so" ] || ENGINE_MODULES="$ENGINE_MODULES load_module \"$1/$module.so\";"
  done
}

fetch_packages() {
  command -v apt-get >/dev/null ||
    die "no nginx with a Lua module here; install OpenResty and put it on the PATH"
  for package in "$@"; do
    set -- "$debs/${package}"_*.deb
    [ ! -f "$1" ] || continue
    # Without the option apt complains that its own user cannot write here.
    (cd "$debs" && apt-get -q -o APT::Sandbox::User="$(id -un)" download "$package") \
      >"$debs/log" 2>&1 ||
      { cat "$debs/log" >&2 && die "cannot download $package (is apt-get update needed?)"; }
  done
}

unpack_packages() {
  for deb in "$debs"/*.deb; do
    dpkg-deb -x "$deb" "$unpacked" || die "cannot unpack $deb"
  done
  # Where the libraries are depends on the architecture, the folder of this one does not.
  found=$(find "$unpacked" -name 'libluajit-5.1.so.2' | head -n 1)
  [ -n "$found" ] || die "the packages hold no LuaJIT"
  libraries=$(dirname "$found")
  ENGINE_NGINX=$unpacked/usr/sbin/nginx
  ENGINE_LIBRARIES=$libraries:$unpacked${libraries#"$unpacked/usr"}
  ENGINE_LUA_PATH="$unpacked/usr/share/lua/5.1/?.lua;;"
  ENGINE_LUA_CPATH="$libraries/lua/5.1/?.so;;"
  use_modules "$unpacked/usr/lib/nginx/modules"
}

libraries_missing() {
  env LD_LIBRARY_PATH="$ENGINE_LIBRARIES" ldd "$ENGINE_NGINX" \
    "$unpacked"/usr/lib/nginx/modules/*.so 2>/dev/null | grep -q 'not found'
}

# Libraries that the downloaded packages depend on and that are not installed: their names
# differ between releases, so they are read from the packages. Never a second C library.
wanted_libraries() {
  for deb in "$debs"/*.deb; do
    dpkg-deb -f "$deb" Depends
  done | tr ',' '\n' | sed 's/^ *//; s/[|(: ].*//' |
    grep -E '^(lib|zlib)' | grep -Ev '^lib(c6$|nginx-mod|luajit)' | sort -u |
    while read -r package; do
      dpkg-query -W -f='${Status}\n' "$package" 2>/dev/null | grep -q 'ok installed' ||
        echo "$package"
    done
}

download_engine() {
  debs=$1/debs unpacked=$1/root
  echo "Unpacking nginx with Lua for the simulator into $1 (nothing is installed)"
  rm -rf "$unpacked"
  mkdir -p "$debs" "$unpacked"
  # shellcheck disable=SC2046,SC2086 # lists of words
  fetch_packages $engine_packages $(luajit_package)
  unpack_packages
  rounds=0
  while libraries_missing && [ "$rounds" -lt 3 ]; do
    # shellcheck disable=SC2046 # a list of words
    fetch_packages $(wanted_libraries)
    unpack_packages
    rounds=$((rounds + 1))
  done
  engine_works "$1" || { cat "$1/probe/said" >&2; die "the unpacked nginx does not start"; }
}

engine_ready() {
  [ -f "$1/engine" ] && (load_engine "$1" && [ -x "$ENGINE_NGINX" ])
}

install_engine() {
  ! engine_ready "$1" || return 0
  (
    # Two tests may start at the same time in a fresh checkout.
    ! command -v flock >/dev/null || flock 9
    engine_ready "$1" || {
      find_engine "$1" || download_engine "$1"
      write_engine "$1"
      rm -rf "$1/probe"
    }
  ) 9>"$1/lock"
}
