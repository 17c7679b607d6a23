// SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause
//
// Redirects only packets that are ours, and passes all others to the kernel:
//   - UDP to a service address and a service port (queries);
//   - UDP from an upstream's address and port to one of our addresses and a port of our range (replies).
// Only frames to the interface's own MAC address, or to that of the VLAN child with their tags: untagged, or with one
// or two VLAN tags that are ours. Flooded frames belong to other hosts, and frames of a macvlan or a bridge to the
// kernel. Fragments, IP options, IPv6 extension headers and truncated packets pass. All packets pass while no socket
// is bound to the queue.
//
// Drops queries of banned source prefixes, except one of STEER_XDP_BAN_PASSES at random. Exempt prefixes, upstream
// replies, TCP and all other packets are never dropped. A ban ends at its time, also without userspace.
//
// Userspace (xdp_steering.cpp) changes the maps while this runs. Addresses are 16 bytes, IPv4 as
// ::ffff:a.b.c.d.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "steer_xdp.h"

struct vlan_header {
    __be16 tci;
    __be16 next_proto;
};

struct {
    __uint(type, BPF_MAP_TYPE_XSKMAP);
    __uint(max_entries, STEER_XDP_MAX_QUEUES);
    __type(key, __u32);
    __type(value, __u32);
} xsks_map SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, STEER_XDP_MAX_ADDRESSES);
    __type(key, struct steer_xdp_address);
    __type(value, __u32);  // STEER_XDP_SERVICE | STEER_XDP_OWN
} addresses SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, STEER_XDP_MAX_SERVICE_PORTS);
    __type(key, __be16);
    __type(value, __u8);
} service_ports SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, STEER_XDP_MAX_UPSTREAMS);
    __type(key, struct steer_xdp_upstream);
    __type(value, __u8);
} upstreams SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, STEER_XDP_MAX_VLANS);
    __type(key, struct steer_xdp_vlan);
    __type(value, __u64);  // the child's MAC address, as own_mac
} vlans SEC(".maps");

// Sources that no ban applies to.
struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, STEER_XDP_MAX_BAN_EXEMPT);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct steer_xdp_prefix);
    __type(value, __u8);
} ban_exempt SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_LPM_TRIE);
    __uint(max_entries, STEER_XDP_MAX_BANS);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __type(key, struct steer_xdp_prefix);
    __type(value, __u32);  // index of ban_state
} bans SEC(".maps");

struct steer_xdp_ban ban_state[STEER_XDP_MAX_BANS];

// Entries of `bans`: without any, a packet costs one load.
volatile __u32 ban_count;

// First and last port of replies, both inclusive, in one word (first << 16 | last) so that a change is seen
// whole. 0xffff0000 is an empty range.
volatile __u32 port_range = 0xffff0000;

// The bytes of the address in memory order, then two bytes 0. (Initially not a real address; a 0 would not be in .data.)
volatile __u64 own_mac = 0xffffffffffffffff;

static __always_inline __u64 mac_in(const unsigned char* at) {
    return *(const __u32*)at | (__u64) * (const __u16*)(at + 4) << 32;
}

static __always_inline int is_vlan(__be16 proto) {
    return proto == bpf_htons(ETH_P_8021Q) || proto == bpf_htons(ETH_P_8021AD);
}

static __always_inline int is_banned(const struct steer_xdp_address* source,
                                     const struct udphdr* udp, const void* end) {
    struct steer_xdp_prefix key = {128, *source};
    if (bpf_map_lookup_elem(&ban_exempt, &key)) return 0;
    __u32* place = bpf_map_lookup_elem(&bans, &key);
    if (!place) return 0;
    struct steer_xdp_ban* ban = &ban_state[*place & (STEER_XDP_MAX_BANS - 1)];
    if (bpf_ktime_get_ns() >= ban->expires_ns) return 0;
    // As workers, which drop a datagram that its frame does not have: that counts no bytes. The
    // verifier of Linux 6.1 does not know the range of a byte-swapped value, so it is masked. The
    // sum needs CAP_PERFMON.
    __u64 length = bpf_ntohs(udp->len);
    asm volatile("%0 &= 0xffff" : "+r"(length));
    if (length > sizeof *udp && (const void*)udp + length <= end)
        __sync_fetch_and_add(&ban->bytes, length - sizeof *udp);
    // A sender cannot predict which packets pass.
    if (bpf_get_prandom_u32() % STEER_XDP_BAN_PASSES == 0) {
        __sync_fetch_and_add(&ban->passed, 1);
        return 0;
    }
    __sync_fetch_and_add(&ban->dropped, 1);
    return 1;
}

