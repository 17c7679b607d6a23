// The setting `on_full` of all plugins with a list.
#pragma once

#include "control/config/setting.h"

namespace steer::config {

template <class Args>
constexpr Row<Args> on_full_row() {
    return {
        "on_full", choice<Args, &Args::on_full>(), "cap_ttl", "answer|cap_ttl|servfail",
        "answer with an address that the list has no room for\nThe list is full, or the name, "
        "domain or client has used its share. `cap_ttl`: the answer leaves with a TTL of 5 s at "
        "most. `servfail`: the client gets SERVFAIL. `answer`: the answer leaves unchanged. The "
        "address is claimed again after 5 s; the answer that claims it leaves with a TTL of 5 s at "
        "most, also with `servfail`. With `async: true` an answer that leaves before the refusal "
        "is known is unchanged, and counted (outcome `refused`)."};
}

}  // namespace steer::config
