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

/* NOLINTEND(readability-identifier-naming) */

#endif
