# shellcheck shell=bash
# What the two servers of tools/local-stack share: processes told apart by what they run, not by their number alone.

say() { echo "local-stack: $*" >&2; }
die() { say "$*"; exit 1; }

# Does anything listen on this loopback port?
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

refuse_taken_port() { # PORT VARIABLE
  if listening "$1"; then
    die "port $1 is taken by something that is not this stack; set $2 to a free one"
  fi
}

check_port() { # VALUE VARIABLE HIGHEST
  if ! [[ $1 =~ ^[0-9]{1,5}$ ]] || ((10#$1 < 1024 || 10#$1 > $3)); then
    die "$2 must be a port from 1024 to $3, not '$1'"
  fi
}

alive() { [ -r "/proc/$1/status" ] && ! grep -q '^State:[[:space:]]*[ZX]' "/proc/$1/status" 2>/dev/null; }

# Prints the process id in FILE if that process still is the one we started: its command line holds every TEXT.
owned_pid() { # FILE TEXT...
  local file=$1 pid command text
  shift
  [ -s "$file" ] || return 1
  pid=$(cat "$file")
  [[ $pid =~ ^[0-9]+$ ]] && alive "$pid" || return 1
  command=$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null) || return 1
  for text in "$@"; do
    [[ $command == *"$text"* ]] || return 1
  done
  echo "$pid"
}

end_process() { # PID
  local pid=$1
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 60); do
    alive "$pid" || return 0
    sleep 0.05
  done
  kill -9 "$pid" 2>/dev/null || return 0
  for _ in $(seq 100); do
    alive "$pid" || return 0
    sleep 0.05
  done
  die "process $pid does not end"
}

wait_until() { # SECONDS COMMAND...
  local ends=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < ends)) || return 1
    sleep 0.05
  done
}

# Does anything listen on PORT beyond loopback? 0A is LISTEN; addresses are little-endian hex.
listens_beyond_loopback() { # PORT
  local port
  port=$(printf '%04X' "$1")
  cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v port=":$port\$" '
    $4 == "0A" && $2 ~ port &&
    $2 !~ /^(......7F|00000000000000000000000001000000|0000000000000000FFFF0000......7F):/ { found = 1 }
    END { exit !found }'
}
