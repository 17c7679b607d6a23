#include "dataplane/dns/options.h"

#include "dataplane/dns/name.h"

namespace steer::dns {

std::span<const std::uint8_t> options_of(std::span<const std::uint8_t> message,
                                         std::size_t question_end) noexcept {
    std::size_t at = question_end;
    for (unsigned left = load_be16(&message[10]); left > 0; --left) {
        const std::size_t fixed = at + plain_name_length(message.subspan(at));
        const std::size_t rdata = fixed + 10;
        if (fixed == at || rdata > message.size()) return {};
        const std::size_t length = load_be16(&message[rdata - 2]);
        if (rdata + length > message.size()) return {};
        if (load_be16(&message[fixed]) == kOpt) return message.subspan(rdata, length);
        at = rdata + length;
    }
    return {};
}

}  // namespace steer::dns
