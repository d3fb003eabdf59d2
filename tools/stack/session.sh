# shellcheck shell=bash disable=SC2154
# Sourced by scripts that need the local stack for as long as they run: with_stack starts it if it does not run yet,
# puts its address into the environment, and stops at exit what it started. Uses $root.

stack_was_started=

with_stack() {
  if "$root/tools/local-stack" status >/dev/null 2>&1; then
    echo "using the local stack that is running"
  else
    trap end_stack EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    choose_free_ports
    stack_was_started=yes
    "$root/tools/local-stack" start "$@"
  fi
  eval "$("$root/tools/local-stack" env)"
}

end_stack() {
  [ -z "$stack_was_started" ] || "$root/tools/local-stack" stop
  stack_was_started=
}

# Whoever starts the stack by hand is told when a port is taken; a script just takes others.
choose_free_ports() {
  local port
  for ((port = ${DYNABACKUP_DYNAMODB_PORT:-8000}; port < 8400; port += 13)); do
    if ! taken "$port"; then export DYNABACKUP_DYNAMODB_PORT=$port; break; fi
  done
  for ((port = ${DYNABACKUP_S3_PORT:-7480}; port < 9000; port += 70)); do
    if ! taken "$port" && ! taken $((port + 1)); then export DYNABACKUP_S3_PORT=$port; break; fi
  done
}

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