SEC("xdp")
int steer_xdp(struct xdp_md* ctx) {
    void* at = (void*)(long)ctx->data;
    void* end = (void*)(long)ctx->data_end;
    struct steer_xdp_vlan tags = {0, 0};
    struct steer_xdp_address destination = {};
    struct steer_xdp_upstream source = {};

    struct ethhdr* eth = at;
    if ((void*)(eth + 1) > end) return XDP_PASS;
    __u64 to = mac_in(eth->h_dest);
    __be16 proto = eth->h_proto;
    at = eth + 1;
    if (is_vlan(proto)) {
        struct vlan_header* tag = at;
        if ((void*)(tag + 1) > end) return XDP_PASS;
        tags.outer = bpf_ntohs(tag->tci) & 0x0fff;
        proto = tag->next_proto;
        at = tag + 1;
        if (is_vlan(proto)) {
            tag = at;
            if ((void*)(tag + 1) > end) return XDP_PASS;
            tags.inner = bpf_ntohs(tag->tci) & 0x0fff;
            proto = tag->next_proto;
            at = tag + 1;
        }
        __u64* child = bpf_map_lookup_elem(&vlans, &tags);
        if (!child || (to != *child && to != own_mac)) return XDP_PASS;
    } else if (to != own_mac) {
        return XDP_PASS;
    }

    struct udphdr* udp;
    if (proto == bpf_htons(ETH_P_IP)) {
        struct iphdr* ip = at;
        if ((void*)(ip + 1) > end) return XDP_PASS;
        if (ip->version != 4 || ip->ihl != 5 || ip->protocol != IPPROTO_UDP) return XDP_PASS;
        if (ip->frag_off & bpf_htons(0x3fff)) return XDP_PASS;  // MF, or an offset
        destination.word[2] = source.address.word[2] = bpf_htonl(0xffff);
        destination.word[3] = ip->daddr;
        source.address.word[3] = ip->saddr;
        udp = (void*)(ip + 1);
    } else if (proto == bpf_htons(ETH_P_IPV6)) {
        struct ipv6hdr* ip = at;
        if ((void*)(ip + 1) > end) return XDP_PASS;
        if (ip->version != 6 || ip->nexthdr != IPPROTO_UDP) return XDP_PASS;
        // A mapped address on the wire would resemble one of our IPv4 addresses.
        if (!ip->daddr.s6_addr32[0] && !ip->daddr.s6_addr32[1] &&
            ip->daddr.s6_addr32[2] == bpf_htonl(0xffff))
            return XDP_PASS;
        __builtin_memcpy(&destination, &ip->daddr, sizeof destination);
        __builtin_memcpy(&source.address, &ip->saddr, sizeof source.address);
        udp = (void*)(ip + 1);
    } else {
        return XDP_PASS;
    }
    if ((void*)(udp + 1) > end) return XDP_PASS;

    __u32* ours = bpf_map_lookup_elem(&addresses, &destination);
    if (!ours) return XDP_PASS;
    __be16 port_be = udp->dest;
    if ((*ours & STEER_XDP_SERVICE) && bpf_map_lookup_elem(&service_ports, &port_be)) {
        if (ban_count && is_banned(&source.address, udp, end)) return XDP_DROP;
        return (int)bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
    }

    __u32 range = port_range;
    __u32 port = bpf_ntohs(port_be);
    if (port < range >> 16 || port > (range & 0xffff)) return XDP_PASS;
    source.port_be = udp->source;
    if (!bpf_map_lookup_elem(&upstreams, &source)) return XDP_PASS;
    return (int)bpf_redirect_map(&xsks_map, ctx->rx_queue_index, XDP_PASS);
}

// Some of the kernel's helpers may be called only by programs under the GPL.
char _license[] SEC("license") = "Dual BSD/GPL";
