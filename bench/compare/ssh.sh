#!/bin/bash
# The work of `npm run bench -- fleet` by tools that everybody has: a file to 100 hosts, and its program started on each,
# by ansible, by parallel-ssh, and by ssh alone. All hosts are one sshd on a free port of 127.0.0.1, with keys and a
# configuration of its own in a temporary directory; nothing else of this machine is touched, and nothing is left.
# No start-up file is read on the way: the hosts' HOME is empty, and their SHELL is sh. Each host has a file of its own.
# Needs Linux, root, and what Debian calls openssh-server, openssh-client, ansible-core, pssh.
# Usage: ssh.sh [HOSTS [ssh|pssh|ansible ...]]
set -euo pipefail
hosts=${1:-100}
ways=("${@:2}")
[ ${#ways[@]} -gt 0 ] || ways=(ssh pssh ansible)
unset BASH_ENV ENV
node=$(command -v node)
dir=$(mktemp -d /tmp/cmp-XXXXXX)
sshd_pid=
finish() {
  for socket in "$dir"/c/*; do [ -S "$socket" ] && ssh -F "$dir/ssh_config" -o ControlPath="$socket" -O exit h1 2>/dev/null || true; done
  if [ -n "$sshd_pid" ]; then kill "$sshd_pid" 2>/dev/null || true; wait "$sshd_pid" 2>/dev/null || true; fi
  rm -rf "$dir"
}
trap finish EXIT

port=$("$node" -e "const s = require('net').createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close(); })")
mkdir -p "$dir/c" "$dir/home" /run/sshd
ssh-keygen -q -t ed25519 -N '' -f "$dir/host"
ssh-keygen -q -t ed25519 -N '' -f "$dir/user"
cat >"$dir/sshd_config" <<EOF
ListenAddress 127.0.0.1:$port
HostKey $dir/host
PidFile $dir/sshd.pid
AuthorizedKeysFile $dir/user.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
PermitUserRC no
PermitUserEnvironment no
AcceptEnv PSSH_HOST
SetEnv HOME=$dir/home SHELL=/bin/sh BASH_ENV=
MaxStartups 1000
MaxSessions 1000
Subsystem sftp internal-sftp
EOF
cat >"$dir/ssh_config" <<EOF
Host *
  HostName 127.0.0.1
  Port $port
  User root
  IdentityFile $dir/user
  IdentitiesOnly yes
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
  ControlMaster auto
  ControlPath $dir/c/%n
  ControlPersist 120
  SendEnv PSSH_HOST
EOF
/usr/sbin/sshd -D -f "$dir/sshd_config" &
sshd_pid=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.05; done

echo "console.log('hello');" >"$dir/hello.js"
for ((i = 1; i <= hosts; i++)); do
  mkdir "$dir/h$i"
  echo "h$i" >>"$dir/hosts"
done
cat >"$dir/play.yaml" <<EOF
- hosts: all
  gather_facts: false
  strategy: free
  tasks:
    - copy: { src: $dir/hello.js, dest: "$dir/{{ inventory_hostname }}/hello.js" }
    - shell: "$node $dir/{{ inventory_hostname }}/hello.js > $dir/{{ inventory_hostname }}/log 2>&1 &"
EOF
export ANSIBLE_PIPELINING=1 ANSIBLE_FORKS=100 ANSIBLE_HOST_KEY_CHECKING=0 ANSIBLE_LOCAL_TEMP=$dir/a ANSIBLE_REMOTE_TEMP=$dir/r
export ANSIBLE_SSH_ARGS="-F $dir/ssh_config" ANSIBLE_SSH_CONTROL_PATH="$dir/c/%%n" ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3 ANSIBLE_STDOUT_CALLBACK=minimal

disconnect() { for i in $(cat "$dir/hosts"); do ssh -F "$dir/ssh_config" -O exit "$i" 2>/dev/null || true; done; }
with_ansible() { ansible-playbook -i "$dir/hosts" "$dir/play.yaml" >"$dir/out" || { cat "$dir/out"; exit 1; }; }
# One connection brings the file and starts it, as below: faster than parallel-scp and parallel-ssh one after the other.
with_pssh() {
  parallel-ssh -p 100 -t 0 -I -h "$dir/hosts" -x "-F $dir/ssh_config" \
    "cat > $dir/\$PSSH_HOST/hello.js && ($node $dir/\$PSSH_HOST/hello.js > $dir/\$PSSH_HOST/log 2>&1 &)" <"$dir/hello.js" >"$dir/out"
}
with_ssh() {
  xargs -P 100 -I{} sh -c "ssh -F $dir/ssh_config {} 'cat > $dir/{}/hello.js && ($node $dir/{}/hello.js > $dir/{}/log 2>&1 &)' < $dir/hello.js" <"$dir/hosts"
}
measure() {
  local begin end
  begin=$(date +%s%N)
  "$2"
  end=$(date +%s%N)
  echo "$1: $(((end - begin) / 1000000)) ms"
  while pgrep -f "^$node $dir" >/dev/null; do sleep 0.1; done
  for ((i = 1; i <= hosts; i++)); do grep -q hello "$dir/h$i/log" || { echo "h$i did not run it" >&2; exit 1; }; done
  rm -f "$dir"/h*/*
}
echo "$hosts hosts, $(nproc) cores, $(ssh -V 2>&1), $(ansible --version | sed -n 1p)"
for way in "${ways[@]}"; do
  disconnect
  measure "$way, connections to be made" "with_$way"
  # The connections of ansible are named after its own options, the others' after the host; all stay open for two minutes.
  for round in 1 2; do measure "$way, connections open" "with_$way"; done
done
