# shellcheck shell=bash disable=SC2154
# The S3 half of tools/local-stack: a real, versioned S3 server (Ceph's RADOS gateway with one monitor and one object
# store in memory), without containers, systemd or root. Sourced; uses common.sh, $state, $tools, $s3_port.

s3_folder() { echo "$state/s3"; }
s3_daemons=(client.rgw osd.0 mon.a)

s3_pid() { # DAEMON
  owned_pid "$(s3_folder)/run/$1.pid" "$(s3_folder)/ceph.conf"
}

s3_running() {
  local daemon
  for daemon in "${s3_daemons[@]}"; do
    s3_pid "$daemon" >/dev/null || return 1
  done
  listening "$s3_port"
}

s3_configuration() { # FSID
  local folder
  folder=$(s3_folder)
  cat <<C
[global]
fsid = $1
mon host = [v2:127.0.0.1:$((s3_port + 1))/0]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind ipv4 = true
ms bind ipv6 = false
ms bind port min = $((s3_port + 10))
ms bind port max = $((s3_port + 59))
auth cluster required = none
auth service required = none
auth client required = none
run dir = $folder/run
pid file = $folder/run/\$name.pid
admin socket =
log file = $folder/log/\$name.log
crash dir = $folder/crash
keyring = $folder/keyring
debug ms = 0
debug mon = 0
debug paxos = 0
debug osd = 0
debug rocksdb = 0
debug auth = 0
debug rgw = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon max pg per osd = 2000
mon data avail crit = 1
mon data avail warn = 1
mon cluster log to file = false
# Commit changes of the cluster map at once instead of once a second: start-up takes 2 s instead of 12.
paxos propose interval = 0.02
paxos min wait = 0.005
[mon]
mon data = $folder/mon
[mon.a]
host = localhost
mon addr = 127.0.0.1:$((s3_port + 1))
[osd]
osd data = $folder/osd
osd objectstore = memstore
osd memory target = 1073741824
memstore device bytes = $((${DYNABACKUP_S3_SIZE_GB:-4} << 30))
osd class load list = *
osd class default list = *
[client]
# The gateway wants a secure channel to the monitor by default, which "auth = none" cannot give: it would hang.
ms mon client mode = crc secure
rgw data = $folder/rgw
# Without tcp_nodelay every small answer waits 40 ms for a delayed ACK.
rgw frontends = beast endpoint=127.0.0.1:$s3_port tcp_nodelay=1
rgw enable usage log = false
rgw enable ops log = false
rgw rados pool pg num min = 8
rgw thread pool size = 128
rgw dns name = localhost
rgw run sync thread = false
C
}

start_s3_daemons() {
  local conf=(-c "$PWD/ceph.conf") fsid osd
  fsid=$(cat /proc/sys/kernel/random/uuid)
  osd=$(cat /proc/sys/kernel/random/uuid)
  s3_configuration "$fsid" >ceph.conf
  : >keyring
  monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$((s3_port + 1))]" monmap &&
    ceph-mon "${conf[@]}" -i a --mkfs --monmap monmap &&
    ceph-mon "${conf[@]}" -i a &&
    timeout 60 ceph "${conf[@]}" osd new "$osd" &&
    timeout 60 ceph-osd "${conf[@]}" -i 0 --mkfs --osd-uuid "$osd" &&
    ceph-osd "${conf[@]}" -i 0 &&
    wait_until 60 osd_up "${conf[@]}" &&
    radosgw "${conf[@]}" -n client.rgw &&
    wait_until 60 listening "$s3_port" &&
    radosgw-admin "${conf[@]}" -n client.rgw user create --uid=local --display-name=local \
      --access-key="$access_key" --secret-key="$secret_key"
}

osd_up() { timeout 5 ceph "$@" osd stat 2>/dev/null | grep -q ' 1 up'; }

start_s3() {
  local folder
  folder=$(s3_folder)
  ! s3_running || return 0
  stop_s3
  refuse_taken_port "$s3_port" DYNABACKUP_S3_PORT
  refuse_taken_port $((s3_port + 1)) DYNABACKUP_S3_PORT
  rm -rf "$folder"
  mkdir -p "$folder"/{run,log,mon,osd,rgw,crash}
  # The daemons must not inherit the lock (9) or whatever descriptors a caller left open.
  if ! (cd "$folder" && start_s3_daemons </dev/null >start.log 2>&1 9>&-); then
    tail -n 15 "$folder/start.log" >&2
    stop_s3
    die "the S3 gateway did not start; see $folder/start.log and $folder/log"
  fi
  create_bucket || { stop_s3; die "cannot create the bucket $bucket"; }
}

create_bucket() {
  /usr/bin/python3 - "http://127.0.0.1:$s3_port" "$access_key" "$secret_key" "$bucket" <<'P'
import sys
import botocore.session
from botocore.config import Config
endpoint, key, secret, bucket = sys.argv[1:]
s3 = botocore.session.Session().create_client(
    "s3", endpoint_url=endpoint, region_name="us-east-1", aws_access_key_id=key, aws_secret_access_key=secret,
    config=Config(s3={"addressing_style": "path"}, proxies={}))
s3.create_bucket(Bucket=bucket)
s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
P
}

# Nothing to save: a start always begins with an empty store, so the daemons are simply killed.
stop_s3() {
  local daemon pid
  for daemon in "${s3_daemons[@]}"; do
    pid=$(s3_pid "$daemon") || continue
    kill -9 "$pid" 2>/dev/null || continue
    for _ in $(seq 100); do
      alive "$pid" || break
      sleep 0.05
    done
  done
}
