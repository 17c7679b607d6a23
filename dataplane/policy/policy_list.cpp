#include "dataplane/policy/policy_list.h"

#include <algorithm>
#include <iterator>

namespace steer {

ListId PolicyList::served_id(const IpAddress& client) const noexcept {
    const auto after = std::ranges::upper_bound(served, client, {}, &ServedClients::first);
    if (after == served.begin()) return id;
    const ServedClients& last = *std::prev(after);
    return client <= last.last ? last.id : id;
}

}  // namespace steer
