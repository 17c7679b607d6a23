// The texts that a client of `streams` sends with its query: TLS server name and URL path. They
// follow the query's bytes in the buffer of the InjectedQuery. Each has at most kMaxTextBytes; the
// rest is cut off.
#pragma once

#include <string_view>

#include "dataplane/base/buffer.h"
#include "dataplane/base/message.h"

namespace steer {

inline constexpr std::size_t kMaxTextBytes = 255;

struct InjectedTexts {
    std::string_view server_name;  // of TLS (RFC 6066 3), in lower case
    std::string_view url_path;     // of HTTP, without the query part (from `?` on)
};

// The texts in a message from add_injected(); valid as long as the caller holds the buffer.
inline InjectedTexts texts_of(const Buffer& buffer) noexcept {
    const auto& query = *reinterpret_cast<const InjectedQuery*>(buffer.data());
    const auto* const texts =
        reinterpret_cast<const char*>(buffer.data() + sizeof(InjectedQuery) + query.length);
    return {{texts, query.server_name_length},
            {texts + query.server_name_length, query.url_path_length}};
}

}  // namespace steer
