#include "dataplane/dns/message_ttls.h"

#include <algorithm>

#include "dataplane/dns/wire.h"

namespace steer::dns {

void lower_message_ttls(std::span<std::uint8_t> message, std::uint32_t age_s,
                        std::uint32_t most_s) noexcept {
    const bool is_noop = age_s == 0 && most_s == UINT32_MAX;
    if (is_noop || message.size() < kHeaderSize) return;
    std::size_t at = kHeaderSize;
    for (unsigned left = load_be16(&message[4]); left > 0; --left) {
        at = skip_name(message, at);
        if (at == 0) return;
        at += kTypeAndClass;
    }
    const unsigned records =
        load_be16(&message[6]) + unsigned{load_be16(&message[8])} + load_be16(&message[10]);
    for (unsigned left = records; left > 0; --left) {
        const std::size_t fixed = skip_name(message, at);
        if (fixed == 0 || fixed + kRecordFixed > message.size()) return;
        std::uint8_t* const ttl = &message[fixed + 4];
        if (load_be16(&message[fixed]) != kOpt) {
            std::uint32_t ttl_s = load_be32(ttl);
            if (ttl_s > kMaxTtlS) ttl_s = 0;  // RFC 2181 8
            store_be32(ttl, std::min(ttl_s > age_s ? ttl_s - age_s : 0, most_s));
        }
        at = fixed + kRecordFixed + load_be16(ttl + 4);
    }
}

}  // namespace steer::dns
