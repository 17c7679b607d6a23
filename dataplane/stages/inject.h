// Turns a query that `streams` injected into a packet of the burst. The query arrived over TCP or
// by a kernel socket. From parse() on, it is handled like all others.
//
// In:   MessageKind::inject, whose buffer holds an InjectedQuery and the message.
// Out:  a packet in the burst that owns the buffer.
// Ends: Injected::drop_short_header (the lengths do not fit), drop_source_port (UDP by a kernel
//       socket).
#pragma once

#include "dataplane/base/message.h"
#include "dataplane/port/next_hop.h"
#include "dataplane/stages/burst.h"
#include "dataplane/stages/reply.h"

namespace steer {

// `hops`: the table in force, for its dropped_ports; nullptr: there is none yet.
void add_injected(const Message& m, Burst& burst, const NextHopTable* hops,
                  Replier& replier) noexcept;

}  // namespace steer
