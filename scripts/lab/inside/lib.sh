# shellcheck shell=sh
# For the tests that run inside the lab's Dom0: each check is a sentence and a
# command, and the last line counts them.
passed=0 failed=0

# check SENTENCE COMMAND...: the command must succeed.
check() {
    sentence=$1
    shift
    if output=$("$@" 2>&1); then
        passed=$((passed + 1))
        echo "  ok    $sentence"
    else
        failed=$((failed + 1))
        echo "  FAIL  $sentence ($*)"
        printf '%s\n' "$output" | tail -n 12 | sed 's/^/          /'
    fi
}

# check_status SENTENCE STATUS WORDS COMMAND...: that status, and a line that has the words.
check_status() {
    sentence=$1 wanted=$2 words=$3
    shift 3
    status=0
    output=$("$@" 2>&1) || status=$?
    if [ "$status" = "$wanted" ] && printf '%s\n' "$output" | grep -qF -- "$words"; then
        passed=$((passed + 1))
        echo "  ok    $sentence"
    else
        failed=$((failed + 1))
        echo "  FAIL  $sentence ($*: status $status, not $wanted with \"$words\")"
        printf '%s\n' "$output" | tail -n 12 | sed 's/^/          /'
    fi
}

# check_equal SENTENCE WANTED FOUND
check_equal() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        echo "  ok    $1"
    else
        failed=$((failed + 1))
        echo "  FAIL  $1"
        echo "          wanted: $2"
        echo "          found:  $3"
    fi
}

verdict() {
    echo "lab $1: $passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}

# Runs a command again until it succeeds, at most SECONDS long.
until_true() {
    limit=$(($(cut -d. -f1 /proc/uptime) + $1))
    shift
    until "$@" > /dev/null 2>&1; do
        [ "$(cut -d. -f1 /proc/uptime)" -lt "$limit" ] || return 1
        sleep 0.2
    done
}

# The files of a guest on xenbr0: 10.90.0.1 is Dom0, 10.90.0.2 the guest.
guest_files() {
    mkdir -p /var/lib/lab
    truncate -s 1M /var/lib/lab/disk
    echo 'the question' | dd of=/var/lib/lab/disk conv=notrunc 2> /dev/null
    cat > /var/lib/lab/guest.cfg << EOF
name = "guest"
type = "pv"
memory = 96
vcpus = 1
kernel = "$(ls /boot/vmlinuz-*)"
ramdisk = "/boot/guest.cpio.gz"
extra = "console=hvc0 quiet lab.address=10.90.0.2/24"
vif = ["bridge=xenbr0"]
disk = ["/var/lib/lab/disk,raw,xvda,rw"]
EOF
}

start_guest() { guest_files && xl create /var/lib/lab/guest.cfg; }

guest_answers() { ping -c 1 -W 1 10.90.0.2; }
disk_answers() { dd if=/var/lib/lab/disk bs=512 skip=1 count=1 2> /dev/null | grep -q 'answer to the question'; }
lists() { xl list | awk '{ print $1 }' | grep -qx "$1"; }
lists_not() { ! lists "$1"; }

# What must not change when somebody else's script runs over the chain.
chain_state() {
    for name in xenstored oxenstored xenconsoled xen-qemu-system-i386; do
        echo "$name $(pidof "$name")"
    done
    stat -c 'socket %i' /run/xenstored/socket
    stat -c '%n %i' /sys/class/net/xenbr0
    xl list | awk '{ print $1, $2 }'
    grep -c xenfs /proc/mounts
}
