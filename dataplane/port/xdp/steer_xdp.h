/* SPDX-License-Identifier: GPL-2.0-only OR BSD-3-Clause */
/* The interface between the XDP program and the userspace that fills its maps. Both compile it. */
#ifndef STEER_XDP_H
#define STEER_XDP_H

#include <linux/types.h>

#define STEER_XDP_MAX_QUEUES 64
#define STEER_XDP_MAX_ADDRESSES 4096
#define STEER_XDP_MAX_SERVICE_PORTS 64
#define STEER_XDP_MAX_UPSTREAMS 4096
#define STEER_XDP_MAX_VLANS 4096
#define STEER_XDP_MAX_BANS 1024 /* a power of two */
#define STEER_XDP_MAX_BAN_EXEMPT 8192
/* One packet of this many passes a ban. */
#define STEER_XDP_BAN_PASSES 8

/* An address's value in the map `addresses`. */
#define STEER_XDP_SERVICE 1u /* queries are taken */
#define STEER_XDP_OWN 2u     /* upstream replies are taken */

/* names as in the kernel's own headers: NOLINTBEGIN(readability-identifier-naming) */

struct steer_xdp_address { /* network order, IPv4 as ::ffff:a.b.c.d */
    __u32 word[4];
};

struct steer_xdp_upstream {
    struct steer_xdp_address address;
    __be16 port_be;
    __u16 zero;
};

struct steer_xdp_vlan { /* host order; inner 0: one tag */
    __u16 outer;
    __u16 inner;
};

struct steer_xdp_prefix { /* key of the LPM tries */
    __u32 bits;           /* of the 128-bit form: 120 for an IPv4 /24 */
    struct steer_xdp_address address;
};

struct steer_xdp_ban { /* userspace writes expires_ns, the program the counters */
    __u64 expires_ns;  /* CLOCK_MONOTONIC */
    __u64 dropped;
    __u64 passed;
    __u64 bytes; /* of UDP payload, of both */
};

/* NOLINTEND(readability-identifier-naming) */

#endif
