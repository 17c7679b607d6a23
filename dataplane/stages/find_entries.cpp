#include "dataplane/stages/find_entries.h"

#include "dataplane/base/buffer.h"
#include "dataplane/base/message.h"

namespace steer {

void find_entries_of_all(Burst& burst, const Snapshot& snapshot) noexcept {
    for (unsigned i = 0; i < burst.live_count; ++i) {
        Packet& p = burst.packets[burst.live[i]];
        if (p.client.is_udp()) {
            p.client.entry = snapshot.frontends.of_datagram(p.destination, p.destination_port);
        } else {
            const auto& query = *reinterpret_cast<const InjectedQuery*>(p.injected->data());
            p.client.entry = snapshot.frontends.of_stream(query.frontend);
        }
    }
}

}  // namespace steer
