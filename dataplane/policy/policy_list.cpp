#include "dataplane/policy/policy_list.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace steer {

ListId PolicyList::served_id(const IpAddress& client) const noexcept {
    const auto after = std::ranges::upper_bound(served, client, {}, &ServedClients::first);
    if (after == served.begin()) return id;
    const ServedClients& last = *std::prev(after);
    return client <= last.last ? last.id : id;
}

std::uint64_t PolicyList::all_rows() const {
    std::set<ListId> ids{id};
    for (const ServedClients& clients : served)
        ids.insert(clients.id);
    return std::uint64_t{max_rows} * ids.size();
}

}  // namespace steer
