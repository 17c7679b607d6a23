// All parts of the daemon. Each line is a function NAME_part() in the folder of its subject. Needs
// give the order (part.h); where needs leave a choice, the order here is used.
#pragma once

#include "control/part.h"

#define STEER_PARTS(X) \
    X(configuration)   \
    X(events)          \
    X(log)             \
    X(dpdk)            \
    X(ports)           \
    X(workers)         \
    X(cache)           \
    X(cookies)         \
    X(network)         \
    X(streams)         \
    X(reload)          \
    X(rules)           \
    X(records)         \
    X(blocking)        \
    X(leases)          \
    X(clients)         \
    X(router_lists)    \
    X(recorder)        \
    X(fetch)           \
    X(transfer)        \
    X(tasks)           \
    X(mdns)            \
    X(edit)            \
    X(managed)         \
    X(routers)         \
    X(kernel_sets)     \
    X(opnsense)        \
    X(fleet)           \
    X(lists)           \
    X(explanations)    \
    X(trace)           \
    X(capture)         \
    X(replay)          \
    X(preview)         \
    X(recursion)       \
    X(upstreams)       \
    X(overload)        \
    X(limits)          \
    X(api)             \
    X(certificates)    \
    X(doctor)          \
    X(support)         \
    X(health)          \
    X(group_feed)      \
    X(router_commands) \
    X(confinement)     \
    X(status)

namespace steer {

#define STEER_DECLARE_PART(name) Parts::Maker name##_part();
STEER_PARTS(STEER_DECLARE_PART)
#undef STEER_DECLARE_PART

}  // namespace steer
