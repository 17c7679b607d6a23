# shellcheck shell=bash
# Runs what the host sends by the virtio serial port: commands ended by NUL; back come output, NUL, exit code, NUL.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/run
port=$(echo /dev/vport*)
exec 3<>"$port"
printf 'ready\0' >&3
while IFS= read -r -d '' command <&3; do
    (eval "$command") </dev/null >&3 2>&1 3>&-
    printf '\0%d\0' $? >&3
done
